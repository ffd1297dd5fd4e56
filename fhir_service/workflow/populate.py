"""$populate: a response in progress with what the record, and what was given, know already.

Nothing is stored. https://hl7.org/fhir/uv/sdc/STU4/OperationDefinition-Questionnaire-populate.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fhir_service.fhir.issues import Issue, NotAllowed
from fhir_service.sdc.compiled import Form
from fhir_service.sdc.population import Context, fill
from fhir_service.sdc.population.fetching import Fetch, Fetched, NotFetched
from fhir_service.sdc.population.leaving_out import sound
from fhir_service.sdc.population.plan import plan_of
from fhir_service.workflow.caller import Caller
from fhir_service.workflow.record_queries import RecordQueries
from fhir_service.workflow.site import Site
from fhir_service.workflow.terminology import StoredCodes

__all__ = ["Context", "Populated", "populate"]


@dataclass(frozen=True, slots=True)
class Populated:
    """A QuestionnaireResponse (status in-progress) and what could not be filled, as warnings.

    Each answer that was filled carries the extension answer-source (sdc/population/origins.py).
    """

    response: dict[str, Any]
    issues: tuple[Issue, ...]


def populate(
    site: Site,
    caller: Caller,
    questionnaire: Form,
    *,
    subject: str | None,
    contexts: Sequence[Context] = (),
    local: bool = False,
) -> Populated:
    """The response of this form with the answers that are known.

    ``subject`` is the id of the patient it is about. ``local`` asks the EHR and our own earlier
    responses for what the ``contexts`` do not give; else the contexts alone are used. Raises
    NotAllowed when the caller may not read forms, or write answers for this patient; all else
    that goes wrong is told in the issues, and what it would have answered is left open.
    """
    caller.must("Questionnaire", "r", "s")
    if not caller.must("QuestionnaireResponse", "c").includes(subject):
        raise NotAllowed("This token may not write answers for that patient.")
    caller.trail.about = subject
    issues: list[Issue] = []
    fetch = _fetch(site, caller, subject) if local else None
    given = [*contexts]
    if fetch is not None and subject is not None:
        given += _launched(questionnaire, contexts, fetch, subject, issues)
    codes = StoredCodes(site.desk.reading(), site.terminology)
    now, zone = site.clock.now(), site.zone
    filled = fill(
        questionnaire,
        now=now,
        zone=zone,
        subject=None if subject is None else f"Patient/{subject}",
        contexts=given,
        fetch=fetch,
    )
    kept = sound(questionnaire, filled, codes=codes, language=caller.language, now=now, zone=zone)
    return Populated(kept.response, (*issues, *kept.issues))


def _fetch(site: Site, caller: Caller, subject: str | None) -> Fetch:
    return RecordQueries(site, caller, subject, site.ehr)


def referred(
    site: Site,
    caller: Caller,
    reference: str,
    subject: str | None,
    *,
    local: bool,
    found: list[Issue],
) -> Fetched | None:
    """What a reference in a context names, read as a query would; None, and told, if not."""
    try:
        if local:
            return _fetch(site, caller, subject)(reference)
        says = "A context is given by reference, and local is not true: not read."
    except NotFetched as why:
        says = why.says
    found.append(Issue("populate-not-fetched", "incomplete", says, severity="warning"))
    return None


def _launched(
    form: Form,
    contexts: Sequence[Context],
    fetch: Fetch,
    subject: str,
    issues: list[Issue],
) -> list[Context]:
    """The patient whom the form asks for as launch context, where she was not given.

    Where she can not be read she is known by her id alone, so that queries about her can be sent.
    """
    given = {one.name for one in contexts}
    for name, types in plan_of(form).launched.items():
        if name == "patient" and name not in given and "Patient" in (types or ("Patient",)):
            try:
                found = fetch(f"Patient/{subject}")
                return [Context(name, (found.resource,), found.base)]
            except NotFetched as why:
                says = f"The patient could not be read. {why.says}"
                issues.append(
                    Issue("populate-not-fetched", "incomplete", says, severity="warning")
                )
                return [Context(name, ({"resourceType": "Patient", "id": subject},))]
    return []
