"""What can be chosen: options of the form, of a value set, of an expression; without what is off.

https://hl7.org/fhir/uv/sdc/STU4/StructureDefinition-sdc-questionnaire-answerExpression.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fhir_service.sdc.comparing import UnitsDiffer, equal
from fhir_service.sdc.items import Item, Option, in_language
from fhir_service.sdc.pairing import Node
from fhir_service.web.filling.lens import Lens

Expand = Callable[[str, str | None], Sequence[Mapping[str, Any]]]
"""The Codings of a value set (its canonical) with their displays in a language."""

MOST: Final = 500
"""How many options a page offers at most; a form with more is not offered to patients."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing to choose.

    ``token`` is what the browser sends for it; ``number`` is its place among the form's own
    options, None for others.
    """

    token: str
    kind: str
    value: Any
    label: str
    exclusive: bool = False
    number: int | None = None

    def is_answer(self, kind: str | None, value: Any) -> bool:
        """Whether an answer is this one."""
        if kind == "Coding" and self.kind == "Coding":
            return (value.get("system"), value.get("code")) == (
                self.value.get("system"),
                self.value.get("code"),
            )
        if kind == "Reference" and self.kind == "Reference":
            return bool(value.get("reference") == self.value.get("reference"))
        return kind == self.kind and bool(value == self.value)


def choices(lens: Lens, node: Node, language: str | None, expand: Expand) -> list[Choice]:
    """All that the question offers now, in order."""
    item = lens.item_now(node)
    if item.options:
        off = _off(lens, node)
        return [
            _of_option(number, option, language)
            for number, option in enumerate(item.options)
            if not any(_same(option, one) for one in off)
        ]
    computed = lens.given_by(node, "answers")
    if computed is not None:
        return _of_values(lens, computed, language)
    if item.answer_value_set:
        return [_of_coding(coding) for coding in expand(item.answer_value_set, language)[:MOST]]
    return []


def _of_option(number: int, option: Option, language: str | None) -> Choice:
    label = in_language(option.labels, language)
    value = option.value
    if option.kind == "Coding":
        value = _plain(option.value, label)
    return Choice(str(number), option.kind, value, label, option.exclusive, number)


def _plain(coding: Mapping[str, Any], label: str) -> dict[str, Any]:
    """The Coding as it is answered: its code, and the words that the patient saw."""
    made = {name: coding[name] for name in ("system", "version", "code") if name in coding}
    return {**made, "display": label} if "display" in coding else made


def _of_coding(coding: Mapping[str, Any]) -> Choice:
    token = f"{coding.get('system', '')}|{coding.get('code', '')}"
    label = str(coding.get("display") or coding.get("code") or "")
    kept = {
        name: coding[name] for name in ("system", "version", "code", "display") if name in coding
    }
    return Choice(token, "Coding", kept, label)


def _of_values(lens: Lens, found: Sequence[Any], language: str | None) -> list[Choice]:
    """The values of an expression; a Coding in the words of the question it was answered to."""
    words = _words(lens, language)
    made: dict[str, Choice] = {}
    for value in found:
        if isinstance(value, Mapping) and "code" in value:
            one = _of_coding(value)
            label = words.get((value.get("system"), value.get("code")), one.label)
            made.setdefault(one.token, Choice(one.token, one.kind, one.value, label))
        elif isinstance(value, str) and value.strip():
            made.setdefault(f"={value}", Choice(f"={value}", "string", value, value))
    return list(made.values())[:MOST]


def _words(lens: Lens, language: str | None) -> dict[tuple[Any, Any], str]:
    """The words of each coded option of the form, in the reader's language."""
    return {
        (option.value.get("system"), option.value.get("code")): in_language(
            option.labels, language
        )
        for item in lens.form.by_link_id.values()
        for option in item.options
        if option.kind == "Coding"
    }


def _off(lens: Lens, node: Node) -> list[tuple[Any, Any]]:
    """The options that toggles name while none that names them is on."""
    toggles = lens.switched(node)
    on = [option for options, is_on in toggles if is_on for option in options]
    return [
        option
        for options, is_on in toggles
        if not is_on
        for option in options
        if not any(_equal(option, other) for other in on)
    ]


def _same(option: Option, other: tuple[Any, Any]) -> bool:
    return _equal((option.kind, option.value), other)


def _equal(one: tuple[Any, Any], other: tuple[Any, Any]) -> bool:
    try:
        return equal(*one, *other) is True
    except UnitsDiffer:
        return False


def takes_own_words(item: Item) -> bool:
    """Whether the patient may write an answer of her own beside the options."""
    return item.type == "open-choice"
