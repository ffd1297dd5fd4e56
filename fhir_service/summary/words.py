"""One answer in words: the form's label for a code, the patient's own words as they are.

http://hl7.org/fhir/R4/questionnaireresponse-definitions.html#QuestionnaireResponse.item.answer.value_x_
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from fhir_service.sdc.compiled import Form
from fhir_service.sdc.items import Item, Option, in_language
from fhir_service.sdc.pairing import Answer
from fhir_service.summary.model import Kind, Mark, Origin, Value


@dataclass(frozen=True, slots=True)
class Wording:
    """How answers of one form are worded: its options by code, its marks, and the language."""

    options: Mapping[tuple[str | None, str | None], Option]
    language: str
    unsure: tuple[str, ...]
    declined: tuple[str, ...]

    def value(self, item: Item | None, answer: Answer, origin: Origin | None) -> Value:
        """The answer as shown in full: label, number or the patient's words."""
        if isinstance(answer.value, Mapping):
            return replace(self._of_structure(item, answer), origin=origin)
        if answer.value is None:
            return Value("(no value given)", "coded", origin=origin)
        if isinstance(answer.value, bool):
            return Value("Yes" if answer.value else "No", "coded", origin=origin)
        kind: Kind = "patient-words" if answer.kind in {"string", "uri"} else "coded"
        if self._is_option(item, answer.value):
            kind = "coded"
        return Value(str(answer.value), kind, origin=origin)

    def _of_structure(self, item: Item | None, answer: Answer) -> Value:
        value = answer.value
        if answer.kind == "Coding":
            return self._coding(item, value)
        if answer.kind == "Quantity":
            number = f"{value.get('comparator', '')}{value.get('value', '')}"
            return Value(number or "(no value given)", "coded", unit_of(value))
        if answer.kind == "Attachment":
            return Value(_attachment(value), "patient-words")
        return Value(_reference(value), "coded")

    def _coding(self, item: Item | None, coding: Mapping[str, Any]) -> Value:
        key = (coding.get("system"), coding.get("code"))
        option = own_option(item, key) or self.options.get(key)
        label = in_language(option.labels, self.language) if option else ""
        sent = coding.get("display")
        words = label or sent or coding.get("code") or "(no value given)"
        return Value(
            words=str(words),
            kind="coded",
            sent=str(sent) if sent and sent != words else None,
            mark=self._mark(coding.get("code")),
        )

    def _mark(self, code: Any) -> Mark:
        if code in self.unsure:
            return "unsure"
        return "declined" if code in self.declined else ""

    @staticmethod
    def _is_option(item: Item | None, value: Any) -> bool:
        return item is not None and any(option.value == value for option in item.options)


def wording(
    form: Form, language: str, unsure: tuple[str, ...], declined: tuple[str, ...]
) -> Wording:
    """The wording of a form. A code offered by any question names it wherever it is answered:

    the ranked questions have no list of their own, they rank what was picked elsewhere.
    """
    options: dict[tuple[str | None, str | None], Option] = {}
    for item in _all(form.items):
        for option in item.options:
            if isinstance(option.value, Mapping):
                key = (option.value.get("system"), option.value.get("code"))
                options.setdefault(key, option)
    return Wording(options, language, unsure, declined)


def own_option(item: Item | None, key: tuple[Any, Any]) -> Option | None:
    """The option of this very question with that system and code; None when it offers none."""
    for option in item.options if item is not None else ():
        if isinstance(option.value, Mapping) and key == (
            option.value.get("system"),
            option.value.get("code"),
        ):
            return option
    return None


def code_of(answer: Answer) -> str | None:
    """The code that short words and rules know an answer by; "true" or "false" for a boolean."""
    if isinstance(answer.value, bool):
        return "true" if answer.value else "false"
    if answer.kind == "Coding" and isinstance(answer.value, Mapping):
        code = answer.value.get("code")
        return str(code) if code is not None else None
    return None


def unit_of(quantity: Mapping[str, Any]) -> str | None:
    """The unit as written, else its code. http://hl7.org/fhir/R4/datatypes.html#Quantity"""
    unit = quantity.get("unit") or quantity.get("code")
    return str(unit) if unit else None


def _attachment(value: Mapping[str, Any]) -> str:
    name = value.get("title") or value.get("url") or "attachment"
    about = [str(value[key]) for key in ("contentType", "language") if key in value]
    if "data" in value:
        about.append(f"{len(value['data']) * 3 // 4} bytes, in the response")
    elif "size" in value:
        about.append(f"{value['size']} bytes")
    return f"{name} ({', '.join(about)})" if about else str(name)


def _reference(value: Mapping[str, Any]) -> str:
    identifier = value.get("identifier") or {}
    parts = (value.get("display"), value.get("reference"), identifier.get("value"))
    return " ".join(str(part) for part in parts if part) or "(no value given)"


def _all(items: tuple[Item, ...]) -> Iterator[Item]:
    for item in items:
        yield item
        yield from _all(item.items)
