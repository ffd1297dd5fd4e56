"""x-fhir-query: a search with FHIRPath in ``{{ }}``, read once and filled in for each use.

https://hl7.org/fhir/uv/sdc/STU4/expressions.html#x-fhir-query-enhancements
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final
from urllib.parse import quote

from fhir_service.sdc.expressions import Formula, NotDecided, Scope

X_FHIR_QUERY: Final = "application/x-fhir-query"

_EMBEDDED: Final = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_SAFE: Final = "/:,$-._~"
"""What stays as it is in a value that is put into an address."""

Evaluate = Callable[[Formula], list[Any]]


class Query:
    """One query. ``formulas`` are the expressions in it, in order."""

    __slots__ = ("_texts", "formulas")

    def __init__(self, text: str, element: Mapping[str, Any]) -> None:
        pieces = _EMBEDDED.split(text)
        self._texts = tuple(pieces[::2])
        self.formulas = tuple(
            Formula("x-fhir-query", one.strip(), Scope({}), element) for one in pieces[1::2]
        )

    def filled(self, evaluate: Evaluate) -> str | None:
        """The query with the values of its expressions; None where one of them gives nothing.

        ``evaluate`` gives JSON values; several are joined by a comma. Raises NotDecided.
        """
        made = [self._texts[0]]
        for formula, text in zip(self.formulas, self._texts[1:], strict=True):
            values = evaluate(formula)
            if not values:
                return None
            made += (",".join(_written(one) for one in values), text)
        return "".join(made).strip()


def _written(value: Any) -> str:
    """A JSON value as it stands in an address; a Coding as system|code."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        value = _token(value)
    if isinstance(value, int | Decimal):
        value = str(value)
    if not isinstance(value, str):
        raise NotDecided("What stands in a query must be a single value.")
    return quote(value, safe=_SAFE)


def _token(value: Mapping[str, Any]) -> str:
    if isinstance(value.get("code"), str):
        system = value.get("system")
        return f"{system}|{value['code']}" if isinstance(system, str) else str(value["code"])
    if isinstance(value.get("reference"), str):
        return str(value["reference"])
    raise NotDecided("What stands in a query must be a code, a reference or a simple value.")
