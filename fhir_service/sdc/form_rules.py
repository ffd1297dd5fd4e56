"""Rules of a form: what R4 forbids is an error, what only bars an offer a warning.

http://hl7.org/fhir/R4/questionnaire.html#invs
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fhir_service.fhir.issues import Issue, Severity
from fhir_service.fhir.reading import ITEM_LEVELS
from fhir_service.fhir.resources import check_resource
from fhir_service.sdc import extensions as ext
from fhir_service.sdc.item_reading import choice
from fhir_service.sdc.plans import KINDS_OF

_LONGEST_LINK_ID = 255


@dataclass(frozen=True, slots=True)
class Place:
    """One item of a Questionnaire, where it stands, and the linkIds around it."""

    raw: Mapping[str, Any]
    place: str
    around: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tree:
    """All items of a Questionnaire, in order; by linkId the first that has it."""

    items: tuple[Place, ...]
    by_link_id: Mapping[str, Place]


def check_questionnaire(questionnaire: Mapping[str, Any]) -> tuple[Issue, ...]:
    """Every finding on a Questionnaire as read_json gives it.

    An ``error`` bars it from being stored. A ``warning`` with the key ``blocks-offer`` bars it
    from being offered to patients. Where its structure is wrong, only that is told.
    """
    found = check_resource(questionnaire)
    if found:
        return found
    if questionnaire["resourceType"] != "Questionnaire":
        says = "The resource must be a Questionnaire."
        return (Issue("resource-type", "structure", says, expression="resourceType"),)
    deep = _too_deep(questionnaire)
    if deep is not None:
        return (deep,)
    places = tuple(_places(questionnaire, "Questionnaire", ()))
    known: dict[str, Place] = {}
    for one in places:
        known.setdefault(one.raw.get("linkId", ""), one)
    tree = Tree(places, known)
    return (
        *_form(questionnaire),
        *(issue for one in places for rule in RULES for issue in rule(one, tree)),
    )


def _too_deep(questionnaire: Mapping[str, Any]) -> Issue | None:
    level: list[Mapping[str, Any]] = [questionnaire]
    for _ in range(ITEM_LEVELS + 1):
        level = [inner for one in level for inner in one.get("item", ())]
    if not level:
        return None
    says = f"Items lie in each other deeper than {ITEM_LEVELS} levels."
    return Issue("items-too-deep", "too-costly", says, expression="Questionnaire.item")


def _places(raw: Mapping[str, Any], place: str, around: tuple[str, ...]) -> Iterator[Place]:
    for number, item in enumerate(raw.get("item", ())):
        here = Place(item, f"{place}.item[{number}]", around)
        yield here
        yield from _places(item, here.place, (*around, item.get("linkId", "")))


def _form(questionnaire: Mapping[str, Any]) -> Iterator[Issue]:
    """Q27: a form without address can not be named by a response."""
    if "url" not in questionnaire:
        says = "The form has no url; no response can name it, and it is not offered."
        yield Issue("blocks-offer", "business-rule", says, "warning", "Questionnaire")


def _tell(
    key: str, place: Place, says: str, element: str = "", severity: Severity = "error"
) -> Issue:
    link_id = place.raw.get("linkId", "")
    where = place.place + (f".{element}" if element else "")
    code = "invariant" if severity == "error" else "business-rule"
    return Issue(key, code, f"“{link_id}”: {says}", severity, where, link_id or None)


def link_id(place: Place, tree: Tree) -> Iterator[Issue]:
    """Q1, que-2: every item has a linkId of its own, of 255 characters at most."""
    name = place.raw.get("linkId")
    if name is None:
        yield _tell("form-link-id-missing", place, "the item has no linkId.")
    elif len(name) > _LONGEST_LINK_ID:
        yield _tell("form-link-id-long", place, "the linkId is too long.", "linkId")
    elif tree.by_link_id[name] is not place:
        yield _tell("form-link-id-twice", place, "another item has the same linkId.", "linkId")


def group_or_display(place: Place, _: Tree) -> Iterator[Issue]:
    """Q2, que-1, que-3, que-6, que-8, que-9: what groups and displays may have."""
    raw, type_ = place.raw, place.raw["type"]
    if type_ == "group" and not raw.get("item"):
        says = "a group without items has nothing to show."
        yield _tell("blocks-offer", place, says, severity="warning")
    if type_ == "display":
        for name in ("item", "code", "required", "repeats", "readOnly"):
            if name in raw:
                yield _tell("form-display", place, f"a display has no {name}.", name)
    if type_ in ("group", "display") and "initial" in raw:
        says = "groups and displays have no initial value."
        yield _tell("form-initial-type", place, says, "initial")


_OPTION_TYPES = frozenset(
    {"choice", "open-choice", "decimal", "integer", "date", "dateTime", "time", "string"}
)
_OPTION_KINDS: Mapping[str, frozenset[str]] = {
    "integer": frozenset({"integer"}),
    "date": frozenset({"date"}),
    "time": frozenset({"time"}),
    "string": frozenset({"string"}),
}


def options(place: Place, _: Tree) -> Iterator[Issue]:
    """Q3, Q17, Q19, que-4, que-5: where options may stand, and of which type they are."""
    raw, type_ = place.raw, place.raw["type"]
    given, value_set = raw.get("answerOption"), raw.get("answerValueSet")
    if given and value_set:
        says = "options and a value set exclude each other."
        yield _tell("form-options-and-value-set", place, says, "answerValueSet")
    if (given or value_set) and type_ not in _OPTION_TYPES:
        yield _tell("form-options-type", place, f"an item of type {type_} has no options.")
    expected = _OPTION_KINDS.get(type_)
    for number, option in enumerate(given or ()):
        found = choice(option, "value")
        if found is None:
            yield _tell(
                "form-option-value", place, "the option has no value.", f"answerOption[{number}]"
            )
        elif expected is not None and found[0] not in expected:
            says = f"the option must be of type {type_}."
            yield _tell("form-option-kind", place, says, f"answerOption[{number}].value")
    sources = (ext.ANSWER_EXPRESSION, ext.CANDIDATE_EXPRESSION)
    has_source = given or value_set or any(url in _extensions(raw) for url in sources)
    if type_ == "choice" and not has_source:
        says = "nothing can be chosen here: no options, value set or expression."
        yield _tell("blocks-offer", place, says, severity="warning")


def _extensions(raw: Mapping[str, Any]) -> ext.Extensions:
    return ext.by_url(raw.get("extension"))


def option_once(place: Place, _: Tree) -> Iterator[Issue]:
    """Q17: no option twice."""
    seen = []
    for number, option in enumerate(place.raw.get("answerOption", ())):
        found = choice(option, "value")
        value = found[1] if found else None
        key = (value.get("system"), value.get("code")) if isinstance(value, Mapping) else value
        if key in seen and key != (None, None):
            where = f"answerOption[{number}]"
            says = "the same option stands here twice."
            yield _tell("blocks-offer", place, says, where, "warning")
        seen.append(key)


def conditions(place: Place, tree: Tree) -> Iterator[Issue]:
    """Q5, Q8, Q9, Q12, que-7, que-12: conditions name another question, and fit their operator."""
    raw = place.raw
    given = raw.get("enableWhen", ())
    if len(given) > 1 and "enableBehavior" not in raw:
        says = "several conditions need enableBehavior, all or any."
        yield _tell("form-enable-behavior", place, says)
    for number, when in enumerate(given):
        where = f"enableWhen[{number}]"
        yield from _condition(place, when, where, tree)
    if given and ext.ENABLE_WHEN_EXPRESSION in _extensions(raw):
        says = "enableWhen and enableWhenExpression exclude each other."
        yield _tell("form-enable-twice", place, says)


def _condition(place: Place, when: Mapping[str, Any], where: str, tree: Tree) -> Iterator[Issue]:
    question, answer = when.get("question"), choice(when, "answer")
    source = tree.by_link_id.get(question or "")
    if question is None or source is None:
        yield _tell("form-condition-unknown", place, "the condition names no item.", where)
    elif question == place.raw.get("linkId"):
        yield _tell("form-condition-self", place, "the condition names its own item.", where)
    elif source.raw["type"] in ("group", "display"):
        says = f"“{question}” can not be answered, so nothing can hang on it."
        yield _tell("blocks-offer", place, says, where, "warning")
    elif place.raw.get("linkId") in source.around:
        says = f"“{question}” lies inside the item that it should show."
        yield _tell("blocks-offer", place, says, where, "warning")
    if answer is None:
        yield _tell("form-condition-value", place, "the condition has no answer.", where)
    elif when.get("operator") == "exists" and answer[0] != "boolean":
        yield _tell("form-condition-exists", place, "exists asks for a boolean.", where)


_LENGTH_TYPES = frozenset(
    {"boolean", "decimal", "integer", "string", "text", "url", "open-choice"}
)


def max_length(place: Place, _: Tree) -> Iterator[Issue]:
    """Q6, que-10: maxLength only on simple types."""
    if "maxLength" in place.raw and place.raw["type"] not in _LENGTH_TYPES:
        says = f"an item of type {place.raw['type']} has no maxLength."
        yield _tell("form-max-length-type", place, says, "maxLength")


def initial(place: Place, _: Tree) -> Iterator[Issue]:
    """Q7, Q12, que-11, que-13: initial values stand where no options do, and fit the type."""
    raw = place.raw
    given = raw.get("initial", ())
    if given and raw.get("answerOption"):
        says = "with options, the initial one is marked by initialSelected."
        yield _tell("form-initial-options", place, says, "initial")
    if len(given) > 1 and not raw.get("repeats"):
        says = "several initial values need repeats."
        yield _tell("form-initial-several", place, says, "initial")
    if given and ext.INITIAL_EXPRESSION in _extensions(raw):
        says = "initial and initialExpression exclude each other."
        yield _tell("form-initial-twice", place, says, "initial")
    kinds = KINDS_OF[raw["type"]]
    for number, one in enumerate(given):
        found = choice(one, "value")
        if found is None or (kinds and found[0] not in kinds):
            says = f"the initial value must be of type {' or '.join(kinds)}."
            yield _tell("form-initial-kind", place, says, f"initial[{number}]")


def counts(place: Place, _: Tree) -> Iterator[Issue]:
    """Q15: the least is not over the most; several need repeats."""
    found = _extensions(place.raw)
    least, most = ext.value(found, ext.MIN_OCCURS), ext.value(found, ext.MAX_OCCURS)
    if isinstance(least, int) and isinstance(most, int) and least > most:
        says = "minOccurs is over maxOccurs; nobody can answer this."
        yield _tell("blocks-offer", place, says, severity="warning")
    for name, value in (("minOccurs", least), ("maxOccurs", most)):
        if isinstance(value, int) and value > 1 and not place.raw.get("repeats"):
            says = f"{name} over 1 needs repeats."
            yield _tell("blocks-offer", place, says, severity="warning")


def abstract(place: Place, _: Tree) -> Iterator[Issue]:
    """Q11: the type question is abstract."""
    if place.raw["type"] == "question":
        says = "the type question can not be answered."
        yield _tell("blocks-offer", place, says, "type", "warning")


RULES: Final[tuple[Callable[[Place, Tree], Iterator[Issue]], ...]] = (
    link_id,
    group_or_display,
    abstract,
    options,
    option_once,
    conditions,
    max_length,
    initial,
    counts,
)
