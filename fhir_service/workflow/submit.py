"""Take a response that was read into the record, and owe its summary to the EHR.

The route: may the caller write for this patient, which exact form, does it keep the form's rules;
then response, audit line and outbox entry are stored together, or not at all.
http://hl7.org/fhir/R4/questionnaireresponse.html
"""

from __future__ import annotations

from datetime import timedelta

from fhir_service.fhir.issues import Conflict, Issue, NotAllowed, NotUnderstood, NotValid, Stale
from fhir_service.fhir.reading import MOST_ITEM_LEVELS
from fhir_service.sdc.responses import Response, decode, skim
from fhir_service.workflow import task_moves
from fhir_service.workflow.authorship import must_be_her_word
from fhir_service.workflow.caller import Caller, within
from fhir_service.workflow.checking import checked
from fhir_service.workflow.ports import Owed, OwedState, Record, Stored
from fhir_service.workflow.publish import must_match
from fhir_service.workflow.read import not_here
from fhir_service.workflow.site import Site
from fhir_service.workflow.subjects import subject_of
from fhir_service.workflow.telling import Kept, first_version, next_version, tell

TYPE = "QuestionnaireResponse"

FOLLOWS = {
    "in-progress": ("in-progress", "completed", "stopped", "entered-in-error"),
    "completed": ("amended", "entered-in-error"),
    "amended": ("amended", "entered-in-error"),
    "stopped": ("stopped", "in-progress", "completed", "entered-in-error"),
    "entered-in-error": (),
}
"""Which status may follow which, when the content changes."""

_OWED = ("completed", "amended")
_WITHDRAWN = ("entered-in-error",)


def create(site: Site, caller: Caller, body: bytes) -> Kept:
    """Take a new response. ``Kept.findings`` are the warnings it is stored with.

    Raises NotAllowed, NotUnderstood (no FHIR response), NotValid (breaks a rule of its form, or
    names no patient, or an unknown form); then nothing is stored.
    """
    caller.must(TYPE, "c")
    if not caller.meets(TYPE):
        raise NotAllowed("A link fills its own response alone: send it by PUT under its id.")
    response = skim(body, site.max_item_depth)
    return _first(site, caller, body, response)


def update(site: Site, caller: Caller, id_: str, body: bytes, if_match: int | None = None) -> Kept:
    """Take the next version of a response, or the first one under the client's id.

    The same bytes again change nothing. Raises what ``create`` raises, and Stale, NotHere, and
    NotValid for a status, a subject or a form that may not follow.
    """
    reach = caller.must(TYPE, "u")
    if not caller.meets(TYPE, id_):
        raise not_here(TYPE, id_)
    response = skim(body, site.max_item_depth)
    if response.id != id_:
        raise NotUnderstood(
            f"The response's id must be “{id_}”, as in the address.", expression=f"{TYPE}.id"
        )
    current = site.desk.reading().read(TYPE, id_)
    if current is None:
        must_match(current, if_match)
        return _first(site, caller, body, response, id_)
    if not reach.includes(current.patient):
        raise not_here(TYPE, id_)
    _must_know_version(site, caller, current, if_match)
    if current.body == body and not current.deleted:
        return Kept(current, created=False, changed=False)
    if not current.deleted:
        _must_follow(site, decode(current.body, MOST_ITEM_LEVELS), response)
    _must_reach(site, caller, response, "u")
    findings = checked(site, response, caller.language)
    following = next_version(site, current, body)

    def work(record: Record) -> None:
        _keep(record, site, caller, following, response, "update")

    try:
        site.desk.write(work)
    except Conflict as raced:
        if if_match is None:
            raise
        raise Stale(f"Version {if_match} is no longer the current one; read it again.") from raced
    return Kept(following, created=current.deleted, findings=findings)


def delete(site: Site, caller: Caller, id_: str) -> Stored:
    """Delete a response that was never sent. What was completed can only become entered-in-error.

    Its versions stay in its history. Raises NotAllowed, NotHere, Conflict.
    """
    reach = caller.must(TYPE, "d")
    current = site.desk.reading().read(TYPE, id_, within(TYPE, reach))
    if current is None:
        raise not_here(TYPE, id_)
    if current.deleted:
        return current
    if decode(current.body, MOST_ITEM_LEVELS).status != "in-progress":
        raise Conflict(
            "What a patient has sent is not deleted; send it again with status entered-in-error."
        )
    gone = next_version(site, current, b"", "DELETE")

    def work(record: Record) -> None:
        record.keep(gone)
        tell(record, site, caller, "delete", gone)

    site.desk.write(work)
    return gone


def _first(
    site: Site, caller: Caller, body: bytes, response: Response, id_: str | None = None
) -> Kept:
    patient = _must_reach(site, caller, response, "u" if id_ else "c")
    findings = checked(site, response, caller.language)
    new = first_version(site, TYPE, body, patient, id_)

    def work(record: Record) -> None:
        _keep(record, site, caller, new, response, "create")

    site.desk.write(work)
    return Kept(new, created=True, findings=findings)


def _must_reach(site: Site, caller: Caller, response: Response, letter: str) -> str:
    """The patient that the response is about, whom the caller may write for."""
    reach = caller.must(TYPE, "u" if letter == "u" else "c")
    if caller.bound is not None and response.questionnaire != caller.bound.questionnaire:
        raise NotAllowed("A link fills the form alone that it was made for.")
    patient = subject_of(response, site.patient_bases)
    if not reach.includes(patient):
        raise NotAllowed(
            "This token may write for its own patient only, and the subject is another.",
            expression=f"{TYPE}.subject",
        )
    must_be_her_word(caller, response)
    return patient


def _must_know_version(site: Site, caller: Caller, current: Stored, if_match: int | None) -> None:
    if if_match is None and (site.require_if_match or caller.is_patient()):
        raise Stale('Send If-Match with the version that you have read, for example W/"1".')
    must_match(current, if_match)


def _must_follow(site: Site, before: Response, after: Response) -> None:
    """Refuse what a response may not become: another patient's, another form's, a status back."""
    wrong = []
    if subject_of(before, site.patient_bases) != subject_of(after, site.patient_bases):
        wrong.append(_broken("subject-changed", "subject", "The subject of a response stays."))
    if _url(before) != _url(after):
        wrong.append(
            _broken("form-changed", "questionnaire", "A response stays with its questionnaire.")
        )
    if after.status not in FOLLOWS[before.status]:
        allowed = ", ".join(FOLLOWS[before.status]) or "nothing; it is final"
        wrong.append(
            _broken(
                "status-transition",
                "status",
                f"{after.status} can not follow {before.status} when the content changes. "
                f"What may follow: {allowed}.",
            )
        )
    if wrong:
        raise NotValid("The response can not become this.", *wrong)


def _url(response: Response) -> str:
    return (response.questionnaire or "").partition("|")[0]


def _broken(key: str, element: str, says: str) -> Issue:
    return Issue(key=key, code="business-rule", says=says, expression=f"{TYPE}.{element}")


def _keep(
    record: Record,
    site: Site,
    caller: Caller,
    stored: Stored,
    response: Response,
    interaction: str,
) -> None:
    """Response, audit line and outbox entry: one transaction."""
    record.keep(stored)
    tell(record, site, caller, interaction, stored)
    task_moves.follow(record, site, caller, stored, response.questionnaire, response.status)
    owed = response.status in _OWED or (response.status in _WITHDRAWN and stored.version > 1)
    if owed and stored.patient is not None:
        state: OwedState = "due" if site.has_target else "no-target"
        at = stored.last_updated
        deadline = at + timedelta(days=site.visit_days)
        record.owe(Owed(stored.id, stored.version, stored.patient, state, at, deadline))
