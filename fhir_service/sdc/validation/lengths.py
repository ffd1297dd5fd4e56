"""Rules of how an answer is written: least length, pattern.

http://hl7.org/fhir/R4/extension-minlength.html, http://hl7.org/fhir/R4/extension-regex.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from msgspec import Raw

from fhir_service.sdc import extensions as ext
from fhir_service.sdc.patterns import matcher
from fhir_service.sdc.validation.context import Answered, Check, Place

_DATES: Final = frozenset({"date", "dateTime"})


def min_length(check: Check, answered: Answered, place: Place) -> None:
    """F2: minLength, in characters; of a date it asks for the month, or for the day."""
    least = ext.value(answered.plan.item.extensions, ext.MIN_LENGTH)
    if not isinstance(least, int) or isinstance(least, bool) or answered.kind == "time":
        return
    if not isinstance(answered.value, str) or len(answered.value) >= least:
        return
    if answered.kind in _DATES:
        check.tell("date-too-rough", place, answered.plan)
        return
    count = len(answered.value)
    check.tell("answer-too-short", place, answered.plan, limit=least, count=count)


def pattern(check: Check, answered: Answered, place: Place) -> None:
    """F3: the whole value is written as regex asks; what can not be decided is told.

    http://hl7.org/fhir/R4/extension-entryformat.html says how it should look.
    """
    extensions, plan = answered.plan.item.extensions, answered.plan
    written = _written(answered.value)
    if written is None:
        return
    for asked in ext.values(extensions, ext.REGEX):
        matches = matcher(str(asked))
        told = None if matches is None else matches(written)
        if told is None:
            check.tell("pattern-unknown", place, plan)
        elif not told:
            shape = ext.value(extensions, ext.ENTRY_FORMAT)
            if isinstance(shape, str):
                check.tell("answer-not-in-format", place, plan, format=shape)
            else:
                check.tell("answer-malformed", place, plan)


def _written(value: Any) -> str | None:
    """A value of a simple type as it stands in the response; None for the others."""
    if isinstance(value, Raw):
        return bytes(value).decode("ascii")
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


RULES: Final[tuple[Callable[[Check, Answered, Place], None], ...]] = (min_length, pattern)
