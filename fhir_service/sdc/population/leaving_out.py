"""What would break a rule of the form is left out of a response that was filled, and told.

The rules are those of a completed response but for what is not answered yet: a draft may lack
answers, and keep some that its conditions hide for now.
https://hl7.org/fhir/uv/sdc/STU4/populate.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, tzinfo
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from fhir_service.fhir.issues import Issue, NotUnderstood
from fhir_service.fhir.reading import MOST_ITEM_LEVELS
from fhir_service.sdc.compiled import Form
from fhir_service.sdc.keys import KEYS
from fhir_service.sdc.population.filling import Filled
from fhir_service.sdc.responses import decode
from fhir_service.sdc.validation import Codes, validate

_FAMILIES: Final = frozenset({"structure", "counts", "limits"})
_ROUNDS: Final = 8
_STEP: Final = re.compile(r"\.(item|answer)\[(\d+)\]")
_encode = msgspec.json.Encoder(decimal_format="number").encode

Steps = tuple[tuple[str, int], ...]


def sound(
    form: Form,
    filled: Filled,
    *,
    codes: Codes | None = None,
    language: str | None = None,
    now: datetime | None = None,
    zone: tzinfo | None = None,
) -> Filled:
    """The same without the answers that break a rule; each is told with its rule's own sentence.

    Where that takes more than a few rounds nothing is filled at all.
    """
    issues = list(filled.issues)
    for _ in range(_ROUNDS):
        broken = _broken(form, filled.response, codes, language, now, zone)
        places = {_steps(one.expression) for one in broken} - {()}
        if not places:
            return Filled(filled.response, tuple(issues))
        issues += (replace(one, severity="warning", expression=None) for one in broken)
        _leave_out(filled.response, places)
    filled.response.pop("item", None)
    issues.append(Issue("populate-nothing-fits", "processing", _NOTHING, severity="warning"))
    return Filled(filled.response, tuple(issues))


_NOTHING: Final = "What was found does not fit the rules of the form together: nothing is filled."


def _broken(
    form: Form,
    response: dict[str, Any],
    codes: Codes | None,
    language: str | None,
    now: datetime | None,
    zone: tzinfo | None,
) -> list[Issue]:
    try:
        read = decode(_encode(response), MOST_ITEM_LEVELS)
        found = validate(form, read, codes=codes, language=language, now=now, zone=zone)
    except NotUnderstood as refusal:
        return list(refusal.issues)
    return [
        one
        for one in found
        if one.verdict == "broken" and one.key in KEYS and KEYS[one.key].family in _FAMILIES
    ]


def _steps(expression: str | None) -> Steps:
    return tuple((name, int(number)) for name, number in _STEP.findall(expression or ""))


def _leave_out(response: dict[str, Any], places: set[Steps]) -> None:
    """Take these answers and items out, and what is empty without them; last ones first."""
    for steps in sorted(places, key=_order, reverse=True):
        holders = list(_holders(response, steps))
        for holder, (name, number) in reversed(list(zip(holders, steps, strict=False))):
            if (name, number) == steps[len(holders) - 1] and holder is holders[-1]:
                del holder[name][number]
            elif not _is_empty(holder[name][number]):
                break
            else:
                del holder[name][number]
            if not holder[name]:
                del holder[name]


def _order(steps: Steps) -> list[int]:
    return [number for _, number in steps]


def _holders(response: dict[str, Any], steps: Steps) -> Iterator[dict[str, Any]]:
    """What holds each step of a path, as far as the path leads."""
    inside = response
    for name, number in steps:
        listed = inside.get(name, [])
        if number >= len(listed):
            return
        yield inside
        inside = listed[number]


def _is_empty(element: dict[str, Any]) -> bool:
    return not element.keys() - {"linkId", "text", "definition", "extension"}
