"""One answer in words: the form's label for a code, the patient's own words as they are.

http://hl7.org/fhir/R4/questionnaireresponse-definitions.html#QuestionnaireResponse.item.answer.value_x_
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fhir_service.sdc.compiled import Form
from fhir_service.sdc.items import Item, Option, in_language
from fhir_service.sdc.pairing import Answer
from fhir_service.summary.model import Kind, Mark, Origin, Value


@dataclass(frozen=True, slots=True)
class Wording:
    """How answers of one form are worded: its options by code, its marks, and the language.

    A code offered by any question names it wherever it is answered: the ranked questions have no
    list of their own, they rank what was picked elsewhere.
    """

    form: Form
    language: str
    unsure: tuple[str, ...]
    declined: tuple[str, ...]

    def value(self, item: Item | None, answer: Answer, origin: Origin | None) -> Value:
        """The answer as shown in full: label, number or the patient's words."""
        value = answer.value
        if isinstance(value, dict):
            if answer.kind == "Coding":
                return self._coding(item, value, origin)
            return _of_structure(answer.kind, value, origin)
        if value is None:
            return Value("(no value given)", "coded", origin=origin)
        if isinstance(value, bool):
            return Value("Yes" if value else "No", "coded", origin=origin)
        kind: Kind = "patient-words" if answer.kind in {"string", "uri"} else "coded"
        if (
            item is not None
            and item.options
            and any(option.value == value for option in item.options)
        ):
            kind = "coded"
        return Value(str(value), kind, origin=origin)

    def _coding(
        self, item: Item | None, coding: Mapping[str, Any], origin: Origin | None
    ) -> Value:
        code, sent = coding.get("code"), coding.get("display")
        option = own_option(self.form, item, coding)
        if option is None:
            option = self.form.codings.get((None, coding.get("system"), code))
        label = in_language(option.labels, self.language) if option is not None else ""
        words = str(label or sent or code or "(no value given)")
        return Value(
            words,
            "coded",
            origin=origin,
            sent=str(sent) if sent and sent != words else None,
            mark=self._mark(code),
        )

    def _mark(self, code: Any) -> Mark:
        if code in self.unsure:
            return "unsure"
        return "declined" if code in self.declined else ""


def _of_structure(kind: str | None, value: Mapping[str, Any], origin: Origin | None) -> Value:
    if kind == "Quantity":
        number = f"{value.get('comparator', '')}{value.get('value', '')}"
        return Value(number or "(no value given)", "coded", unit_of(value), origin)
    if kind == "Attachment":
        return Value(_attachment(value), "patient-words", origin=origin)
    return Value(_reference(value), "coded", origin=origin)


def own_option(form: Form, item: Item | None, coding: Mapping[str, Any]) -> Option | None:
    """The option of this very question that this Coding is; None when it offers none such."""
    if item is None:
        return None
    return form.codings.get((item.link_id, coding.get("system"), coding.get("code")))


def code_of(answer: Answer) -> str | None:
    """The code that short words and rules know an answer by; "true" or "false" for a boolean."""
    if isinstance(answer.value, bool):
        return "true" if answer.value else "false"
    if answer.kind == "Coding" and isinstance(answer.value, dict):
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
