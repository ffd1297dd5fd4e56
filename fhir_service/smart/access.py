"""May this token do this, and to whose records.

https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html
https://hl7.org/fhir/R4/compartmentdefinition-patient.html
"""

from __future__ import annotations

from dataclasses import dataclass

from fhir_service.fhir.issues import NotAllowed
from fhir_service.fhir.narrowing import Query
from fhir_service.smart.scopes import Letter, Scope

COMPARTMENT = frozenset(
    {
        "AuditEvent",
        "Bundle",
        "DocumentReference",
        "Observation",
        "Patient",
        "Provenance",
        "QuestionnaireResponse",
        "Task",
    }
)
"""The types that lie in a patient's compartment here; everything else is nobody's."""

PATIENT_MAY_WRITE = frozenset({"QuestionnaireResponse"})
"""The only type that a scope of the patient level can change."""

_DOES = {
    "c": "create",
    "r": "read",
    "u": "update",
    "d": "delete",
    "s": "search",
}


@dataclass(frozen=True, slots=True)
class Reach:
    """Whose records an allowed interaction reaches: one patient's, or anybody's (None).

    ``only`` narrows it further, to what one of these queries finds; empty: not at all.
    """

    patient: str | None
    only: tuple[Query, ...] = ()

    def includes(self, patient: str | None) -> bool:
        """Whether what lies in this patient's compartment is within reach."""
        return self.patient is None or self.patient == patient


@dataclass(frozen=True, slots=True)
class Access:
    """What a verified token grants: its scopes, and the patient it is bound to."""

    scopes: tuple[Scope, ...]
    patient: str | None = None

    def may(self, resource_type: str, letter: Letter) -> Reach | None:
        """The reach of this interaction on this type, the widest of all scopes; None: not allowed.

        A scope of the patient level reaches only the token's patient, and nothing without one;
        it never changes what belongs to nobody (forms, value sets).
        """
        covering = [s for s in self.scopes if s.covers(resource_type, letter)]
        wide = [s for s in covering if s.level != "patient"]
        if wide:
            return Reach(None, _only(wide))
        if not covering or self.patient is None:
            return None
        if resource_type not in COMPARTMENT:
            return Reach(None, _only(covering)) if letter in "rs" else None
        if letter in "cud" and resource_type not in PATIENT_MAY_WRITE:
            return None
        return Reach(self.patient, _only(covering))

    def must(self, resource_type: str, *letters: Letter) -> Reach:
        """The reach of the first of these interactions that is allowed; else raises NotAllowed."""
        for letter in letters:
            reach = self.may(resource_type, letter)
            if reach is not None:
                return reach
        wanted = f"{resource_type}.{letters[0]}"
        raise NotAllowed(
            f"This token may not {_DOES[letters[0]]} {resource_type}: it needs a scope such as "
            f"system/{wanted}, user/{wanted} or patient/{wanted} (with a patient)."
        )


def _only(covering: list[Scope]) -> tuple[Query, ...]:
    """The queries that narrow these scopes; none where one of them is not narrowed."""
    if not all(scope.query for scope in covering):
        return ()
    return tuple(dict.fromkeys(scope.query for scope in covering))
