"""Faults of single answers: type, limits, options, units, references, attachments."""

from __future__ import annotations

import base64
from decimal import Decimal
from random import Random
from typing import Any

from fhir_service.sdc import extensions as ext
from tests.support.mutations import Expected, Spot, mutation
from tests.support.random_questions import UCUM, Json, coding, limit, quantity

_LIMITS = {
    "integer": ("valueInteger", 9, 91),
    "decimal": ("valueDecimal", Decimal(10), Decimal(91)),
    "date": ("valueDate", "2023-12-31", "2029-01-01"),
    "dateTime": ("valueDateTime", "2023-12-31T10:00:00Z", "2029-01-01T10:00:00Z"),
    "time": ("valueTime", "04:59:00", "20:01:00"),
    "quantity": ("valueQuantity", quantity(Decimal(9), "mg"), quantity(Decimal(91), "mg")),
}


def _replaced(random: Random, spot: Spot, answer: Json, key: str) -> Expected | None:
    """Put this answer in the place of one that is there, keeping what lies under it."""
    number = random.randrange(len(spot.answers))
    under = {name: one for name, one in spot.answers[number].items() if name == "item"}
    spot.answers[number] = answer | under
    return key, spot.answer_place(number)


def _is(spot: Spot, *types: str) -> bool:
    return spot.asked["type"] in types and bool(spot.answers)


def _has_options(spot: Spot, kind: str) -> bool:
    options = spot.asked.get("answerOption", [])
    return bool(options) and f"value{kind}" in options[0]


@mutation
def wrong_type(random: Random, spot: Spot) -> Expected | None:
    if not spot.answers or spot.asked["type"] in ("time", "group", "display"):
        return None
    return _replaced(random, spot, {"valueTime": "10:00:00"}, "answer-type")


@mutation
def words_for_another_type(random: Random, spot: Spot) -> Expected | None:
    taking = ("string", "text", "open-choice", "choice", "group", "display")
    if not spot.answers or spot.asked["type"] in taking:
        return None
    return _replaced(random, spot, {"valueString": "x" * 200}, "answer-type")


@mutation
def option_not_offered(random: Random, spot: Spot) -> Expected | None:
    if not _is(spot, "choice", "open-choice") or not _has_options(spot, "Coding"):
        return None
    return _replaced(random, spot, {"valueCoding": coding(99)}, "option-not-offered")


@mutation
def value_not_offered(random: Random, spot: Spot) -> Expected | None:
    for kind, value in (("String", "unheard of"), ("Integer", 7), ("Date", "1999-01-01")):
        if _is(spot, "choice") and _has_options(spot, kind):
            return _replaced(random, spot, {f"value{kind}": value}, "option-not-offered")
    return None


@mutation
def other_words_for_an_option(random: Random, spot: Spot) -> Expected | None:
    for number, answer in enumerate(spot.answers):
        if "valueCoding" in answer:
            answer["valueCoding"] = answer["valueCoding"] | {"display": "Something else"}
            return "display-wrong", spot.answer_place(number)
    return None


@mutation
def option_in_words(random: Random, spot: Spot) -> Expected | None:
    if not _is(spot, "open-choice"):
        return None
    taken = [one.get("valueCoding", {}).get("code") for one in spot.answers]
    free = [one["valueCoding"] for one in spot.asked["answerOption"]]
    said = next(one["display"] for one in free if one["code"] not in taken)
    return _replaced(random, spot, {"valueString": said}, "free-text-is-option")


@mutation
def exclusive_with_others(random: Random, spot: Spot) -> Expected | None:
    alone = [one for one in spot.asked.get("answerOption", []) if "extension" in one]
    if not alone or len(spot.answers) < 2:
        return None
    value = {name: one for name, one in alone[0].items() if name != "extension"}
    return _replaced(random, spot, value, "exclusive-option-with-others")


@mutation
def same_answer_twice(random: Random, spot: Spot) -> Expected | None:
    if len(spot.answers) < 2:
        return None
    value = {name: one for name, one in spot.answers[0].items() if name != "item"}
    under = {name: one for name, one in spot.answers[1].items() if name == "item"}
    spot.answers[1] = value | under
    return "same-answer-twice", spot.answer_place(1)


@mutation
def below_the_least(random: Random, spot: Spot) -> Expected | None:
    url = ext.MIN_QUANTITY if spot.asked["type"] == "quantity" else ext.MIN_VALUE
    return _beyond(random, spot, url, 1, "answer-below-min-value")


@mutation
def above_the_greatest(random: Random, spot: Spot) -> Expected | None:
    url = ext.MAX_QUANTITY if spot.asked["type"] == "quantity" else ext.MAX_VALUE
    return _beyond(random, spot, url, 2, "answer-above-max-value")


def _beyond(random: Random, spot: Spot, url: str, side: int, key: str) -> Expected | None:
    if not spot.answers or limit(spot.asked, url) is None:
        return None
    found: tuple[Any, ...] = _LIMITS[spot.asked["type"]]
    value = found[side]
    if found[0] == "valueQuantity" and limit(spot.asked, ext.UNIT) is not None:
        value = quantity(Decimal((9, 91)[side - 1]), "g")
    return _replaced(random, spot, {found[0]: value}, key)


@mutation
def too_many_decimals(random: Random, spot: Spot) -> Expected | None:
    places = limit(spot.asked, ext.MAX_DECIMAL_PLACES)
    if not spot.answers or places is None:
        return None
    value = Decimal(20).quantize(Decimal(1).scaleb(-places - 1))
    if spot.asked["type"] == "quantity":
        answer = {"valueQuantity": quantity(Decimal(20), "g") | {"value": value}}
        return _replaced(random, spot, answer, "too-many-decimals")
    return _replaced(random, spot, {"valueDecimal": value}, "too-many-decimals")


@mutation
def too_long(random: Random, spot: Spot) -> Expected | None:
    most = spot.asked.get("maxLength")
    if most is None or not _is(spot, "string", "text", "open-choice", "url"):
        return None
    if spot.asked["type"] == "url":
        value = "https://example.org/"
        return _replaced(random, spot, {"valueUri": value.ljust(most + 1, "x")}, "answer-too-long")
    return _replaced(random, spot, {"valueString": "x" * (most + 1)}, "answer-too-long")


@mutation
def too_short(random: Random, spot: Spot) -> Expected | None:
    if not _is(spot, "string", "text") or limit(spot.asked, ext.MIN_LENGTH) is None:
        return None
    return _replaced(random, spot, {"valueString": "x"}, "answer-too-short")


@mutation
def date_too_rough(random: Random, spot: Spot) -> Expected | None:
    if not _is(spot, "date") or limit(spot.asked, ext.MIN_LENGTH) is None:
        return None
    return _replaced(random, spot, {"valueDate": "2025-03"}, "date-too-rough")


@mutation
def not_as_the_pattern_asks(random: Random, spot: Spot) -> Expected | None:
    if not _is(spot, "string", "text") or limit(spot.asked, ext.REGEX) is None:
        return None
    return _replaced(random, spot, {"valueString": "Not in CAPITALS"}, "answer-malformed")


@mutation
def line_break(random: Random, spot: Spot) -> Expected | None:
    if not _is(spot, "string"):
        return None
    return _replaced(random, spot, {"valueString": "one line\nand another"}, "string-line-break")


@mutation
def address_of_no_kind(random: Random, spot: Spot) -> Expected | None:
    if not _is(spot, "url"):
        return None
    return _replaced(random, spot, {"valueUri": "example.org"}, "url-malformed")


@mutation
def unit_not_offered(random: Random, spot: Spot) -> Expected | None:
    if not _is(spot, "quantity") or limit(spot.asked, ext.UNIT_OPTION) is None:
        return None
    answer = {"value": 20000000, "unit": "ug", "system": UCUM, "code": "ug"}
    return _replaced(random, spot, {"valueQuantity": answer}, "unit-not-offered")


@mutation
def unit_changed(random: Random, spot: Spot) -> Expected | None:
    if not _is(spot, "quantity") or limit(spot.asked, ext.UNIT) is None:
        return None
    answer = {"value": 20000, "unit": "mg", "system": UCUM, "code": "mg"}
    return _replaced(random, spot, {"valueQuantity": answer}, "unit-fixed")


@mutation
def unit_of_something_else(random: Random, spot: Spot) -> Expected | None:
    """Two limits are two findings: only where there is one, and any unit is taken."""
    limits = [limit(spot.asked, url) for url in (ext.MIN_QUANTITY, ext.MAX_QUANTITY)]
    listed = limit(spot.asked, ext.UNIT) or limit(spot.asked, ext.UNIT_OPTION)
    if not _is(spot, "quantity") or listed or limits.count(None) != 1:
        return None
    answer = {"value": 20, "unit": "metre", "system": UCUM, "code": "m"}
    return _replaced(random, spot, {"valueQuantity": answer}, "limit-unit-differs")


@mutation
def quantity_without_number(random: Random, spot: Spot) -> Expected | None:
    if not _is(spot, "quantity"):
        return None
    answer = {"unit": "g", "system": UCUM, "code": "g"}
    return _replaced(random, spot, {"valueQuantity": answer}, "quantity-without-value")


@mutation
def another_type_of_record(random: Random, spot: Spot) -> Expected | None:
    if not _is(spot, "reference") or limit(spot.asked, ext.REFERENCE_RESOURCE) is None:
        return None
    answer = {"valueReference": {"reference": "Observation/o1"}}
    return _replaced(random, spot, answer, "reference-resource")


@mutation
def stated_type_differs(random: Random, spot: Spot) -> Expected | None:
    if not _is(spot, "reference"):
        return None
    reference = {"reference": "Patient/p1", "type": "Practitioner"}
    return _replaced(random, spot, {"valueReference": reference}, "reference-type-differs")


@mutation
def nothing_contained(random: Random, spot: Spot) -> Expected | None:
    if not _is(spot, "reference") or limit(spot.asked, ext.REFERENCE_RESOURCE) is not None:
        return None
    answer = {"valueReference": {"reference": "#nobody"}}
    return _replaced(random, spot, answer, "reference-not-contained")


def _picture(count: int, **more: Any) -> Json:
    made = {"contentType": "image/png", "data": base64.b64encode(bytes(count)).decode()}
    return {"valueAttachment": made | more}


@mutation
def picture_too_large(random: Random, spot: Spot) -> Expected | None:
    most = limit(spot.asked, ext.MAX_SIZE)
    if not _is(spot, "attachment") or most is None:
        return None
    return _replaced(random, spot, _picture(int(most) + 1), "attachment-too-large")


@mutation
def another_media_type(random: Random, spot: Spot) -> Expected | None:
    if not _is(spot, "attachment") or limit(spot.asked, ext.MIME_TYPE) is None:
        return None
    answer = _picture(9, contentType="text/plain")
    return _replaced(random, spot, answer, "attachment-type")


@mutation
def size_misstated(random: Random, spot: Spot) -> Expected | None:
    if not _is(spot, "attachment"):
        return None
    return _replaced(random, spot, _picture(9, size=10), "attachment-size-differs")


@mutation
def hash_misstated(random: Random, spot: Spot) -> Expected | None:
    if not _is(spot, "attachment"):
        return None
    digest = base64.b64encode(bytes(20)).decode()
    return _replaced(random, spot, _picture(9, hash=digest), "attachment-hash-differs")
