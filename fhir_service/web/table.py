"""The one table of the FHIR doors: which type offers what, and which use case does it.

The routes and the CapabilityStatement are both made from it, so they can not differ.
http://hl7.org/fhir/R4/capabilitystatement.html
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from fhir_service.workflow import patients, publish, submit, tasks
from fhir_service.workflow.caller import Caller
from fhir_service.workflow.ports import Stored
from fhir_service.workflow.site import Site
from fhir_service.workflow.telling import Kept

Create = Callable[[Site, Caller, bytes], Kept]
Update = Callable[[Site, Caller, str, bytes, int | None], Kept]
Delete = Callable[[Site, Caller, str], Stored]

Interaction = Literal[
    "read",
    "vread",
    "history-instance",
    "history-type",
    "search-type",
    "create",
    "update",
    "delete",
]

READING: tuple[Interaction, ...] = ("read", "vread", "history-instance", "search-type")

CORE = "http://hl7.org/fhir/OperationDefinition"
SDC = "http://hl7.org/fhir/uv/sdc/OperationDefinition"
OURS = "https://fhir-service.example.org/fhir/OperationDefinition"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a type: its name without ``$``, its definition, and where it is offered."""

    name: str
    definition: str
    on_type: bool = False
    on_instance: bool = False
    methods: tuple[str, ...] = ("POST",)


@dataclass(frozen=True, slots=True)
class Offer:
    """What is offered of one resource type; a write that is None is not offered.

    ``stored`` False: it is read out of the audit, so its versions have no history of the type.
    """

    resource_type: str
    create: Create | None = None
    update: Update | None = None
    delete: Delete | None = None
    operations: tuple[Operation, ...] = ()
    update_create: bool = True
    stored: bool = True
    profile: str | None = None
    documentation: str = ""

    def interactions(self) -> tuple[Interaction, ...]:
        """FHIR's codes of what is offered, reading first."""
        found = list(READING)
        if self.stored:
            found.append("history-type")
        if self.create:
            found.append("create")
        if self.update:
            found.append("update")
        if self.delete:
            found.append("delete")
        return tuple(found)


def _publishing(resource_type: str, documentation: str, *operations: Operation) -> Offer:
    def update(site: Site, caller: Caller, id_: str, body: bytes, if_match: int | None) -> Kept:
        return publish.update(site, caller, resource_type, id_, body, if_match)

    def create(site: Site, caller: Caller, body: bytes) -> Kept:
        return publish.create(site, caller, resource_type, body)

    def delete(site: Site, caller: Caller, id_: str) -> Stored:
        return publish.delete(site, caller, resource_type, id_)

    return Offer(resource_type, create, update, delete, operations, documentation=documentation)


_BOTH = ("GET", "POST")

OFFERS: tuple[Offer, ...] = (
    _publishing(
        "Questionnaire",
        "Forms. An active version never changes; the same content again is welcome.",
        Operation("validate", f"{CORE}/Resource-validate", on_type=True),
        Operation(
            "populate",
            f"{SDC}/Questionnaire-populate",
            on_type=True,
            on_instance=True,
            methods=_BOTH,
        ),
        Operation("create-link", f"{OURS}/Questionnaire-create-link", on_type=True),
        Operation("revoke-link", f"{OURS}/Questionnaire-revoke-link", on_type=True),
    ),
    Offer(
        "QuestionnaireResponse",
        submit.create,
        submit.update,
        submit.delete,
        operations=(
            Operation("validate", f"{CORE}/Resource-validate", on_type=True),
            Operation(
                "extract",
                f"{SDC}/QuestionnaireResponse-extract",
                on_type=True,
                on_instance=True,
                methods=_BOTH,
            ),
            Operation(
                "summary",
                f"{OURS}/QuestionnaireResponse-summary",
                on_instance=True,
                methods=_BOTH,
            ),
        ),
        documentation=(
            "Answers, checked against the exact version of their form and kept byte for byte."
        ),
    ),
    _publishing(
        "ValueSet",
        "Value sets, expanded from what is stored here.",
        Operation(
            "expand", f"{CORE}/ValueSet-expand", on_type=True, on_instance=True, methods=_BOTH
        ),
        Operation(
            "validate-code",
            f"{CORE}/ValueSet-validate-code",
            on_type=True,
            on_instance=True,
            methods=_BOTH,
        ),
    ),
    _publishing(
        "CodeSystem",
        "Code systems that the forms use.",
        Operation("lookup", f"{CORE}/CodeSystem-lookup", on_type=True, methods=_BOTH),
    ),
    _publishing(
        "ConceptMap",
        "Maps between codes of the forms and codes elsewhere.",
        Operation(
            "translate",
            f"{CORE}/ConceptMap-translate",
            on_type=True,
            on_instance=True,
            methods=_BOTH,
        ),
    ),
    Offer(
        "Patient",
        patients.create,
        patients.update,
        documentation="Patients, as far as links, banner and checks of identity need them.",
    ),
    Offer(
        "Task",
        tasks.create,
        tasks.update,
        operations=(Operation("create-link", f"{OURS}/Task-create-link", on_instance=True),),
        documentation=(
            "Asks a patient to fill a form (code complete-questionnaire). Its status follows the "
            "response, in the same transaction."
        ),
    ),
    Offer("DocumentReference", documentation="Notes that were made of answers."),
    Offer("Bundle", documentation="Documents that were made of answers."),
    Offer(
        "AuditEvent",
        stored=False,
        documentation="Who did what, read out of the audit; the newest first.",
    ),
    Offer(
        "Provenance",
        stored=False,
        documentation="Of each version of what lies with a patient, read out of the audit.",
    ),
    Offer("Observation", documentation="Single facts that were taken out of answers."),
    Offer("OperationDefinition", documentation="The operations that are this server's own."),
    Offer("SearchParameter", documentation="The search parameters that are this server's own."),
)

SYSTEM_OPERATIONS: tuple[Operation, ...] = (
    Operation("process-response", f"{SDC}/Questionnaire-process-response"),
)

PLANNED_TYPES = ("Binary",)
"""Types with a place here that are not built yet: 501, and not in the CapabilityStatement."""
