"""Faults of structure and number: what stands where, and how often."""

from __future__ import annotations

from copy import deepcopy
from random import Random

from fhir_service.sdc import extensions as ext
from tests.support.mutations import Expected, Spot, mutation
from tests.support.random_forms import sources_of, walk
from tests.support.random_questions import Json, limit, some_answers


def is_question(spot: Spot) -> bool:
    return spot.asked["type"] not in ("group", "display")


def has_answers(entry: Json) -> bool:
    """Whether it, or anything below it, is answered."""
    inner = [
        *entry.get("item", []),
        *(i for a in entry.get("answer", []) for i in a.get("item", [])),
    ]
    return bool(entry.get("answer")) or any(map(has_answers, inner))


@mutation
def unknown_link_id(random: Random, spot: Spot) -> Expected | None:
    spot.siblings.append({"linkId": "not-in-the-form"})
    return "item-unknown", f"{spot.around}.item[{len(spot.siblings) - 1}]"


@mutation
def wrong_level(random: Random, spot: Spot) -> Expected | None:
    here = {one["linkId"] for one in spot.level}
    elsewhere = [o["linkId"] for o in walk(spot.form["item"]) if o["linkId"] not in here]
    elsewhere = sorted(set(elsewhere) - sources_of(spot.form))
    if not elsewhere:
        return None
    spot.siblings.append({"linkId": random.choice(elsewhere)})
    return "item-wrong-place", f"{spot.around}.item[{len(spot.siblings) - 1}]"


@mutation
def order_swapped(random: Random, spot: Spot) -> Expected | None:
    after = spot.number + 1
    if after == len(spot.siblings) or spot.siblings[after]["linkId"] == spot.entry["linkId"]:
        return None
    other = spot.siblings[after]["linkId"]
    touched = {
        one["linkId"] for one in spot.level if one["linkId"] in (other, spot.entry["linkId"])
    }
    below = {i["linkId"] for o in spot.level if o["linkId"] in touched for i in walk([o])}
    if below & sources_of(spot.form):
        return None
    spot.siblings[spot.number], spot.siblings[after] = spot.siblings[after], spot.entry
    return "item-order", f"{spot.around}.item[{after}]"


@mutation
def group_twice(random: Random, spot: Spot) -> Expected | None:
    if spot.asked["type"] != "group" or spot.asked.get("repeats"):
        return None
    spot.siblings.insert(spot.number + 1, deepcopy(spot.entry))
    return "item-twice", f"{spot.around}.item[{spot.number + 1}]"


@mutation
def question_twice(random: Random, spot: Spot) -> Expected | None:
    if not is_question(spot):
        return None
    spot.siblings.insert(spot.number + 1, deepcopy(spot.entry))
    return "question-twice", f"{spot.around}.item[{spot.number + 1}]"


@mutation
def items_beside_answers(random: Random, spot: Spot) -> Expected | None:
    if not (is_question(spot) and spot.answers and spot.asked.get("item")):
        return None
    spot.entry["item"] = [{"linkId": spot.asked["item"][0]["linkId"]}]
    return "items-beside-answers", spot.place


@mutation
def items_outside_answer(random: Random, spot: Spot) -> Expected | None:
    if not (is_question(spot) and spot.asked.get("item")) or spot.asked.get("required"):
        return None
    if spot.demanded:
        return None
    spot.entry.pop("answer", None)
    spot.entry["item"] = [{"linkId": spot.asked["item"][0]["linkId"]}]
    return "items-outside-answer", spot.place


@mutation
def answer_of_a_group(random: Random, spot: Spot) -> Expected | None:
    if spot.asked["type"] != "group":
        return None
    spot.entry["answer"] = [{"valueString": "this is no place for words"}]
    return "group-with-answer", spot.place


@mutation
def answer_of_a_display(random: Random, spot: Spot) -> Expected | None:
    if spot.asked["type"] != "display":
        return None
    spot.entry["answer"] = [{"valueString": "this is no place for words"}]
    return "display-with-content", spot.place


@mutation
def text_changed(random: Random, spot: Spot) -> Expected | None:
    spot.entry["text"] = "Other words than the form's"
    return "item-text", spot.place


@mutation
def definition_changed(random: Random, spot: Spot) -> Expected | None:
    spot.entry["definition"] = "http://example.org/StructureDefinition/other#other"
    return "item-definition", spot.place


@mutation
def modifier_on_an_item(random: Random, spot: Spot) -> Expected | None:
    spot.entry["modifierExtension"] = [{"url": "http://example.org/negated", "valueBoolean": True}]
    return "modifier-extension", spot.place


@mutation
def disabled_answered(random: Random, spot: Spot) -> Expected | None:
    """Where the spot stands, put in an answer to a question beside it that is not asked."""
    sources = sources_of(spot.form)
    order = [one["linkId"] for one in spot.level]
    present = {one["linkId"] for one in spot.siblings}
    absent = [
        one
        for one in spot.level
        if one["type"] not in ("group", "display", "boolean")
        and "item" not in one
        and one["linkId"] not in present | sources
        and one.get("enableWhen")
        and one.get("required")  # by construction it would be there if it were enabled
    ]
    if not absent:
        return None
    asked = random.choice(absent)
    number = sum(
        order.index(one) < order.index(asked["linkId"]) for one in map(_link_id, spot.siblings)
    )
    answers = some_answers(random, asked, limit(asked, ext.MIN_OCCURS) or 1)
    spot.siblings.insert(number, {"linkId": asked["linkId"], "answer": answers})
    return "answer-while-disabled", f"{spot.around}.item[{number}]"


def _link_id(entry: Json) -> str:
    return str(entry["linkId"])


@mutation
def required_left_out(random: Random, spot: Spot) -> Expected | None:
    others = [one for one in spot.siblings if one is not spot.entry]
    if not (is_question(spot) and spot.asked.get("required")) or spot.demanded:
        return None
    if not any(map(has_answers, others)):
        return None
    del spot.siblings[spot.number]
    return "required-missing", spot.around


@mutation
def required_left_blank(random: Random, spot: Spot) -> Expected | None:
    if not (is_question(spot) and spot.asked.get("required")) or spot.demanded:
        return None
    del spot.entry["answer"]
    return "required-missing", spot.place


@mutation
def required_group_left_out(random: Random, spot: Spot) -> Expected | None:
    others = [one for one in spot.siblings if one["linkId"] != spot.entry["linkId"]]
    if spot.asked["type"] != "group" or not spot.asked.get("required") or spot.demanded:
        return None
    if not any(map(has_answers, others)):
        return None
    spot.siblings[:] = others
    return "required-group-empty", spot.around


@mutation
def several_answers(random: Random, spot: Spot) -> Expected | None:
    if not is_question(spot) or spot.asked.get("repeats") or "item" in spot.asked:
        return None
    answers = some_answers(random, spot.asked, 2)
    if not spot.answers or len(answers) < 2:
        return None
    spot.entry["answer"] = answers
    return "several-answers", spot.place


@mutation
def too_many_answers(random: Random, spot: Spot) -> Expected | None:
    most = limit(spot.asked, ext.MAX_OCCURS)
    if not (is_question(spot) and spot.answers) or "item" in spot.asked or most is None:
        return None
    answers = some_answers(random, spot.asked, most + 1)
    if len(answers) <= most:
        return None
    spot.entry["answer"] = answers
    return "too-many", spot.place


@mutation
def too_few_answers(random: Random, spot: Spot) -> Expected | None:
    least = limit(spot.asked, ext.MIN_OCCURS)
    if not (is_question(spot) and spot.answers) or least is None or least < 2:
        return None
    del spot.answers[1:]
    return "too-few", spot.place


def _instances(spot: Spot) -> list[Json]:
    return [one for one in spot.siblings if one["linkId"] == spot.entry["linkId"]]


@mutation
def too_many_instances(random: Random, spot: Spot) -> Expected | None:
    most = limit(spot.asked, ext.MAX_OCCURS)
    if spot.asked["type"] != "group" or most is None:
        return None
    first = spot.siblings.index(_instances(spot)[0])
    more = [deepcopy(spot.entry) for _ in range(most + 1 - len(_instances(spot)))]
    spot.siblings[spot.number : spot.number] = more
    return "too-many", f"{spot.around}.item[{first}]"


@mutation
def too_few_instances(random: Random, spot: Spot) -> Expected | None:
    least = limit(spot.asked, ext.MIN_OCCURS)
    if spot.asked["type"] != "group" or least is None or least < 2:
        return None
    first = _instances(spot)[0]
    spot.siblings[:] = [o for o in spot.siblings if o["linkId"] != _link_id(first) or o is first]
    return "too-few", f"{spot.around}.item[{spot.siblings.index(first)}]"
