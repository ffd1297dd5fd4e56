"""The linkId of the item in which a finding on a response's structure lies.

http://hl7.org/fhir/R4/questionnaireresponse-definitions.html#QuestionnaireResponse.item.linkId
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from fhir_service.fhir.issues import Issue

_STEP = re.compile(r"\.(item|answer)\[(\d+)\]")
_LONGEST = 255


def with_link_ids(issues: Iterable[Issue], raw: Mapping[str, Any]) -> tuple[Issue, ...]:
    """The issues, each with the linkId of the innermost item around its place in ``raw``.

    One that has a linkId keeps it. None is given where the item has none that is a string of 255
    characters at most.
    """
    return tuple(
        replace(issue, link_id=_link_id(raw, issue.expression))
        if issue.link_id is None and issue.expression is not None
        else issue
        for issue in issues
    )


def _link_id(raw: Mapping[str, Any], expression: str) -> str | None:
    here: Any = raw
    found: Any = None
    at = expression.find(".")
    while at >= 0 and (match := _STEP.match(expression, at)) is not None:
        inner = here.get(match[1]) if isinstance(here, Mapping) else None
        number = int(match[2])
        here = inner[number] if isinstance(inner, list) and number < len(inner) else None
        if match[1] == "item" and isinstance(here, Mapping):
            found = here.get("linkId")
        at = match.end()
    return found if isinstance(found, str) and len(found) <= _LONGEST else None
