"""Rules of type: what kind of value answers what kind of question.

http://hl7.org/fhir/R4/valueset-item-type.html
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from fhir_service.fhir.primitives import UUID
from fhir_service.sdc.measuring import part
from fhir_service.sdc.validation.context import Answered, Check, Place
from fhir_service.sdc.validation.wording import OneOf

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]+:.+")
_UUID = re.compile(UUID)


def type_fits(check: Check, answered: Answered, place: Place) -> None:
    """E1, E2: the value is of the question's type, or of a type that one of its options has."""
    kinds = answered.plan.kinds
    if kinds and answered.kind not in kinds:
        check.tell(
            "answer-type",
            place,
            answered.plan,
            types=_one_of(frozenset(kinds)),
            given=_one_of(frozenset((answered.kind,))),
        )


@lru_cache(256)
def _one_of(kinds: frozenset[str]) -> OneOf:
    return OneOf(tuple(sorted(kinds)))


def one_line(check: Check, answered: Answered, place: Place) -> None:
    """E3: no line breaks in a string; text may have them."""
    if answered.plan.item.type != "string" or answered.kind != "string":
        return
    if "\n" in answered.value or "\r" in answered.value:
        check.tell("string-line-break", place, answered.plan)


def is_absolute(url: str) -> bool:
    """Whether an address stands for itself: with its scheme, and no path of a file."""
    lower = url.lower()
    bad = _SCHEME.fullmatch(url) is None or lower.startswith("file:")
    return not (bad or (lower.startswith("urn:uuid:") and _UUID.match(url) is None))


def url_is_absolute(check: Check, answered: Answered, place: Place) -> None:
    """E4: an absolute address; a urn:uuid in lower case; no path of a file."""
    if answered.kind != "uri":
        return
    if not is_absolute(answered.value):
        check.tell("url-malformed", place, answered.plan)


def quantity_has_value(check: Check, answered: Answered, place: Place) -> None:
    """F22: a quantity has its number."""
    if answered.kind == "Quantity" and part(answered.value, "value") is None:
        check.tell("quantity-without-value", place, answered.plan)


RULES: Final[tuple[Callable[[Check, Answered, Place], None], ...]] = (
    type_fits,
    one_line,
    url_is_absolute,
    quantity_has_value,
)
