"""A Questionnaire read once into plain frozen items, in which what must exist does exist.

http://hl7.org/fhir/R4/questionnaire.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

ItemType = Literal[
    "group",
    "display",
    "boolean",
    "decimal",
    "integer",
    "date",
    "dateTime",
    "time",
    "string",
    "text",
    "url",
    "choice",
    "open-choice",
    "attachment",
    "reference",
    "quantity",
    "question",
]

ValueKind = Literal[
    "boolean",
    "decimal",
    "integer",
    "date",
    "dateTime",
    "time",
    "string",
    "uri",
    "Attachment",
    "Coding",
    "Quantity",
    "Reference",
]


@dataclass(frozen=True, slots=True)
class Option:
    """One offered answer. ``value`` is the JSON value (for a Coding its dictionary).

    ``labels`` are the words shown, by language, the form's own language under "".
    ``weight`` is itemWeight or ordinalValue, as written.
    """

    kind: ValueKind
    value: Any
    labels: Mapping[str, str]
    exclusive: bool = False
    initial: bool = False
    weight: Any = None


@dataclass(frozen=True, slots=True)
class Condition:
    """One enableWhen. ``kind`` and ``value`` are the answer[x] it compares with."""

    question: str
    operator: Literal["exists", "=", "!=", ">", "<", ">=", "<="]
    kind: ValueKind
    value: Any


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a form. ``texts`` are its words by language, the form's own language under "".

    ``parent`` is the linkId of the item it lies in, None at the root. ``extensions`` are its
    extensions by url, each url with its list of extension dictionaries, for rules that need more.
    ``computed`` are the elements whose value an expression gives (``answerValueSet``).
    """

    link_id: str
    type: ItemType
    texts: Mapping[str, str]
    parent: str | None = None
    prefix: str | None = None
    definition: str | None = None
    required: bool = False
    repeats: bool = False
    read_only: bool = False
    hidden: bool = False
    control: str | None = None
    max_length: int | None = None
    min_occurs: int | None = None
    max_occurs: int | None = None
    codes: tuple[Mapping[str, Any], ...] = ()
    options: tuple[Option, ...] = ()
    answer_value_set: str | None = None
    enable_when: tuple[Condition, ...] = ()
    enable_behavior: Literal["all", "any"] = "all"
    initial: tuple[Any, ...] = ()
    items: tuple[Item, ...] = ()
    extensions: Mapping[str, tuple[Mapping[str, Any], ...]] = field(default_factory=dict)
    computed: tuple[str, ...] = ()

    def text(self, language: str | None = None) -> str:
        """Its words in that language; the form's own where it has none; "" for neither."""
        return in_language(self.texts, language)


def in_language(words: Mapping[str, str], language: str | None) -> str:
    """The words in ``language`` (es-MX, else es, else the form's own); "" when there are none."""
    if language:
        if language in words:
            return words[language]
        broader = language.partition("-")[0]
        if broader in words:
            return words[broader]
    return words.get("", "")
