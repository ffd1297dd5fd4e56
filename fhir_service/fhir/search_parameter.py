"""One search parameter: its name, its kind, and where in a resource its values stand.

http://hl7.org/fhir/R4/searchparameter.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["token", "reference", "date", "string", "uri", "number", "composite"]

CORE = "http://hl7.org/fhir/SearchParameter/"
SDC = "http://hl7.org/fhir/uv/sdc/SearchParameter/"

Column = Literal["id", "last_updated", "patient", "canonical", "version", "status", "date"]

MODIFIERS: dict[Kind, tuple[str, ...]] = {
    "token": ("not", "missing"),
    "reference": ("missing",),
    "date": ("missing",),
    "string": ("exact", "contains", "missing"),
    "uri": ("below", "missing"),
    "number": (),
    "composite": (),
}
"""The modifiers that work, for each kind. http://hl7.org/fhir/R4/search.html#modifiers"""


@dataclass(frozen=True, slots=True)
class SearchParameter:
    """One search parameter of one resource type.

    ``paths`` lead from the resource to its values: names with dots, ``*`` where a member nests in
    itself. ``system`` says which system a plain code has: a URL, or the name of the member that
    holds it, in the nearest object around the code that has one. ``column`` is set where the
    value has a place of its own in the index. ``targets`` are the types a reference may lead to.
    """

    name: str
    kind: Kind
    definition: str
    paths: tuple[str, ...]
    system: str = ""
    targets: tuple[str, ...] = ()
    column: Column | None = None
    sortable: bool = False

    @property
    def modifiers(self) -> tuple[str, ...]:
        """What may follow its name after a colon; the types of its targets come on top."""
        return () if self.column in ("id", "last_updated") else MODIFIERS[self.kind]

    @property
    def leads_to_a_form(self) -> bool:
        """Whether more can be asked of the form that it names (``questionnaire.code``)."""
        return self.column == "canonical" and bool(self.targets)
