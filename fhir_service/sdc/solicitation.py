"""A Task that asks a patient to fill a form: what it says, and the rules it keeps.

https://hl7.org/fhir/uv/sdc/STU4/StructureDefinition-sdc-task.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fhir_service.fhir.canonical import Canonical, read_canonical
from fhir_service.fhir.dates import span
from fhir_service.fhir.issues import Issue

SYSTEM: Final = "http://hl7.org/fhir/uv/sdc/CodeSystem/temp"
CODE: Final = "complete-questionnaire"
QUESTIONNAIRE: Final = "questionnaire"
ENDPOINT: Final = "response-endpoint"
RESPONSE: Final = "questionnaire-response"

OPEN: Final = ("requested", "ready", "received", "accepted", "in-progress", "on-hold")
"""The statuses in which a patient can still answer."""

BEGIN: Final = ("draft", "requested", "ready")
"""The statuses that a Task can be made with."""

BY_CLIENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "draft": ("draft", "requested", "ready", "cancelled", "entered-in-error"),
    **{
        status: (
            status,
            "requested",
            "ready",
            "received",
            "accepted",
            "on-hold",
            "rejected",
            "cancelled",
            "failed",
            "entered-in-error",
        )
        for status in OPEN
    },
    **{
        status: (status, "entered-in-error")
        for status in ("completed", "rejected", "cancelled", "failed")
    },
    "entered-in-error": ("entered-in-error",),
}
"""What a client may make of a Task. In-progress and completed follow from the response alone."""

STAYS: Final = ("intent", "code", "for", "authoredOn", "requester", "input", "groupIdentifier")
"""What never changes once it is stored."""

_RESPONSE = re.compile(r"QuestionnaireResponse/([A-Za-z0-9\-.]{1,64})")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a Task asks. ``deadline`` in microseconds since 1970, None without; ``response`` an id.

    ``group`` is the visit it belongs to: system and value of groupIdentifier.
    """

    status: str
    questionnaire: Canonical | None
    deadline: int | None
    response: str | None
    group: tuple[str, str] | None


def is_solicitation(task: Mapping[str, Any]) -> bool:
    """Whether it asks to fill a form."""
    return CODE in _codes(task.get("code"))


def read_task(task: Mapping[str, Any]) -> Asked:
    """What this Task says; its structure is sound FHIR."""
    forms = _typed(task.get("input"), QUESTIONNAIRE)
    outputs = _typed(task.get("output"), RESPONSE)
    named = forms[0][1].get("valueCanonical") if forms else None
    reference = outputs[0][1].get("valueReference", {}).get("reference", "") if outputs else ""
    found = _RESPONSE.search(reference)
    identifier = task.get("groupIdentifier") or {}
    value = identifier.get("value")
    return Asked(
        status=str(task.get("status")),
        questionnaire=read_canonical(named) if isinstance(named, str) else None,
        deadline=_deadline(task),
        response=found[1] if found else None,
        group=(identifier.get("system", ""), value) if value else None,
    )


def rules(task: Mapping[str, Any], own_bases: tuple[str, ...]) -> Iterator[Issue]:
    """What is wrong with a new Task, apart from its form and its patient.

    ``own_bases`` are the addresses under which a response may be asked to be sent: our own.
    """
    if not is_solicitation(task):
        says = f"A Task here asks to fill a form: its code is {CODE} of {SYSTEM}."
        yield _issue("task-code", "not-supported", says, "code")
        return
    forms = _typed(task.get("input"), QUESTIONNAIRE)
    if len(forms) != 1 or not isinstance(forms[0][1].get("valueCanonical"), str):
        says = f"Exactly one input of the type “{QUESTIONNAIRE}” names the form: valueCanonical."
        yield _issue("task-form", "invariant", says, "input")
    if "focus" in task:
        says = "sdc-t1: a Task that names its form as an input has no focus."
        yield _issue("task-focus", "invariant", says, "focus")
    for element in ("authoredOn", "requester", "for"):
        if element not in task:
            says = f"SDC asks for {element}: add it."
            yield _issue("task-incomplete", "required", says, element)
    if "output" in task:
        says = "The output is the response, and is set here when she answers. Leave it out."
        yield _issue("server-owned", "business-rule", says, "output")
    yield from _periods(task)
    yield from _endpoints(task, own_bases)


def moved(
    task: Mapping[str, Any],
    status: str,
    *,
    modified: str,
    response: str | None = None,
    reason: str | None = None,
) -> dict[str, Any]:
    """The Task with another status; ``response`` (an id) becomes its one output.

    ``modified`` is the instant of the change. Without ``response`` its output stays; an empty one
    takes the output away.
    """
    made = {**task, "status": status, "lastModified": modified}
    if response == "":
        made.pop("output", None)
    elif response is not None:
        coding = {"coding": [{"system": SYSTEM, "code": RESPONSE}]}
        reference = {"reference": f"QuestionnaireResponse/{response}"}
        made["output"] = [{"type": coding, "valueReference": reference}]
    if reason is not None:
        made["statusReason"] = {"text": reason}
    return made


def follows(status: str, response_status: str) -> str | None:
    """What a Task of this status becomes when its response is stored with that status.

    None: it stays. An amended answer changes nothing, a draft in error takes the Task back.
    """
    if status not in OPEN:
        return None
    return {
        "in-progress": "in-progress",
        "completed": "completed",
        "amended": "completed",
        "stopped": "in-progress",
        "entered-in-error": "accepted",
    }.get(response_status)


def _deadline(task: Mapping[str, Any]) -> int | None:
    """The end of restriction.period, else of executionPeriod: the visit's beginning."""
    for holder in (task.get("restriction", {}).get("period"), task.get("executionPeriod")):
        end = holder.get("end") if isinstance(holder, Mapping) else None
        if isinstance(end, str):
            try:
                return span(end).high
            except ValueError:
                return None
    return None


def _periods(task: Mapping[str, Any]) -> Iterator[Issue]:
    places = {
        "restriction.period": task.get("restriction", {}).get("period"),
        "executionPeriod": task.get("executionPeriod"),
    }
    for place, period in places.items():
        if not isinstance(period, Mapping) or not {"start", "end"} <= period.keys():
            continue
        try:
            backwards = span(period["end"]).high <= span(period["start"]).low
        except (ValueError, TypeError):
            continue  # told as malformed by the check of the structure
        if backwards:
            yield _issue("period-backwards", "value", "The end lies before the start.", place)


def _endpoints(task: Mapping[str, Any], own_bases: tuple[str, ...]) -> Iterator[Issue]:
    for number, one in _typed(task.get("input"), ENDPOINT):
        url = str(one.get("valueUrl", ""))
        if not any(url == base or url.startswith(f"{base}/") for base in own_bases):
            says = "Responses are taken here, and sent nowhere that a Task names."
            yield _issue("task-endpoint", "not-supported", says, f"input[{number}]")


def _typed(entries: Any, code: str) -> list[tuple[int, Mapping[str, Any]]]:
    found = entries if isinstance(entries, list) else []
    return [
        (number, one)
        for number, one in enumerate(found)
        if isinstance(one, Mapping) and code in _codes(one.get("type"))
    ]


def _codes(concept: Any) -> set[str]:
    """The codes of SDC's system in a CodeableConcept."""
    codings = concept.get("coding") if isinstance(concept, Mapping) else None
    return {
        str(coding.get("code"))
        for coding in (codings if isinstance(codings, list) else [])
        if isinstance(coding, Mapping) and coding.get("system") == SYSTEM
    }


def _issue(key: str, code: str, says: str, element: str) -> Issue:
    return Issue(key=key, code=code, says=says, expression=f"Task.{element}")
