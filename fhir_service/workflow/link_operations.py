"""$create-link and $revoke-link: an EHR asks for a link, or closes it.

http://hl7.org/fhir/R4/operations.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from fhir_service.fhir.dates import moment, span
from fhir_service.fhir.issues import NotUnderstood
from fhir_service.fhir.parameters import Accepts, parameter, parameters, read_parameters
from fhir_service.fhir.splice import instant
from fhir_service.workflow import links, tasks
from fhir_service.workflow.caller import Caller
from fhir_service.workflow.site import Site
from fhir_service.workflow.subjects import patient_named

CREATE: Final = {
    "questionnaire": Accepts("canonical"),
    "patient": Accepts("Reference"),
    "expires": Accepts("instant"),
    "uses": Accepts("integer"),
    "language": Accepts("code"),
    "response": Accepts("id"),
}
REVOKE: Final = {"link": Accepts("id")}
FOR_TASK: Final = {"language": Accepts("code")}


def create(site: Site, caller: Caller, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The Parameters with address, link, response and expires. Raises what create_link raises."""
    given = read_parameters(asked, CREATE)
    made = links.create_link(
        site,
        caller,
        patient=patient_of(site, given.get("patient")),
        questionnaire=_needed(given, "questionnaire"),
        terms=links.Terms(
            expires=_moment(given.get("expires")),
            uses=given.get("uses"),
            language=given.get("language"),
            response=given.get("response"),
        ),
    )
    return told(made)


def of_task(site: Site, caller: Caller, id_: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The Parameters of a link made for a Task. Raises what tasks.create_link raises."""
    given = read_parameters(asked, FOR_TASK)
    return told(tasks.create_link(site, caller, id_, given.get("language")))


def told(made: links.Link) -> dict[str, Any]:
    """A new link as Parameters."""
    reference = {"reference": f"QuestionnaireResponse/{made.response}"}
    return parameters(
        parameter("address", "url", made.address),
        parameter("link", "id", made.id),
        parameter("response", "Reference", reference),
        parameter("expires", "instant", instant(made.expires)),
    )


def revoke(site: Site, caller: Caller, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The Parameters with ``revoked``: whether it was open until now."""
    given = read_parameters(asked, REVOKE)
    was_open = links.revoke_link(site, caller, _needed(given, "link"))
    return parameters(parameter("revoked", "boolean", was_open))


def patient_of(site: Site, reference: Any) -> str:
    """The id of the Patient of ours that this Reference names. Raises NotUnderstood."""
    found = patient_named(reference, site.patient_bases)
    if found is None:
        raise NotUnderstood(
            "The patient is a Reference to a Patient of this server, such as “Patient/123”.",
            expression="Parameters.parameter.where(name = 'patient')",
        )
    return found


def _needed(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str):
        raise NotUnderstood(f"The parameter “{name}” is needed.", expression="Parameters")
    return value


def _moment(text: str | None) -> datetime | None:
    """The end of the day, minute or second that ``text`` names."""
    if text is None:
        return None
    try:
        return moment(span(text).high)
    except (ValueError, OverflowError):
        raise NotUnderstood(
            "The parameter “expires” is an instant such as 2026-12-01T12:00:00Z.",
            expression="Parameters.parameter.where(name = 'expires')",
        ) from None
