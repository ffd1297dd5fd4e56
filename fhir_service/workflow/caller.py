"""Who asks: the client, its token, and what the token reaches."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from fhir_service.fhir.issues import NotAllowed
from fhir_service.smart.access import COMPARTMENT, Access, Reach
from fhir_service.smart.scopes import Letter

CHANGE: Final = ".change"
"""Ends the id of a draft in which a patient changes what she has sent."""


@dataclass(frozen=True, slots=True)
class Bound:
    """The one response that a link opens, by its id, and its form (url|version)."""

    response: str
    questionnaire: str


@dataclass(slots=True)
class Trail:
    """What a request has met so far, for its audit line.

    ``seen``: (resource type, id, version, patient) of what was read. ``told``: that its line is
    written already, in the transaction of a write. ``query`` is the search without what could
    name anybody, ``address`` the network address that asks, ``user`` who is at the screen.
    ``about`` is the patient whose record elsewhere (in the EHR) was looked into.
    """

    seen: list[tuple[str, str, int, str | None]] = field(default_factory=list)
    told: bool = False
    query: str | None = None
    address: str | None = None
    user: str | None = None
    about: str | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """One signed-in client in one request. ``token`` is the token's id (jti), never the token.

    ``language`` is the one that findings are told in, None for English. ``bound`` is what a
    link opens: then nothing else of the patient is there for this caller.
    """

    client: str
    token: str | None
    access: Access
    request_id: str | None = None
    language: str | None = None
    bound: Bound | None = None
    trail: Trail = field(default_factory=Trail, compare=False)

    def meets(self, resource_type: str, id_: str | None = None) -> bool:
        """Whether this resource, or any of the type where no id is given, is there for the caller.

        Asked besides its rights: a link's session has those of its patient, for one response.
        """
        return (
            self.bound is None
            or resource_type not in COMPARTMENT - {"Patient"}
            or (
                resource_type == "QuestionnaireResponse"
                and id_ in (self.bound.response, f"{self.bound.response}{CHANGE}")
            )
        )

    def must(self, resource_type: str, *letters: Letter) -> Reach:
        """The reach of the first of these interactions that is allowed; else raises NotAllowed."""
        return self.access.must(resource_type, *letters)

    def must_whole(self, resource_type: str, *letters: Letter) -> Reach:
        """As ``must``, for what is made of many of them; a scope with a query is too narrow."""
        reach = self.must(resource_type, *letters)
        if reach.only:
            raise NotAllowed(
                f"This is made of a whole visit: it needs {resource_type} without a query."
            )
        return reach

    def is_patient(self) -> bool:
        """Whether the token is bound to one patient and reaches nobody else."""
        return self.access.patient is not None and all(
            scope.level == "patient" for scope in self.access.scopes
        )


def within(resource_type: str, reach: Reach) -> str | None:
    """The patient to whom the store is to be narrowed; None for what belongs to nobody."""
    return reach.patient if resource_type in COMPARTMENT else None
