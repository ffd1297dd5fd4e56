"""Rules of enableWhen: conditions name a question, fit its type, and can be met.

http://hl7.org/fhir/R4/questionnaire-definitions.html#Questionnaire.item.enableWhen
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from fhir_service.fhir.issues import Issue
from fhir_service.sdc import extensions as ext
from fhir_service.sdc.comparing import UnitsDiffer, equal, order
from fhir_service.sdc.form_rules.tree import Json, Place, Tree
from fhir_service.sdc.item_reading import choice
from fhir_service.sdc.plans import KINDS_OF

_UNORDERED = frozenset({"boolean", "Coding", "Attachment", "Reference"})
_ORDERS = frozenset({">", "<", ">=", "<="})
_MET: Mapping[str, tuple[int, ...]] = {">": (1,), "<": (-1,), ">=": (0, 1), "<=": (-1, 0)}


def together(place: Place, _: Tree) -> Iterator[Issue]:
    """Q8, Q12, que-12: several conditions say how they combine; no expression besides."""
    given = place.raw.get("enableWhen", ())
    if len(given) > 1 and "enableBehavior" not in place.raw:
        says = "several conditions need enableBehavior, all or any."
        yield place.tell("form-enable-behavior", says)
    if given and place.has(ext.ENABLE_WHEN_EXPRESSION):
        says = "enableWhen and enableWhenExpression exclude each other."
        yield place.tell("form-enable-twice", says)


def conditions(place: Place, tree: Tree) -> Iterator[Issue]:
    """Q5, Q9, Q10, Q11, que-7: each condition by itself."""
    for number, when in enumerate(place.raw.get("enableWhen", ())):
        where = f"enableWhen[{number}]"
        found = list(_source(place, when, where, tree))
        yield from found
        yield from _answer(place, when, where)
        source = tree.by_link_id.get(when.get("question", ""))
        if not found and source is not None:
            yield from _fits(place, when, where, source)


def _source(place: Place, when: Json, where: str, tree: Tree) -> Iterator[Issue]:
    """Q9, Q10: the condition names a question to be answered, outside the item, before it."""
    question = when.get("question")
    source = tree.by_link_id.get(question or "")
    if question is None or source is None:
        yield place.tell("form-condition-unknown", "the condition names no item.", where)
    elif question == place.link_id:
        yield place.tell("form-condition-self", "the condition names its own item.", where)
    elif source.type in ("group", "display"):
        says = f"“{question}” can not be answered, so nothing can hang on it."
        yield place.tell("form-condition-unanswerable", says, where)
    elif any(one is place for one in source.around()):
        says = f"“{question}” lies inside the item that it should show."
        yield place.tell("form-condition-inside", says, where)
    elif source.number > place.number:
        says = f"“{question}” comes later; what is shown changes behind the patient's back."
        yield place.tell("form-condition-later", says, where)


def _answer(place: Place, when: Json, where: str) -> Iterator[Issue]:
    """Q5, que-7: exists is compared with a boolean."""
    answer = choice(when, "answer")
    if when.get("operator") == "exists" and (answer is None or answer[0] != "boolean"):
        yield place.tell("form-condition-exists", "exists asks for a boolean.", where)


def _fits(place: Place, when: Json, where: str, source: Place) -> Iterator[Issue]:
    """Q11: operator and answer fit the type of the question, and its options."""
    answer, operator = choice(when, "answer"), when.get("operator")
    if answer is None or operator == "exists" or source.type == "question":
        return
    kind, value = answer
    kinds = source.offers()[0].union(KINDS_OF[source.type])
    if operator in _ORDERS and kinds <= _UNORDERED:
        says = f"{operator} has no meaning for a question of type {source.type}."
        yield place.tell("form-condition-operator", says, where)
    elif kind not in kinds and not (kind == "integer" and "decimal" in kinds):
        says = f"“{source.link_id}” is never answered with the type {kind}."
        yield place.tell("form-condition-kind", says, where)
    elif not _offered(source, kind, value):
        says = f"the code is not one of the options of “{source.link_id}”."
        yield place.tell("form-condition-option", says, where)


def _offered(source: Place, kind: str, value: Any) -> bool:
    """Whether a coded answer can be given; what can not be decided counts as given."""
    if kind != "Coding" or not source.raw.get("answerOption"):
        return True
    code = value.get("code")
    asked = (value["system"], code) if "system" in value else code
    return asked in source.offers()[1]


def can_be_met(place: Place, tree: Tree) -> Iterator[Issue]:
    """Q14: conditions that must all be met do not contradict each other."""
    given = place.raw.get("enableWhen", ())
    if len(given) < 2 or place.raw.get("enableBehavior") != "all":  # noqa: PLR2004  a pair
        return
    by_question: dict[str, list[Json]] = defaultdict(list)
    for when in given:
        by_question[when.get("question", "")].append(when)
    for question, asked in by_question.items():
        source = tree.by_link_id.get(question)
        if source is not None and not source.raw.get("repeats") and _contradict(asked):
            says = f"the conditions on “{question}” are never met together."
            yield place.tell("form-never-enabled", says, "enableWhen")


def _contradict(asked: list[Json]) -> bool:
    """Whether no single answer meets all of these conditions."""
    exists = {when.get("answerBoolean") for when in asked if when.get("operator") == "exists"}
    wanting = [when for when in asked if when.get("operator") in (*_ORDERS, "=")]
    if exists >= {True, False} or (False in exists and wanting):
        return True
    equals = [when for when in wanting if when["operator"] == "="]
    return bool(equals) and any(not _agrees(equals[0], other) for other in wanting)


def _agrees(equal_: Json, other: Json) -> bool:
    """Whether the answer that the first asks for meets the other; True where it is not clear."""
    one, two = choice(equal_, "answer"), choice(other, "answer")
    if one is None or two is None:
        return True
    try:
        if other["operator"] == "=":
            return equal(*one, *two) is not False
        sign = order(*one, *two)
    except UnitsDiffer:
        return True
    return sign is None or sign in _MET[other["operator"]]


def unanswered(place: Place, tree: Tree) -> Iterator[Issue]:
    """Q11: no condition hangs on how a player reads ``!=`` of a question without answer.

    The standard says that it is met; several players say that it is not.
    https://hl7.org/fhir/R5/valueset-questionnaire-enable-operator.html
    """
    given = place.raw.get("enableWhen", ())
    sure = {
        when.get("question")
        for when in given
        if when.get("operator") == "exists" and place.raw.get("enableBehavior") == "all"
    }
    for number, when in enumerate(given):
        source = tree.by_link_id.get(when.get("question", ""))
        if when.get("operator") != "!=" or source is None or source.link_id in sure:
            continue
        if not _always_answered(source):
            says = f"players differ on != while “{source.link_id}” is not answered."
            yield place.tell("form-condition-unanswered", says, f"enableWhen[{number}]")


def _always_answered(source: Place) -> bool:
    line = (source, *source.around())
    conditional = any("enableWhen" in one.raw for one in line)
    return bool(source.raw.get("required")) and not conditional


_VALUES = (
    ext.INITIAL_EXPRESSION,
    ext.CALCULATED_EXPRESSION,
    ext.SDC + "observationLinkPeriod",
    ext.SDC + "itemPopulationContext",
)


def can_be_answered(place: Place, _: Tree) -> Iterator[Issue]:
    """Q14: a required question that nobody can answer has a value from elsewhere."""
    raw = place.raw
    if not raw.get("required") or place.type == "group":
        return
    closed = raw.get("readOnly") or any(
        one.value(ext.HIDDEN) is True for one in (place, *place.around())
    )
    selected = any(one.get("initialSelected") for one in raw.get("answerOption", ()))
    if closed and not (raw.get("initial") or selected or place.has(*_VALUES)):
        says = "it is required, hidden or read-only, and nothing gives it a value."
        yield place.tell("form-required-unanswerable", says)


RULES: Final[tuple[Callable[[Place, Tree], Iterator[Issue]], ...]] = (
    together,
    conditions,
    unanswered,
    can_be_met,
    can_be_answered,
)
