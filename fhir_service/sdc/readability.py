"""How hard a text is to read, in school grades: English and Spanish.

Flesch-Kincaid (https://apps.dtic.mil/sti/citations/ADA006655) for English; for Spanish the
Fernandez-Huerta score (https://legible.es/blog/lecturabilidad-fernandez-huerta/) and its scale.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

_WORD = re.compile(r"[^\W\d_]+(?:['’\-][^\W\d_]+)*")
_SENTENCE = re.compile(r"[.!?…:;]+(?=\s|$)|\n+")

_ENGLISH_VOWELS = re.compile(r"[aeiouy]+")
_SILENT = re.compile(r"(?:[^laeiouycghsxz]es|[^dt]ed|[^l]e)$")
_SPANISH_NUCLEUS = re.compile(
    r"uy\b|[iuü]?[aeoáéó][iuüy](?![aeoáéó])|[iuü]?[aeoáéó]|[iuü]{2}|[íúiuü]|y\b", re.IGNORECASE
)


def _english(word: str) -> int:
    """About how many syllables an English word has: groups of vowels, a silent ending left out."""
    plain = word.lower()
    count = len(_ENGLISH_VOWELS.findall(plain))
    if count > 1 and _SILENT.search(plain):
        count -= 1
    return max(count, 1)


def _spanish(word: str) -> int:
    """How many syllables a Spanish word has: its vowels, diphthongs counted once."""
    plain = re.sub(r"qu|gu(?=[eiéí])", "q", word.lower())
    return max(len(_SPANISH_NUCLEUS.findall(plain)), 1)


_GRADES_OF_SCORES: Final = ((90, 4), (80, 5), (70, 6), (60, 8), (50, 11), (30, 14))
"""The scale of Fernandez-Huerta: a score of at least so much, and the grade that reads it."""


def _flesch_kincaid(words_a_sentence: float, syllables_a_word: float) -> float:
    return 0.39 * words_a_sentence + 11.8 * syllables_a_word - 15.59


def _fernandez_huerta(words_a_sentence: float, syllables_a_word: float) -> float:
    score = 206.84 - 60 * syllables_a_word - 1.02 * words_a_sentence
    return next((float(grade) for least, grade in _GRADES_OF_SCORES if score >= least), 16.0)


_LANGUAGES: Mapping[str, tuple[Callable[[str], int], Callable[[float, float], float]]] = {
    "en": (_english, _flesch_kincaid),
    "es": (_spanish, _fernandez_huerta),
}


def words_in(text: str) -> int:
    """How many words it has; numbers are none."""
    return len(_WORD.findall(text))


def grade(text: str, language: str) -> float | None:
    """The school grade (US, years of school) that reads it; None in languages not known here.

    A text without words is read by everybody: 0. Of a short text it says little; ask for one of
    some twenty words or more.
    """
    known = _LANGUAGES.get(language.split("-", maxsplit=1)[0].lower())
    if known is None:
        return None
    syllables, formula = known
    words = _WORD.findall(text)
    if not words:
        return 0.0
    parts = [part for part in _SENTENCE.split(text) if _WORD.search(part)]
    sentences = max(len(parts), 1)
    return max(formula(len(words) / sentences, sum(map(syllables, words)) / len(words)), 0.0)
