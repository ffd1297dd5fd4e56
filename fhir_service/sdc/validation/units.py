"""Rules of units: which unit a quantity may be answered in.

http://hl7.org/fhir/R4/extension-questionnaire-unitoption.html,
http://hl7.org/fhir/R4/extension-questionnaire-unitvalueset.html,
https://hl7.org/fhir/uv/sdc/STU4/StructureDefinition-sdc-questionnaire-unitOpen.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from fhir_service.sdc import extensions as ext
from fhir_service.sdc.measuring import part
from fhir_service.sdc.validation.context import Answered, Check, Place

_TYPED, _WORDS = "optionsOrType", "optionsOrString"


def unit_allowed(check: Check, answered: Answered, place: Place) -> None:
    """F18, F19, F20: the unit is in the list, or of the kind that an open list takes besides."""
    extensions = answered.plan.item.extensions
    options = ext.values(extensions, ext.UNIT_OPTION)
    value_set = ext.value(extensions, ext.UNIT_VALUE_SET)
    if answered.kind != "Quantity" or not (options or value_set):
        return
    if _is_option(answered, options):
        return
    opened = ext.value(extensions, ext.UNIT_OPEN)
    coded = part(answered.value, "code") is not None
    if opened == _WORDS and not coded and part(answered.value, "unit") is not None:
        return
    if not coded and (opened == _TYPED or not options):
        check.tell("unit-without-code", place, answered.plan)
        return
    known = _in_value_set(check, answered, value_set)
    silent = False
    if known is None and value_set:
        known, silent = _elsewhere(check, answered, value_set)
    if known:
        return
    if opened == _TYPED:
        _of_system(check, answered, place)
    elif value_set and known is None:
        key = "unit-terminology-server-silent" if silent else "unit-value-set-unknown"
        check.tell(key, place, answered.plan, value_set=value_set)
    elif value_set:
        check.tell("unit-not-in-value-set", place, answered.plan)
    else:
        check.tell("unit-not-offered", place, answered.plan, units=_names(options))


def _is_option(answered: Answered, options: tuple[Any, ...]) -> bool:
    given = part(answered.value, "system"), part(answered.value, "code")
    return given[1] is not None and given in [
        (coding.get("system"), coding.get("code"))
        for coding in options
        if isinstance(coding, Mapping)
    ]


def _in_value_set(check: Check, answered: Answered, value_set: Any) -> bool | None:
    """Whether the unit is in the value set; None when it is not known, or there is none."""
    if not isinstance(value_set, str) or check.codes is None:
        return None
    coding = {name: part(answered.value, name) for name in ("system", "code")}
    if coding["code"] is None:
        return False
    return check.codes.has(value_set, coding, check.form.questionnaire)


def _elsewhere(check: Check, answered: Answered, value_set: Any) -> tuple[bool | None, bool]:
    """What the clinic's terminology server says, and whether it was asked and said nothing."""
    if not isinstance(value_set, str) or check.codes is None:
        return None, False
    coding = {name: part(answered.value, name) for name in ("system", "code")}
    told = check.codes.elsewhere(value_set, coding)
    return {"member": True, "not-member": False}.get(told), told == "silent"


def _of_system(check: Check, answered: Answered, place: Place) -> None:
    """F20: a unit beside the list is of the code system that the form names for these."""
    system = ext.value(answered.plan.item.extensions, ext.UNIT_SUPPLEMENTAL_SYSTEM)
    if not isinstance(system, str):
        return
    asked = system.partition("|")[0]
    if part(answered.value, "system") != asked:
        check.tell("unit-other-system", place, answered.plan, system=asked)


def _names(options: tuple[Any, ...]) -> str:
    codings = [coding for coding in options if isinstance(coding, Mapping)]
    return ", ".join(str(coding.get("display", coding.get("code"))) for coding in codings)


def unit_fixed(check: Check, answered: Answered, place: Place) -> None:
    """F21: a quantity is in the one unit of its question, where there is no list to choose from.

    http://hl7.org/fhir/R4/extension-questionnaire-unit.html
    """
    extensions = answered.plan.item.extensions
    asked = ext.value(extensions, ext.UNIT)
    if answered.kind != "Quantity" or not isinstance(asked, Mapping):
        return
    if ext.UNIT_OPTION in extensions or ext.UNIT_VALUE_SET in extensions:
        return  # there the fixed unit is only the first to be offered
    names = ("system", "code") if "code" in asked else ("unit",)
    given = tuple(part(answered.value, name) for name in names)
    wanted = (asked.get("system"), asked.get("code")) if "code" in asked else (_name(asked),)
    if given != wanted:
        check.tell("unit-fixed", place, answered.plan, unit=_name(asked))


def _name(coding: Mapping[str, Any]) -> str:
    return str(coding.get("display", coding.get("code", "")))


RULES: Final[tuple[Callable[[Check, Answered, Place], None], ...]] = (unit_allowed, unit_fixed)
