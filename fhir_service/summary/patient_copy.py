"""The patient's own copy, as it is printed: her questions with room to write, then her answers.

Only her words, and those of her forms and pages in her language.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Question:
    """One question that she wants to ask; ``rank`` is 1 for the most important, 0 for none."""

    words: str
    rank: int = 0


@dataclass(frozen=True, slots=True)
class CopyRow:
    """A question of the form with her answers; ``none`` says why there are none."""

    label: str
    answers: tuple[str, ...]
    none: str


@dataclass(frozen=True, slots=True)
class CopySection:
    """The questions of the form under one heading."""

    title: str
    rows: tuple[CopyRow, ...]


@dataclass(frozen=True, slots=True)
class PatientCopy:
    """One copy. ``name`` is "" where it is not known; ``made`` is when the answers were stored.

    ``watch`` says that nobody watches, and where to call; ``room`` is over lines to write on.
    """

    language: str
    made: datetime
    title: str
    name: str
    sent: str
    reviewed: str
    watch: str
    asks: str
    questions: tuple[Question, ...]
    room: str
    answers: str
    form: str
    sections: tuple[CopySection, ...]
