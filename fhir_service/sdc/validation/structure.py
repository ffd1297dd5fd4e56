"""Rules of structure: what stands where.

http://hl7.org/fhir/R4/questionnaireresponse.html#invs
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from fhir_service.sdc.plans import Plan
from fhir_service.sdc.validation.context import Check, Met, Place
from fhir_service.sdc.validation.wording import Inside


def unknown_item(check: Check, link_id: str, place: Place) -> None:
    """B2, B3: every linkId is in the form, and at this level."""
    elsewhere = check.form.by_link_id.get(link_id)
    if elsewhere is None:
        check.tell("item-unknown", place)
        return
    parent = elsewhere.parent
    around = None if parent is None else check.form.by_link_id[parent]
    where = Inside(None if around is None else around.text(check.language) or parent)
    check.tell("item-wrong-place", place, check.form.plans[link_id], where=where)


def order(check: Check, plan: Plan, last: int, place: Place) -> None:
    """B4, B5, B6: siblings stand in the order of the form, and once unless a group repeats."""
    if plan.index < last:
        check.tell("item-order", place, plan)
    elif plan.index == last and not plan.is_group:
        check.tell("question-twice", place, plan)
    elif plan.index == last and not plan.item.repeats:
        check.tell("item-twice", place, plan)


def items_under_a_question(check: Check, met: Met, place: Place) -> None:
    """B7, B8: the items of a question stand under its answer."""
    if met.plan.is_group or met.plan.item.type == "display" or not met.item.items:
        return
    key = "items-beside-answers" if met.item.answers else "items-outside-answer"
    check.tell(key, place, met.plan)


def group_without_answers(check: Check, met: Met, place: Place) -> None:
    """B9: a group has no answers."""
    if met.plan.is_group and met.item.answers:
        check.tell("group-with-answer", place, met.plan)


def display_without_content(check: Check, met: Met, place: Place) -> None:
    """B10: a display has neither answers nor items."""
    if met.plan.item.type == "display" and (met.item.answers or met.item.items):
        check.tell("display-with-content", place, met.plan)


def question_not_abstract(check: Check, met: Met, place: Place) -> None:
    """B11: the abstract type question has no answers."""
    if met.plan.item.type == "question" and met.item.answers:
        check.tell("question-abstract", place, met.plan)


def text(check: Check, met: Met, place: Place) -> None:
    """B12: the text, where there, is the form's in one of its languages, unless it is computed."""
    given = met.item.text
    if given and given not in met.plan.words and not met.plan.computed_text:
        check.tell("item-text", place, met.plan)


def definition(check: Check, met: Met, place: Place) -> None:
    """B13: the definition, where there, is the form's."""
    if met.item.definition and met.item.definition != met.plan.item.definition:
        check.tell("item-definition", place, met.plan)


def modifier_extensions(check: Check, met: Met, place: Place) -> None:
    """A16: no modifier extension on items or answers is understood here."""
    answers = met.item.answers or ()
    if met.item.modifier_extension or any(answer.modifier_extension for answer in answers):
        check.tell("modifier-extension", place, met.plan)


RULES: Final[tuple[Callable[[Check, Met, Place], None], ...]] = (
    modifier_extensions,
    text,
    definition,
    group_without_answers,
    display_without_content,
    question_not_abstract,
    items_under_a_question,
)
