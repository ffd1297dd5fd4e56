"""Which words of a form are not translated into a language that other words of it are.

http://hl7.org/fhir/R4/extension-translation.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fhir_service.fhir.issues import Issue
from fhir_service.sdc import extensions as ext
from fhir_service.sdc.form_rules.tree import ROOT, Json, Tree, finding

_MOST = 20
"""How many languages of a form are looked for."""


def translations(tree: Tree) -> Iterator[Issue]:
    """Q34: a form that is translated is so as a whole: title, texts, options, units are asked."""
    words = list(_words(tree))
    languages = sorted({language for *_, found in words for language in found if language})[:_MOST]
    own = tree.raw.get("language")
    for where, link_id, found in words:
        missing = [one for one in languages if one not in found and one != own]
        if missing:
            before = f"“{link_id}”: " if link_id else "The title: "
            says = f"{before}no translation into {', '.join(missing)}."
            yield finding("form-translation-missing", says, where, link_id)


Words = tuple[str, str | None, Mapping[str, str]]


def _words(tree: Tree) -> Iterator[Words]:
    """(place, linkId, words by language) of what a patient reads."""
    yield from _of(tree.raw, "title", ROOT, None)
    for place in tree.items:
        if place.value(ext.HIDDEN) is True:
            continue
        yield from _of(place.raw, "text", place.where, place.link_id)
        for number, option in enumerate(place.raw.get("answerOption", ())):
            where = f"{place.where}.answerOption[{number}]"
            coding: Any = option.get("valueCoding")
            if isinstance(coding, Mapping):
                yield from _of(coding, "display", f"{where}.value", place.link_id)
            else:
                yield from _of(option, "valueString", where, place.link_id)


def _of(element: Json, name: str, where: str, link_id: str | None) -> Iterator[Words]:
    found = ext.words_of(element, name)
    if found:
        yield f"{where}.{name}".replace("valueString", "value"), link_id, found
