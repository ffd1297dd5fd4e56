"""What one EHR accepts: a ladder of routes, the best first, each with what is sent and how.

Made from mappings/ehr-targets/*.toml by the catalogue; which route is taken is decided against
the EHR's CapabilityStatement (plan.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

RouteKind = Literal["note", "response", "document", "folder"]
Rendering = Literal["text", "html", "pdf", "document"]
Needed = Literal["required", "when-known", "never"]
Replacement = Literal["relates-to", "new-note", "by-hand"]
Withdrawal = Literal["update", "by-hand"]
Author = Literal["none", "patient"]

RESOURCE: dict[RouteKind, str] = {
    "note": "DocumentReference",
    "response": "QuestionnaireResponse",
    "document": "Bundle",
    "folder": "",
}
"""The resource that a route creates at the EHR; a folder takes files."""

ROUTE_KINDS: tuple[RouteKind, ...] = get_args(RouteKind)
RENDERINGS: tuple[Rendering, ...] = get_args(Rendering)
NEEDED: tuple[Needed, ...] = get_args(Needed)


@dataclass(frozen=True, slots=True)
class Code:
    """A Coding; ``display`` None where the EHR knows its own name for it."""

    system: str
    code: str
    display: str | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """One attachment, or one file: a rendering in its content type, at most so many bytes.

    ``ascii_only``: every other sign is written as a visible escape of its code point.
    """

    rendering: Rendering
    content_type: str
    most_bytes: int
    ascii_only: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """One way into the chart.

    ``encounter`` and ``period``: whether the visit's Encounter, and its time, must or may go
    along. ``identifier``: whether our identifier of the note is sent; only then it can be read
    back. ``conditional_create``: whether If-None-Exist may be relied on where the EHR declares
    it. ``read_back``: whether a lost answer is looked up by that identifier. ``replacement``: what
    an amended response does to the note before; ``withdrawal``: what one entered in error does.
    ``accepted`` are the statuses that count as filed, with an id where ``needs_id``.
    ``lost`` says in words what does not arrive by this route.
    """

    kind: RouteKind
    contents: tuple[Content, ...] = ()
    type_codes: tuple[Code, ...] = ()
    type_text: str | None = None
    categories: tuple[Code, ...] = ()
    doc_status: str | None = None
    encounter: Needed = "when-known"
    period: Needed = "when-known"
    author: Author = "none"
    identifier: bool = True
    patient_asserted: bool = False
    conditional_create: bool = False
    read_back: bool = False
    replacement: Replacement = "new-note"
    withdrawal: Withdrawal = "by-hand"
    accepted: tuple[int, ...] = (201,)
    needs_id: bool = True
    lost: tuple[str, ...] = ()

    @property
    def resource_type(self) -> str:
        """The resource that it creates; "" for a folder."""
        return RESOURCE[self.kind]


@dataclass(frozen=True, slots=True)
class Target:
    """One kind of EHR. ``extracted``: whether extracted resources are sent where asked for.

    ``attempts`` bounds how often one delivery is tried where trying again is safe.
    """

    name: str
    title: str
    routes: tuple[Route, ...]
    extracted: bool = False
    attempts: int = 200
    remarks: tuple[str, ...] = ()
