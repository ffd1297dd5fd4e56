"""A form in words, for who reviews it: every item with its limits, conditions and answers.

http://hl7.org/fhir/R4/questionnaire.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

CORE = "http://hl7.org/fhir/StructureDefinition/"
SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-"

_LIMITS = {
    CORE + "minValue": "at least",
    CORE + "maxValue": "at most",
    SDC + "minQuantity": "at least",
    SDC + "maxQuantity": "at most",
    CORE + "questionnaire-minOccurs": "occurs at least",
    CORE + "questionnaire-maxOccurs": "occurs at most",
    CORE + "maxDecimalPlaces": "decimal places at most",
    CORE + "minLength": "characters at least",
    CORE + "regex": "matches",
    CORE + "questionnaire-sliderStepValue": "slider step",
    CORE + "questionnaire-unitOption": "unit",
    SDC + "openLabel": "free text under",
    SDC + "answerExpression": "answers from",
    SDC + "calculatedExpression": "calculated by",
}
_INDENT = "  "


def outline(questionnaire: Mapping[str, Any]) -> str:
    """The form (R4 JSON as a dictionary) as text: lines of UTF-8, ended by a line feed.

    For each item its linkId, type and text, then what is asked of an answer, when it is shown,
    and its options. Words are those of the form's own language; translations are only named.
    """
    lines = [*_head(questionnaire)]
    for item in questionnaire.get("item", ()):
        lines += ["", *_item(item, "")]
    return "\n".join(lines) + "\n"


def _head(form: Mapping[str, Any]) -> Iterator[str]:
    yield str(form.get("title", form.get("name", "")))
    yield f"{form.get('url', '')}|{form.get('version', '')}"
    yield f"{form.get('status', '')}, {form.get('date', 'without date')}"
    yield f"Languages: {', '.join([form.get('language', 'not said'), *_languages(form)])}"
    if form.get("description"):
        yield str(form["description"])


def _languages(element: Mapping[str, Any]) -> list[str]:
    """The languages that the title is translated into."""
    found = element.get("_title", {}).get("extension", ())
    parts = (part for one in found for part in one.get("extension", ()))
    return [str(part["valueCode"]) for part in parts if part.get("url") == "lang"]


def _item(item: Mapping[str, Any], indent: str) -> Iterator[str]:
    yield f"{indent}{item['linkId']}: {', '.join(_kind(item))}"
    deeper = indent + _INDENT
    if item.get("text"):
        yield f'{deeper}"{item["text"]}"'
    yield from (f"{deeper}{line}" for line in _rules(item))
    yield from (f"{deeper}- {line}" for line in _options(item))
    for child in item.get("item", ()):
        yield from _item(child, deeper)


def _kind(item: Mapping[str, Any]) -> Iterator[str]:
    yield str(item["type"])
    control = _control(item)
    if control:
        yield control
    yield from (word for word in ("required", "repeats") if item.get(word) is True)
    if item.get("readOnly") is True:
        yield "read only"
    if _extension(item, CORE + "questionnaire-hidden", "valueBoolean"):
        yield "hidden"
    if _extension(item, SDC + "optionalDisplay", "valueBoolean"):
        yield "optional tier"


def _control(item: Mapping[str, Any]) -> str | None:
    concept = _extension(item, CORE + "questionnaire-itemControl", "valueCodeableConcept")
    return str(concept["coding"][0]["code"]) if concept else None


def _extension(element: Mapping[str, Any], url: str, value: str) -> Any:
    """The value of the first extension with this url, or None."""
    found = (one.get(value) for one in element.get("extension", ()) if one.get("url") == url)
    return next(found, None)


def _rules(item: Mapping[str, Any]) -> Iterator[str]:
    for code in item.get("code", ()):
        yield f"code: {code.get('system', '')}|{code['code']} {code.get('display', '')}".rstrip()
    if item.get("enableWhen"):
        yield f"shown when {_conditions(item)}"
    if "maxLength" in item:
        yield f"characters at most: {item['maxLength']}"
    for one in item.get("extension", ()):
        if one.get("url") in _LIMITS:
            yield f"{_LIMITS[one['url']]}: {_extension_words(one)}"
    if "answerValueSet" in item:
        yield f"answers from: {item['answerValueSet']}"
    for first in item.get("initial", ()):
        yield f"filled beforehand: {_words(_value(first, 'value'))}"


def _conditions(item: Mapping[str, Any]) -> str:
    joint = " or " if item.get("enableBehavior") == "any" else " and "
    return joint.join(_condition(one) for one in item["enableWhen"])


def _condition(condition: Mapping[str, Any]) -> str:
    value = _value(condition, "answer")
    if condition["operator"] == "exists":
        return f"{condition['question']} is {'answered' if value else 'not answered'}"
    # the code, not its label: labels hold commas and "or", and need not be unique
    words = value["code"] if isinstance(value, dict) and "code" in value else _words(value)
    return f"{condition['question']} {condition['operator']} {words}"


def _options(item: Mapping[str, Any]) -> Iterator[str]:
    for option in item.get("answerOption", ()):
        value = _value(option, "value")
        yield " ".join([_words(value), *_marks(option, value)])


def _marks(option: Mapping[str, Any], value: Any) -> Iterator[str]:
    if isinstance(value, dict) and "display" in value:
        yield f"[{value.get('code', '')}]"
    if _extension(option, CORE + "questionnaire-optionExclusive", "valueBoolean"):
        yield "(alone)"
    for place in (option, value if isinstance(value, dict) else {}):
        weight = _extension(place, CORE + "itemWeight", "valueDecimal")
        if weight is not None:
            yield f"(weight {weight})"


def _extension_words(extension: Mapping[str, Any]) -> str:
    computed: Mapping[str, Any] = next(
        (part for key, part in extension.items() if key.startswith("_value")), {}
    )
    expression = _extension(computed, CORE + "cqf-expression", "valueExpression")
    return _words(_value(extension, "value") if expression is None else expression)


def _value(element: Mapping[str, Any], prefix: str) -> Any:
    """The value of the choice element ``prefix[x]``, or None."""
    return next((value for key, value in element.items() if key.startswith(prefix)), None)


def _words(value: Any) -> str:
    """A value as a reader knows it: a Coding by its display, a Quantity with its unit."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, dict):
        return str(value)
    if "expression" in value:
        return str(value["expression"])
    if "value" in value:
        return f"{value['value']} {value.get('unit', '')}".rstrip()
    for name in ("display", "code", "reference"):
        if name in value:
            return str(value[name])
    return str(value)
