"""The entries of the transaction while they are made, and what was found on the way.

http://hl7.org/fhir/R4/http.html#transaction
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from fhir_service.fhir.issues import Issue

MOST_ENTRIES: Final = 1_000

Json = Mapping[str, Any]


@dataclass(slots=True)
class Entry:
    """One resource that is to be created, or updated where it has an id.

    ``name`` tells the entries of one response apart, the same for the same answers. ``request``
    holds ifMatch and the like. ``method`` overrides what the id says.
    """

    name: str
    resource: dict[str, Any]
    full_url: str
    request: dict[str, Any] = field(default_factory=dict)
    given: dict[str, Any] | None = None

    def written(self) -> dict[str, Any]:
        """The entry as FHIR JSON."""
        if self.given is not None:
            return {"fullUrl": self.full_url, "resource": self.resource, "request": self.given}
        type_, id_ = self.resource["resourceType"], self.resource.get("id")
        request = {
            "method": "PUT" if id_ else "POST",
            "url": f"{type_}/{id_}" if id_ else type_,
            **self.request,
        }
        return {"fullUrl": self.full_url, "resource": self.resource, "request": request}


class Drafts:
    """The entries, in the order they are to be sent, and the issues."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.issues: list[Issue] = []

    def add(self, entry: Entry) -> None:
        """Keep an entry; beyond the most that are made it is told and left out."""
        if len(self.entries) >= MOST_ENTRIES:
            self.tell("extract-too-many", "too-long", f"More than {MOST_ENTRIES} resources.")
            return
        self.entries.append(entry)

    def tell(
        self,
        key: str,
        code: str,
        says: str,
        link_id: str | None = None,
        expression: str | None = None,
    ) -> None:
        """Note, once, what could not be extracted."""
        issue = Issue(key, code, says, severity="warning", link_id=link_id, expression=expression)
        if issue not in self.issues:
            self.issues.append(issue)
