"""Reads the items of a Questionnaire into frozen Items.

http://hl7.org/fhir/R4/questionnaire.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from fhir_service.sdc import extensions as ext
from fhir_service.sdc.items import Condition, Item, Option, ValueKind

KINDS: Mapping[str, ValueKind] = {kind[0].upper() + kind[1:]: kind for kind in get_args(ValueKind)}
"""What follows ``value`` or ``answer`` in a choice element's name, and the type it tells."""


def choice(element: Mapping[str, Any], prefix: str) -> tuple[ValueKind, Any] | None:
    """(type, value) of ``prefix[x]`` in this element; None when there is none."""
    for key, value in element.items():
        if key.startswith(prefix) and key[len(prefix) :] in KINDS:
            return KINDS[key[len(prefix) :]], value
    return None


def read_items(items: Sequence[Mapping[str, Any]], parent: str | None = None) -> tuple[Item, ...]:
    """The Items of ``Questionnaire.item``, in order, with all that lies in them."""
    return tuple(_item(item, parent) for item in items)


def _item(raw: Mapping[str, Any], parent: str | None) -> Item:
    extensions = ext.by_url(raw.get("extension"))
    return Item(
        link_id=raw["linkId"],
        type=raw["type"],
        texts=ext.words_of(raw, "text"),
        parent=parent,
        prefix=raw.get("prefix"),
        definition=raw.get("definition"),
        required=raw.get("required", False),
        repeats=raw.get("repeats", False),
        read_only=raw.get("readOnly", False),
        hidden=ext.value(extensions, ext.HIDDEN) is True,
        control=_control(extensions),
        max_length=raw.get("maxLength"),
        min_occurs=_whole(ext.value(extensions, ext.MIN_OCCURS)),
        max_occurs=_whole(ext.value(extensions, ext.MAX_OCCURS)),
        codes=tuple(raw.get("code", ())),
        options=_options(raw),
        answer_value_set=raw.get("answerValueSet"),
        enable_when=_conditions(raw),
        enable_behavior=raw.get("enableBehavior", "all"),
        initial=_initial(raw),
        items=read_items(raw.get("item", ()), raw["linkId"]),
        extensions=extensions,
        computed=tuple(name[1:] for name in raw if name[0] == "_" and _is_computed(raw[name])),
    )


def _is_computed(sibling: Any) -> bool:
    """Whether an element has an expression for its value, by the old or the new extension."""
    given = sibling.get("extension", ()) if isinstance(sibling, Mapping) else ()
    return any(one.get("url") in (ext.CQF_EXPRESSION, ext.CQF_CALCULATED_VALUE) for one in given)


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _control(extensions: ext.Extensions) -> str | None:
    """The code of itemControl, http://hl7.org/fhir/R4/extension-questionnaire-itemcontrol.html"""
    concept = ext.value(extensions, ext.ITEM_CONTROL)
    for coding in concept.get("coding", ()) if isinstance(concept, Mapping) else ():
        if isinstance(coding.get("code"), str):
            return str(coding["code"])
    return None


def _initial(raw: Mapping[str, Any]) -> tuple[Any, ...]:
    given = (choice(initial, "value") for initial in raw.get("initial", ()))
    return tuple(found[1] for found in given if found is not None)


def _conditions(raw: Mapping[str, Any]) -> tuple[Condition, ...]:
    read = []
    for when in raw.get("enableWhen", ()):
        answer = choice(when, "answer")
        if answer is not None:
            read.append(Condition(when["question"], when["operator"], *answer))
    return tuple(read)


def _options(raw: Mapping[str, Any]) -> tuple[Option, ...]:
    return tuple(
        _option(option, *found)
        for option in raw.get("answerOption", ())
        if (found := choice(option, "value")) is not None
    )


def _option(raw: Mapping[str, Any], kind: ValueKind, value: Any) -> Option:
    extensions = ext.by_url(raw.get("extension"))
    inner = ext.by_url(value.get("extension")) if isinstance(value, Mapping) else {}
    weight = None
    for found in (extensions, inner):
        for url in (ext.ITEM_WEIGHT, ext.ORDINAL_VALUE):
            weight = ext.value(found, url) if weight is None else weight
    return Option(
        kind=kind,
        value=value,
        labels=_labels(raw, kind, value),
        exclusive=ext.value(extensions, ext.OPTION_EXCLUSIVE) is True,
        initial=raw.get("initialSelected", False),
        weight=weight,
    )


def _labels(raw: Mapping[str, Any], kind: ValueKind, value: Any) -> dict[str, str]:
    if isinstance(value, Mapping):
        words = ext.words_of(value, "display")
        words.setdefault("", str(value.get("code", value.get("reference", ""))))
        return words
    name = "value" + kind[0].upper() + kind[1:]
    return {"": str(value), **dict(ext.translations(raw.get("_" + name)))}
