"""Rules of value sets: the answer is one of their codes, in force, in use and to be chosen.

http://hl7.org/fhir/R4/questionnaire-definitions.html#Questionnaire.item.answerValueSet
"""

from __future__ import annotations

from typing import Any

from fhir_service.fhir.code_checks import same_display
from fhir_service.sdc import extensions as ext
from fhir_service.sdc.comparing import order
from fhir_service.sdc.measuring import part
from fhir_service.sdc.plans import Plan
from fhir_service.sdc.validation.context import About, Answered, Check, Place


def plain(value: Any) -> dict[str, Any]:
    """A decoded Coding as a dictionary."""
    parts = {name: part(value, name) for name in ("system", "version", "code", "display")}
    return {name: one for name, one in parts.items() if one is not None}


def in_value_set(check: Check, answered: Answered, place: Place) -> None:
    """G9, G10, G11, G14: the code is in the value set; where that is not known, this is told."""
    value_set = answered.plan.item.answer_value_set
    if value_set is None or answered.kind != "Coding":
        return
    coding, within = plain(answered.value), check.form.questionnaire
    known = None if check.codes is None else check.codes.has(value_set, coding, within)
    if known is None:
        known = _elsewhere(check, answered.plan, coding, place)
        if known is None:
            return
    about = None if check.codes is None else check.codes.about(value_set, coding, within)
    if about is not None and about.abstract:
        check.tell("code-abstract", place, answered.plan)
    elif not known:
        if answered.plan.constraint != "optionsOrType":
            check.tell("value-set-not-member", place, answered.plan)
        return
    if about is not None:
        _said(check, answered, about, place)


def _elsewhere(check: Check, plan: Plan, coding: dict[str, Any], place: Place) -> bool | None:
    """What the clinic's terminology server says; where there is no answer, this is told.

    It is not asked for a value set that an expression names: it may be made of answers.
    """
    value_set = plan.item.answer_value_set or ""
    computed = plan.expressions.computed if plan.expressions else ()
    literal = all(one.name != "answerValueSet" for one in computed)
    told = check.codes.elsewhere(value_set, coding) if check.codes and literal else "not-asked"
    if told == "silent":
        check.tell("terminology-server-silent", place, plan, value_set=value_set)
    elif told == "not-asked":
        _unknown(check, plan, value_set, place)
    return {"member": True, "not-member": False}.get(told)


def text_in_value_set(check: Check, answered: Answered, place: Place) -> None:
    """G13: a text of a question with a value set is one of its codes.

    https://hl7.org/fhir/R5/questionnaire-definitions.html#Questionnaire.item.answerValueSet
    """
    plan = answered.plan
    value_set = plan.item.answer_value_set
    if value_set is None or answered.kind != "string" or plan.item.type not in ("string", "text"):
        return
    if plan.constraint in ("optionsOrString", "optionsOrType"):
        return
    within = check.form.questionnaire
    known = None if check.codes is None else check.codes.lists(value_set, answered.value, within)
    if known is None:
        _unknown(check, plan, value_set, place)
    elif not known:
        check.tell("text-not-in-value-set", place, plan)


def _unknown(check: Check, plan: Plan, value_set: str, place: Place) -> None:
    """G11, G17: what is not known here; a terminology server that the form names is not asked."""
    check.tell("value-set-unknown", place, plan, value_set=value_set)
    for one in reversed((*plan.ancestors, plan)):
        for url in ext.TERMINOLOGY_SERVERS:
            server = ext.value(one.item.extensions, url)
            if isinstance(server, str):
                check.tell("terminology-server-not-asked", place, plan, server=server)
                return


def _said(check: Check, answered: Answered, about: About, place: Place) -> None:
    """G10, G12, G14: what is said of a code that is in the value set."""
    plan = answered.plan
    if about.inactive:
        check.tell("code-inactive", place, plan)
    display = part(answered.value, "display")
    known = about.displays
    if display is not None and known and not any(same_display(display, one) for one in known):
        check.tell("display-wrong", place, plan, option=known[0])
    version = part(answered.value, "version")
    if about.version is not None and version is not None and version != about.version:
        check.tell("coding-version-differs", place, plan, version=about.version)
    if not _in_force(about, check.response.authored):
        check.tell("value-set-not-current", place, plan)


def _in_force(about: About, authored: str | None) -> bool:
    """Whether the value set was in force at that time, as far as it says.

    http://hl7.org/fhir/R4/extension-resource-effectiveperiod.html,
    http://hl7.org/fhir/R4/extension-valueset-expirationdate.html
    """
    if authored is None:
        return True
    extensions = ext.by_url(about.value_set.get("extension"))
    period = ext.value(extensions, ext.EFFECTIVE_PERIOD) or {}
    ends = (period.get("end"), ext.value(extensions, ext.EXPIRATION_DATE))
    start = period.get("start")
    if start is not None and order("dateTime", authored, "dateTime", start) == -1:
        return False
    return not any(
        end is not None and order("dateTime", authored, "dateTime", end) == 1 for end in ends
    )
