"""Faults that make a response no sound FHIR JSON, whatever the form: it is not read at all."""

from __future__ import annotations

from random import Random

from tests.support.mutations import Expected, Mutation, Spot

UNSOUND: dict[str, Mutation] = {}
"""Every kind of fault that is told before the form is asked."""


def unsound(function: Mutation) -> Mutation:
    """Add a kind of fault to the list."""
    UNSOUND[function.__name__] = function
    return function


def _answered(spot: Spot, name: str) -> int | None:
    return next((number for number, one in enumerate(spot.answers) if name in one), None)


@unsound
def two_values(random: Random, spot: Spot) -> Expected | None:
    number = _answered(spot, "valueBoolean")
    if number is None:
        return None
    spot.answers[number]["valueInteger"] = 3
    return "value-twice", spot.answer_place(number)


@unsound
def blank_string(random: Random, spot: Spot) -> Expected | None:
    number = _answered(spot, "valueString")
    if number is None:
        return None
    spot.answers[number]["valueString"] = " \n"
    return "json-blank-string", f"{spot.answer_place(number)}.value"


@unsound
def date_that_is_none(random: Random, spot: Spot) -> Expected | None:
    number = _answered(spot, "valueDate")
    if number is None:
        return None
    spot.answers[number]["valueDate"] = random.choice(["2025-02-30", "2025-2-3", "25-02-03"])
    return "value-malformed", f"{spot.answer_place(number)}.value"


@unsound
def moment_without_zone(random: Random, spot: Spot) -> Expected | None:
    number = _answered(spot, "valueDateTime")
    if number is None:
        return None
    spot.answers[number]["valueDateTime"] = "2025-02-03T10:00:00"
    return "value-malformed", f"{spot.answer_place(number)}.value"


@unsound
def time_without_seconds(random: Random, spot: Spot) -> Expected | None:
    number = _answered(spot, "valueTime")
    if number is None:
        return None
    spot.answers[number]["valueTime"] = "10:00"
    return "value-malformed", f"{spot.answer_place(number)}.value"


@unsound
def number_as_words(random: Random, spot: Spot) -> Expected | None:
    number = _answered(spot, "valueInteger")
    if number is None:
        return None
    spot.answers[number]["valueInteger"] = random.choice(["7", 7.5, True])
    return "value-malformed", f"{spot.answer_place(number)}.value"


@unsound
def truth_as_words(random: Random, spot: Spot) -> Expected | None:
    number = _answered(spot, "valueBoolean")
    if number is None:
        return None
    spot.answers[number]["valueBoolean"] = random.choice(["true", 1])
    return "value-malformed", f"{spot.answer_place(number)}.value"


@unsound
def data_that_is_no_base64(random: Random, spot: Spot) -> Expected | None:
    number = _answered(spot, "valueAttachment")
    if number is None:
        return None
    spot.answers[number]["valueAttachment"]["data"] = "AAA"
    return "value-malformed", f"{spot.answer_place(number)}.value.data"


@unsound
def type_that_r4_has_not(random: Random, spot: Spot) -> Expected | None:
    if not spot.answers:
        return None
    number = random.randrange(len(spot.answers))
    spot.answers[number] = {"valueCode": "x"}
    return "element-unknown", spot.answer_place(number)


@unsound
def answer_without_value(random: Random, spot: Spot) -> Expected | None:
    if not spot.answers:
        return None
    number = random.randrange(len(spot.answers))
    spot.answers[number] = {"id": "x"}
    return "answer-without-value", spot.answer_place(number)


@unsound
def no_link_id(random: Random, spot: Spot) -> Expected | None:
    del spot.entry["linkId"]
    return "element-missing", f"{spot.place}.linkId"


@unsound
def unknown_element(random: Random, spot: Spot) -> Expected | None:
    spot.entry["colour"] = "red"
    return "element-unknown", spot.place


@unsound
def no_list_of_answers(random: Random, spot: Spot) -> Expected | None:
    if not spot.answers:
        return None
    spot.entry["answer"] = spot.answers[0]
    return "list-expected", f"{spot.place}.answer"


@unsound
def nothing_in_the_list(random: Random, spot: Spot) -> Expected | None:
    spot.entry["answer"] = []
    return "json-empty", f"{spot.place}.answer"


@unsound
def null_for_text(random: Random, spot: Spot) -> Expected | None:
    spot.entry["text"] = None
    return "json-null", f"{spot.place}.text"
