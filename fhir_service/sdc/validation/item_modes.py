"""Rules of an item as a whole: what is only displayed, what is fixed, what is signed.

http://hl7.org/fhir/R4/extension-questionnaire-usagemode.html,
http://hl7.org/fhir/R4/questionnaire-definitions.html#Questionnaire.item.readOnly
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from fhir_service.sdc import extensions as ext
from fhir_service.sdc.comparing import UnitsDiffer, equal
from fhir_service.sdc.items import ValueKind
from fhir_service.sdc.modes import (
    has_fixed_value,
    initials,
    is_filled_by_form,
    wants_signature,
)
from fhir_service.sdc.response_model import decimal_of, value_of
from fhir_service.sdc.validation.context import Check, Met, Place
from fhir_service.sdc.validation.occurrence import is_answered
from fhir_service.sdc.validation.parties import has_signature

_COMPARED: Final = frozenset({"Coding", "Quantity", "Reference"})


def not_asked(check: Check, met: Met, place: Place) -> None:
    """C17: what is shown only to readers is answered by the form itself, or not at all."""
    if not met.plan.display_only or is_filled_by_form(met.plan.item):
        return
    if any(value_of(answer) is not None for answer in met.item.answers or ()):
        check.tell("answer-to-display-only", place, met.plan)


def fixed_value_kept(check: Check, met: Met, place: Place) -> None:
    """H9: a fixed value that can not be edited is sent as the form has it, or not at all."""
    if not has_fixed_value(met.plan.item):
        return
    fixed = initials(met.plan.item)
    given = [one for answer in met.item.answers or () if (one := value_of(answer)) is not None]
    if not given:
        return
    changed = len(given) != len(fixed) or not all(
        any(_same(kind, value, one) for one in fixed) for kind, value in given
    )
    if changed:
        check.tell("fixed-value-changed", place, met.plan)


def _same(kind: ValueKind, given: Any, asked: Any) -> bool:
    if isinstance(asked, Mapping):
        if kind not in _COMPARED:
            return bool(given == asked)
        try:
            return equal(kind, given, kind, asked) is True
        except UnitsDiffer:
            return False
    if kind in ("integer", "decimal"):
        return not isinstance(asked, str) and decimal_of(given) == decimal_of(asked)
    return bool(given == asked)


def signed(check: Check, met: Met, place: Place) -> None:
    """A14: an answered item that asks for a signature has one."""
    item = met.plan.item
    if not met.shown or not wants_signature(item) or not is_answered(met.item):
        return
    if not has_signature(met.item.extension or (), item.extensions[ext.SIGNATURE_REQUIRED]):
        check.tell("signature-missing", place, met.plan)


RULES: Final[tuple[Callable[[Check, Met, Place], None], ...]] = (
    not_asked,
    fixed_value_kept,
    signed,
)
