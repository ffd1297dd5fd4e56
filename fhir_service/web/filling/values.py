"""What was typed, as the answers of one question; None where it can not be one (yet).

What can not be an answer is kept as it was typed (drafts.py): nothing is guessed, rounded or cut.
http://hl7.org/fhir/R4/datatypes.html
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Any, Final

from fhir_service.fhir.primitives import CHECKS
from fhir_service.sdc.items import Item
from fhir_service.sdc.population.answers import units_of
from fhir_service.sdc.validation.answers import is_absolute
from fhir_service.web.filling import fields
from fhir_service.web.filling.fields import Entries
from fhir_service.web.filling.offered import Choice

Answer = dict[str, Any]

_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,18}")
_DECIMAL: Final = re.compile(r"[+-]?[0-9]{1,18}([.,][0-9]{1,18})?")
_CLOCK: Final = re.compile(r"([0-9]{1,2})[:.hH]([0-9]{2})(?::([0-9]{2}))?\s*([aApP])?\.?[mM]?\.?")
_BLANK: Final = "\u00a0\u202f "
_NOON: Final = 12
_LAST_MINUTE: Final = 59


def read_answers(
    item: Item, name: str, entries: Entries, choices: Sequence[Choice], zone: tzinfo
) -> list[Answer] | None:
    """The answers that were typed or chosen; [] for none; None for what can be none."""
    if item.type in ("choice", "open-choice") or choices:
        return _chosen(item, name, entries, choices)
    if item.type in ("date", "dateTime"):
        return _moment(item, name, entries, zone)
    if item.type == "quantity":
        return _quantity(item, name, entries)
    typed = _typed(item, name, entries)
    made = [_READERS[item.type](one) for one in typed]
    return None if None in made else [one for one in made if one is not None]


def _typed(item: Item, name: str, entries: Entries) -> list[str]:
    """Each text that is not blank, of one input or of the lines of a list."""
    if item.type == "text" and not item.repeats:
        text = entries.text(name)
        return [text] if text.strip() else []
    return entries.all(name)


def _chosen(
    item: Item, name: str, entries: Entries, choices: Sequence[Choice]
) -> list[Answer] | None:
    known = {choice.token: choice for choice in choices}
    tokens = list(dict.fromkeys(entries.all(name)))
    made = []
    for token in tokens:
        if token == fields.OWN_WORDS:
            continue
        if token not in known:
            return None
        made.append(_answer_of(known[token]))
    own = entries.all(name + fields.OWN_WORDS) if item.type == "open-choice" else []
    return made + [{"valueString": " ".join(words.split())} for words in own]


def _answer_of(choice: Choice) -> Answer:
    return {f"value{choice.kind[0].upper()}{choice.kind[1:]}": choice.value}


def _moment(item: Item, name: str, entries: Entries, zone: tzinfo) -> list[Answer] | None:
    year, month, day = (
        entries.one(name + part) for part in (fields.YEAR, fields.MONTH, fields.DAY)
    )
    clock = entries.one(name + fields.CLOCK) if item.type == "dateTime" else ""
    if not (year or month or day or clock):
        return []
    date = partial_date(year, month, day)
    if date is None or (clock and len(date) < len("YYYY-MM-DD")):
        return None
    if item.type == "date":
        return [{"valueDate": date}]
    if not clock:
        return [{"valueDateTime": date}]
    time = clock_time(clock)
    if time is None:
        return None
    moment = datetime.fromisoformat(f"{date}T{time}").replace(tzinfo=zone)
    return [{"valueDateTime": moment.isoformat()}]


def partial_date(year: str, month: str, day: str) -> str | None:
    """A date as FHIR writes it, to the day, the month or the year; None for what is no date."""
    if not re.fullmatch(r"[0-9]{4}", year) or year < "1000":
        return None
    if not month:
        return None if day else year
    if not re.fullmatch(r"[0-9]{1,2}", month) or not 1 <= int(month) <= _NOON:
        return None
    if not day:
        return f"{year}-{int(month):02}"
    last = monthrange(int(year), int(month))[1]
    if not re.fullmatch(r"[0-9]{1,2}", day) or not 1 <= int(day) <= last:
        return None
    return f"{year}-{int(month):02}-{int(day):02}"


def clock_time(text: str) -> str | None:
    """A time as FHIR writes it, from 9:05, 09.05, 9:05 pm or 21:05; None for what is none."""
    found = _CLOCK.fullmatch(text.strip())
    if found is None:
        return None
    hour, minute, second = int(found[1]), int(found[2]), int(found[3] or 0)
    if found[4]:
        if not 1 <= hour <= _NOON:
            return None
        hour = hour % _NOON + (_NOON if found[4].lower() == "p" else 0)
    if hour >= 2 * _NOON or minute > _LAST_MINUTE or second > _LAST_MINUTE:
        return None
    return f"{hour:02}:{minute:02}:{second:02}"


def number_of(text: str) -> Decimal | None:
    """A number with a point or a comma before its decimals; None for what is none."""
    bare = text.strip(_BLANK)
    return Decimal(bare.replace(",", ".")) if _DECIMAL.fullmatch(bare) else None


def _quantity(item: Item, name: str, entries: Entries) -> list[Answer] | None:
    text = entries.one(name)
    if not text:
        return []
    number, units = number_of(text), units_of(item)
    if number is None:
        return None
    quantity: Answer = {"value": number}
    if units:
        token = entries.one(name + fields.UNIT) or ("0" if len(units) == 1 else "")
        if not token.isdigit() or int(token) >= len(units):
            return None
        unit = units[int(token)]
        shown = {"unit": unit.get("display", unit.get("code"))}
        coded = {part: unit[part] for part in ("system", "code") if part in unit}
        quantity |= shown | coded
    return [{"valueQuantity": quantity}]


def _boolean(text: str) -> Answer | None:
    return {"valueBoolean": text == "true"} if text in ("true", "false") else None


def _integer(text: str) -> Answer | None:
    bare = text.strip(_BLANK)
    return {"valueInteger": int(bare)} if _WHOLE.fullmatch(bare) and _fits(bare) else None


def _fits(text: str) -> bool:
    return -(2**31) <= int(text) < 2**31


def _decimal(text: str) -> Answer | None:
    number = number_of(text)
    return None if number is None else {"valueDecimal": number}


def _time(text: str) -> Answer | None:
    time = clock_time(text)
    return None if time is None else {"valueTime": time}


def _string(text: str) -> Answer | None:
    return {"valueString": " ".join(text.splitlines())} if text.strip() else None


def _text(text: str) -> Answer | None:
    return {"valueString": text}


def _url(text: str) -> Answer | None:
    return {"valueUri": text} if CHECKS["uri"](text) and is_absolute(text) else None


def _reference(text: str) -> Answer | None:
    return {"valueReference": {"display": text}}


_READERS: Final[Mapping[str, Callable[[str], Answer | None]]] = {
    "boolean": _boolean,
    "integer": _integer,
    "decimal": _decimal,
    "time": _time,
    "string": _string,
    "text": _text,
    "url": _url,
    "reference": _reference,
}
