"""Rules of number: required, repeats, minOccurs, maxOccurs.

http://hl7.org/fhir/R4/questionnaire-definitions.html#Questionnaire.item.required
"""

from __future__ import annotations

from collections.abc import Sequence

from fhir_service.sdc.plans import Plan
from fhir_service.sdc.response_model import ResponseItem, value_of
from fhir_service.sdc.validation.context import Check, Place


def is_answered(item: ResponseItem) -> bool:
    """Whether it, or an item below it, has an answer with a value."""
    for answer in item.answers or ():
        if value_of(answer) is not None or any(map(is_answered, answer.items or ())):
            return True
    return any(map(is_answered, item.items or ()))


def answers_of(check: Check, plan: Plan, count: int, place: Place) -> None:
    """D1, D4, D5, D6: how many answers a question has."""
    item = plan.item
    if count == 0 and item.required:
        check.tell("required-missing", place, plan)
    else:
        _least_and_most(check, plan, count, place)
    if count > 1 and not item.repeats:
        check.tell("several-answers", place, plan)


def instances_of(
    check: Check, plan: Plan, instances: Sequence[ResponseItem], place: Place
) -> None:
    """D2, D7: something is answered in a required group; how often a group repeats."""
    if plan.item.required and not any(map(is_answered, instances)):
        check.tell("required-group-empty", place, plan)
    else:
        _least_and_most(check, plan, len(instances), place)


def _least_and_most(check: Check, plan: Plan, count: int, place: Place) -> None:
    least, most = plan.item.min_occurs, plan.item.max_occurs
    if least is not None and count < least:
        check.tell("too-few", place, plan, limit=least, count=count)
    if most is not None and count > most:
        check.tell("too-many", place, plan, limit=most, count=count)
