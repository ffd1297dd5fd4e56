"""Advice to the author of a form that no standard asks for: plain words, help in its place.

https://www.plainlanguage.gov/guidelines/audience/
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from fhir_service.fhir.issues import Issue
from fhir_service.sdc import extensions as ext
from fhir_service.sdc.form_rules.tree import ROOT, Place, Tree, finding, plant
from fhir_service.sdc.readability import grade, words_in

DEFAULT_GRADE: Final = 6.0
"""The school grade that patients' texts are asked to be read by."""

LONGEST_TEXT: Final = 400
"""How many characters one text may have."""

_ENOUGH_WORDS = 20
"""A text of fewer words has no reading level of its own; it counts for the form's."""

_HELP = frozenset({"help", "flyover"})


def lint_questionnaire(
    questionnaire: Mapping[str, Any], most_grade: float = DEFAULT_GRADE
) -> tuple[Issue, ...]:
    """Advice on a Questionnaire that check_questionnaire lets pass; warnings, nothing worse.

    ``most_grade`` is the school grade that may be needed to read it, in English and in Spanish;
    texts in other languages have no reading level here.
    """
    tree = plant(questionnaire)
    found = list(_whole(tree, most_grade))
    for place in tree.items:
        if not _hidden(place):
            for rule in _RULES:
                found.extend(rule(place, tree, most_grade))
    return tuple(found)


def _hidden(place: Place) -> bool:
    return any(one.value(ext.HIDDEN) is True for one in (place, *place.around()))


def _own_language(tree: Tree) -> str:
    return str(tree.raw.get("language", "en"))


def _texts(place: Place, tree: Tree) -> Iterator[tuple[str, str]]:
    """(language, words) of the item's text."""
    for language, words in ext.words_of(place.raw, "text").items():
        yield language or _own_language(tree), words


def _whole(tree: Tree, most_grade: float) -> Iterator[Issue]:
    """L1: all texts of the form together can be read by many, in each language."""
    joined: dict[str, list[str]] = defaultdict(list)
    for place in tree.items:
        if not _hidden(place):
            for language, words in _texts(place, tree):
                joined[language].append(words)
    for language, texts in joined.items():
        text = "\n".join(texts)
        needed = grade(text, language)
        if needed is not None and needed > most_grade and words_in(text) >= _ENOUGH_WORDS:
            says = f"The texts in “{language}” are read by grade {needed:.1f}, not {most_grade:g}."
            yield finding("lint-reading-level", says, ROOT)


def reading_level(place: Place, tree: Tree, most_grade: float) -> Iterator[Issue]:
    """L1: one long text can be read by many."""
    for language, words in _texts(place, tree):
        needed = grade(words, language)
        if needed is not None and needed > most_grade and words_in(words) >= _ENOUGH_WORDS:
            says = f"in “{language}” it is read by grade {needed:.1f}, not {most_grade:g}."
            yield place.tell("lint-reading-level", says, "text")


def short(place: Place, tree: Tree, _: float) -> Iterator[Issue]:
    """L2: a text is short enough to be read."""
    for language, words in _texts(place, tree):
        if len(words) > LONGEST_TEXT:
            says = f"the text in “{language}” has {len(words)} characters, over {LONGEST_TEXT}."
            yield place.tell("lint-text-long", says, "text")


def help_in_place(place: Place, _: Tree, __: float) -> Iterator[Issue]:
    """L3: a help text lies in the question or group that it explains.

    http://hl7.org/fhir/R4/valueset-questionnaire-item-control.html
    """
    if place.control() in _HELP and place.parent is None:
        yield place.tell("lint-help-without-question", "the help lies in no question or group.")


_RULES: Final[tuple[Callable[[Place, Tree, float], Iterator[Issue]], ...]] = (
    reading_level,
    short,
    help_in_place,
)
