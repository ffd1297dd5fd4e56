"""Form and response side by side: every item of the form, with the answers given to it and their places.

The slow, complete lens, for the summary and for collecting every finding; the hot path walks the
decoded response itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fhir_service.sdc.items import Item, ValueKind


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. ``place`` is its FHIRPath (``QuestionnaireResponse.item[0].answer[1]``).

    ``value`` is the JSON value, decimals as Decimal; None where an answer carries only extensions.
    """

    kind: ValueKind | None
    value: Any
    place: str
    nodes: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Node:
    """One item, or one instance of a repeating group, beside what was answered.

    ``place`` is None when the response does not have the item. ``enabled`` is what the form's
    conditions say of it, its ancestors included. ``nodes`` are a group's children; a
    question's children lie under its answers (under the question itself while unanswered).
    """

    item: Item
    place: str | None
    enabled: bool
    answers: tuple[Answer, ...] = ()
    nodes: tuple[Node, ...] = ()
