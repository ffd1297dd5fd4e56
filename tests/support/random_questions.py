"""Random questions of every type that is answered, each with answers that fit it.

A question is plain R4 JSON; numbers with a point are Decimals, so that their digits are kept.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from fhir_service.sdc import extensions as ext

Json = dict[str, Any]

CODES = "http://example.org/fhir/CodeSystem/random"
UCUM = "http://unitsofmeasure.org"
MASSES = {"mg": Decimal("0.001"), "g": Decimal(1), "kg": Decimal(1000)}
"""Units of mass and how many grams they are."""
WORDS = """
    pain rest walk sleep night soup garden stairs arm back tired better worse often
""".split()  # noqa: SIM905
PLACES = 3
"""Decimal places that an answer has at most."""
_FIRST = date(2024, 1, 1)


def extension(url: str, type_: str, value: Any) -> Json:
    """One extension with its value[x]."""
    return {"url": url, f"value{type_}": value}


def extended(item: Json, *more: Json) -> None:
    """Add extensions to an element."""
    item.setdefault("extension", []).extend(more)


def limit(item: Json, url: str) -> Any:
    """The value of the item's first extension of this url; None without one."""
    return ext.value(ext.by_url(item.get("extension")), url)


def coding(number: int) -> Json:
    """The Coding of one option."""
    return {"system": CODES, "code": f"c{number}", "display": f"Choice {number}"}


def _range(random: Random, item: Json, type_: str, low: Any, high: Any) -> None:
    """Sometimes a least value, sometimes a greatest one."""
    if random.random() < 0.4:
        extended(item, extension(ext.MIN_VALUE, type_, low))
    if random.random() < 0.4:
        extended(item, extension(ext.MAX_VALUE, type_, high))


def _day(number: int) -> str:
    return (_FIRST + timedelta(days=number)).isoformat()


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}:00"


def _moment(hours: int, zone: str = "Z") -> str:
    return f"{_day(hours // 24)}T{hours % 24:02}:00:00{zone}"


def _limit_boolean(random: Random, item: Json) -> None:
    del random, item


def _limit_integer(random: Random, item: Json) -> None:
    _range(random, item, "Integer", 10, 90)


def _limit_decimal(random: Random, item: Json) -> None:
    _range(random, item, "Decimal", Decimal("10.5"), Decimal("90.25"))
    if random.random() < 0.5:
        places = random.randint(0, PLACES - 1)
        extended(item, extension(ext.MAX_DECIMAL_PLACES, "Integer", places))


def _limit_date(random: Random, item: Json) -> None:
    _range(random, item, "Date", _day(100), _day(900))
    if random.random() < 0.3:
        extended(item, extension(ext.MIN_LENGTH, "Integer", 10))


def _limit_date_time(random: Random, item: Json) -> None:
    _range(random, item, "DateTime", _moment(1000), _moment(9000))


def _limit_time(random: Random, item: Json) -> None:
    _range(random, item, "Time", _clock(300), _clock(1200))


def _limit_string(random: Random, item: Json) -> None:
    if random.random() < 0.4:
        item["maxLength"] = random.randint(40, 80)
    if random.random() < 0.3:
        extended(item, extension(ext.MIN_LENGTH, "Integer", random.randint(2, 4)))
    if random.random() < 0.2:
        extended(item, extension(ext.REGEX, "String", "[a-z0-9\\s]+"))


def _limit_url(random: Random, item: Json) -> None:
    if random.random() < 0.4:
        item["maxLength"] = 60


def _limit_choice(random: Random, item: Json) -> None:
    kind = random.choice(["Coding"] * 5 + ["String", "Integer", "Date"])
    values = {
        "Coding": coding,
        "String": lambda n: WORDS[n],
        "Integer": lambda n: n * 10,
        "Date": _day,
    }
    count = random.randint(4, 7)
    item["answerOption"] = [{f"value{kind}": values[kind](number)} for number in range(count)]
    if item.get("repeats") and random.random() < 0.6:
        extended(item["answerOption"][-1], extension(ext.OPTION_EXCLUSIVE, "Boolean", True))


def _limit_open_choice(random: Random, item: Json) -> None:
    item["answerOption"] = [{"valueCoding": coding(n)} for n in range(random.randint(4, 7))]
    if random.random() < 0.4:
        item["maxLength"] = random.randint(40, 80)


def _limit_attachment(random: Random, item: Json) -> None:
    if random.random() < 0.5:
        extended(item, extension(ext.MAX_SIZE, "Decimal", Decimal(random.choice([1024, 2000]))))
    if random.random() < 0.5:
        extended(item, extension(ext.MIME_TYPE, "Code", random.choice(["image/*", "image/png"])))


def _limit_reference(random: Random, item: Json) -> None:
    if random.random() < 0.6:
        for name in ("Patient", "Practitioner"):
            extended(item, extension(ext.REFERENCE_RESOURCE, "Code", name))


def _limit_quantity(random: Random, item: Json) -> None:
    way = random.choice(["options", "fixed", "free"])
    if way == "options":
        for unit in MASSES:
            unit_coding = {"system": UCUM, "code": unit, "display": unit}
            extended(item, extension(ext.UNIT_OPTION, "Coding", unit_coding))
    elif way == "fixed":
        unit_coding = {"system": UCUM, "code": "g", "display": "gram"}
        extended(item, extension(ext.UNIT, "Coding", unit_coding))
    for url, grams in ((ext.MIN_QUANTITY, 10), (ext.MAX_QUANTITY, 90)):
        if random.random() < 0.4:
            extended(item, extension(url, "Quantity", quantity(Decimal(grams), "g")))
    if random.random() < 0.3:
        extended(item, extension(ext.MAX_DECIMAL_PLACES, "Integer", PLACES))


def quantity(grams: Decimal, unit: str) -> Json:
    """A mass, given in grams, in this unit."""
    return {"value": grams / MASSES[unit], "unit": unit, "system": UCUM, "code": unit}


def _words(random: Random, least: int) -> str:
    said = " ".join(random.choices(WORDS, k=random.randint(1, 3))) + f" {random.randint(0, 99)}"
    return said if len(said) >= least else said + " and more"


def _picture(random: Random) -> Json:
    data = random.randbytes(random.randint(1, 1024))
    digest = hashlib.sha1(data, usedforsecurity=False).digest()
    made: Json = {"contentType": "image/png", "data": base64.b64encode(data).decode()}
    if random.random() < 0.5:
        made |= {"size": len(data), "hash": base64.b64encode(digest).decode()}
    return made


def _decimal(random: Random, item: Json) -> Decimal:
    most = limit(item, ext.MAX_DECIMAL_PLACES)
    places = random.randint(0, PLACES if most is None else most)
    return Decimal(random.randint(11 * 10**places, 90 * 10**places)).scaleb(-places)


def _some_day(random: Random, item: Json) -> str:
    whole = any(limit(item, url) for url in (ext.MIN_VALUE, ext.MAX_VALUE, ext.MIN_LENGTH))
    day = _day(random.randint(100, 900))
    return day if whole or random.random() < 0.7 else day[: random.choice([4, 7])]


def _mass(random: Random, item: Json) -> Json:
    unit = random.choice(sorted(MASSES)) if limit(item, ext.UNIT) is None else "g"
    if limit(item, ext.MAX_DECIMAL_PLACES) is not None and unit == "kg":
        unit = "mg"
    return quantity(Decimal(random.randint(10, 90)), unit)


_ANSWERS: dict[str, Callable[[Random, Json], Json]] = {
    "boolean": lambda r, i: {"valueBoolean": r.random() < 0.5},
    "integer": lambda r, i: {"valueInteger": r.randint(10, 90)},
    "decimal": lambda r, i: {"valueDecimal": _decimal(r, i)},
    "date": lambda r, i: {"valueDate": _some_day(r, i)},
    "dateTime": lambda r, i: {"valueDateTime": _moment(r.randint(1100, 8900), "+02:00")},
    "time": lambda r, i: {"valueTime": _clock(r.randint(300, 1200))},
    "string": lambda r, i: {"valueString": _words(r, limit(i, ext.MIN_LENGTH) or 0)},
    "text": lambda r, i: {"valueString": _words(r, 4) + r.choice(["", "\nand so on"])},
    "url": lambda r, i: {"valueUri": f"https://example.org/{r.choice(WORDS)}/{r.randint(0, 99)}"},
    "attachment": lambda r, i: {"valueAttachment": _picture(r)},
    "reference": lambda r, i: {"valueReference": {"reference": f"Patient/p{r.randint(0, 99)}"}},
    "quantity": lambda r, i: {"valueQuantity": _mass(r, i)},
}

LIMITS: dict[str, Callable[[Random, Json], None]] = {
    "boolean": _limit_boolean,
    "integer": _limit_integer,
    "decimal": _limit_decimal,
    "date": _limit_date,
    "dateTime": _limit_date_time,
    "time": _limit_time,
    "string": _limit_string,
    "text": _limit_string,
    "url": _limit_url,
    "choice": _limit_choice,
    "open-choice": _limit_open_choice,
    "attachment": _limit_attachment,
    "reference": _limit_reference,
    "quantity": _limit_quantity,
}
"""By type of question, what adds random limits and options to one."""


def an_answer(random: Random, item: Json) -> Json:
    """One answer that fits the question; never its exclusive option."""
    if item["type"] == "open-choice" and random.random() < 0.3:
        return {"valueString": _words(random, 0)}
    options = [one for one in item.get("answerOption", ()) if "extension" not in one]
    if options:
        return {key: value for key, value in random.choice(options).items() if key != "extension"}
    return _ANSWERS[item["type"]](random, item)


def some_answers(random: Random, item: Json, count: int) -> list[Json]:
    """``count`` different answers that fit the question, or as many as there are."""
    found: list[Json] = []
    more = Random(0)  # where chance itself, as hypothesis plays it, repeats one answer for ever
    for tried in range(count * 40):
        answer = an_answer(random if tried < count * 8 else more, item)
        if answer not in found:
            found.append(answer)
        if len(found) == count:
            break
    return found
