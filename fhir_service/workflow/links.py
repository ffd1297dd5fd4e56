"""Links without login: one patient, one form in one version, one response, and nothing else.

The token in the address is 256 random bits, and its hash alone is kept. It opens nothing by
itself: the date of birth is asked, a few wrong ones lock the link. Looking at the page uses
nothing up, so mail scanners and previews do no harm.
https://cheatsheetseries.owasp.org/cheatsheets/Forgot_Password_Cheat_Sheet.html#url-tokens
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from fhir_service.fhir.issues import Conflict, Issue, NotHere, NotUnderstood, NotValid
from fhir_service.fhir.reading import read_stored
from fhir_service.smart.access import Access
from fhir_service.smart.compartment import RECORD_SCOPE
from fhir_service.smart.scopes import read_scopes
from fhir_service.workflow import sessions, task_moves
from fhir_service.workflow.caller import Caller
from fhir_service.workflow.offering import must_offer
from fhir_service.workflow.ports import Reader, Record, Told
from fhir_service.workflow.session import Answering, Begun, Session
from fhir_service.workflow.site import Site
from fhir_service.workflow.ways import KeptLink

TRIES: Final = 5
"""Wrong dates of birth in a row before a link is locked."""

USES: Final = 10
"""How often a link can be opened, where nothing else is asked: she may go on on another day."""

MOST_USES: Final = 100
DAYS: Final = 14
MOST_DAYS: Final = 366

CLIENT: Final = "link"
NOT_YET: Final = ("requested", "ready", "received")
SCOPE: Final = (
    "patient/QuestionnaireResponse.cru patient/Questionnaire.rs patient/ValueSet.rs"
    " patient/CodeSystem.rs patient/Patient.r"
)

_WHOLE_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_OPERATION = "$create-link"


@dataclass(frozen=True, slots=True)
class Link:
    """A new link. ``address`` holds its token, which is kept nowhere: hand it on, log it never."""

    address: str
    id: str
    response: str
    expires: datetime


@dataclass(frozen=True, slots=True)
class Terms:
    """How long and for what a link is good.

    ``expires`` UTC, None: DAYS from now; ``uses`` None: USES. ``response`` goes on with a response
    that is there already; else one is reserved. ``task`` is the id of the Task it was made for.
    """

    expires: datetime | None = None
    uses: int | None = None
    language: str | None = None
    response: str | None = None
    task: str | None = None


def create_link(
    site: Site, caller: Caller, *, patient: str, questionnaire: str, terms: Terms | None = None
) -> Link:
    """A new link for this patient to this form (url|version).

    Raises NotAllowed for who may not write for every patient, and NotValid: no such patient, no
    whole date of birth of hers, a form that can not be offered, an expiry that lies behind or too
    far.
    """
    caller.must("Questionnaire", "r")
    _must_be_clinic(caller)
    terms = terms or Terms()
    _must_be_hers_to_fill(site, patient, questionnaire, terms)
    must_offer(site, questionnaire, "Parameters.parameter.where(name = 'questionnaire')")
    now, token = site.clock.now(), sessions.new_secret()
    kept = KeptLink(
        id=site.ids.new(),
        patient=patient,
        questionnaire=questionnaire,
        response=terms.response or site.ids.new(),
        made_by=caller.client,
        created=now,
        expires=terms.expires or now + timedelta(days=DAYS),
        uses_left=terms.uses or USES,
        tries_left=TRIES,
        language=terms.language,
        task=terms.task,
    )

    def work(record: Record) -> None:
        record.links.keep(sessions.fingerprint(token), kept)
        record.tell(_told(site, kept, _OPERATION, caller=caller))

    site.desk.write(work)
    address = address_of(site, token, terms.language)
    return Link(address, kept.id, kept.response, kept.expires)


def address_of(site: Site, token: str, language: str | None) -> str:
    """The whole address of a link; its language stands in it, so that opening it asks nobody."""
    return f"{site.base_url}/link/{token}" + (f"?lang={language}" if language else "")


def open_link(
    site: Site,
    token: str,
    birth_date: str,
    answering: Answering,
    language: str | None = None,
    request_id: str | None = None,
) -> Begun | None:
    """A session that can fill the link's form, for who knows the date of birth (YYYY-MM-DD).

    None for any other date, and the same for a link that is unknown, expired, revoked, locked or
    used up. A wrong date is counted. Raises Unavailable.
    """
    fingerprint, now = sessions.fingerprint(token), site.clock.now()

    def work(record: Record) -> KeptLink | None:
        link = record.links.attempt(fingerprint, now)
        if link is None:
            return None
        born = birth_date_of(record, link.patient)
        right = born is not None and hmac.compare_digest(born.encode(), birth_date.encode())
        if right:
            record.links.opened(link.id, TRIES)
            _accept(record, site, link)
        told = _told(site, link, "login", request_id=request_id, good=right)
        record.tell(told)
        return link if right else None

    link = site.desk.write(work)
    if link is None:
        return None
    draft = Session(
        reference="",
        kind="patient",
        client=CLIENT,
        scope=f"{SCOPE} {RECORD_SCOPE}" if site.link_prefill else SCOPE,
        created=now,
        idle_until=now,
        expires=link.expires,
        patient=link.patient,
        questionnaire=link.questionnaire,
        response=link.response,
        link=link.id,
        answering=answering,
        language=language or link.language,
    )
    return sessions.begin(site, draft)


def _accept(record: Record, site: Site, link: KeptLink) -> None:
    """She has come: the Task that the link was made for is accepted."""
    if link.task is None:
        return
    caller = Caller(CLIENT, link.id, Access(read_scopes(SCOPE), link.patient))
    with suppress(Conflict):  # the clinic changed it this moment; her answer moves it on anyway
        task_moves.move(record, site, caller, link.task, NOT_YET, "accepted")


def revoke_link(site: Site, caller: Caller, id_: str) -> bool:
    """Close a link and the sessions it opened; whether it was open. Raises NotAllowed, NotHere."""
    _must_be_clinic(caller)

    def work(record: Record) -> bool:
        link = record.links.find(id_)
        if link is None:
            raise NotHere("There is no such link.")
        revoked = record.links.revoke(id_, site.clock.now())
        record.tell(_told(site, link, "$revoke-link", caller=caller))
        return revoked

    return site.desk.write(work)


def birth_date_of(reader: Reader, patient: str) -> str | None:
    """The whole date of birth of a patient, YYYY-MM-DD; None where it is not known to the day."""
    stored = reader.read("Patient", patient)
    if stored is None or stored.deleted:
        return None
    born = read_stored(stored.body).get("birthDate")
    return born if isinstance(born, str) and _WHOLE_DATE.fullmatch(born) else None


def _must_be_clinic(caller: Caller) -> None:
    """Links are made by who may write for every patient: a system or a member of staff."""
    if caller.must("QuestionnaireResponse", "c").patient is not None:
        caller.access.must("Task", "c")  # no patient may: it says which scope is missing


def _must_be_hers_to_fill(site: Site, patient: str, form: str, terms: Terms) -> None:
    wrong = [*_patient_findings(site, patient), *_term_findings(site, terms)]
    if wrong:
        raise NotValid(" ".join(one.says for one in wrong), *wrong)
    if terms.response is None:
        return
    stored = site.desk.reading().read("QuestionnaireResponse", terms.response)
    if stored is None or stored.deleted:
        return
    if stored.patient != patient or read_stored(stored.body).get("questionnaire") != form:
        raise NotUnderstood("The response belongs to another patient or another form.")


def _patient_findings(site: Site, patient: str) -> Iterator[Issue]:
    reader = site.desk.reading()
    stored = reader.read("Patient", patient)
    if stored is None or stored.deleted:
        says = "This patient is not known here: create the Patient, with birthDate, first."
        yield _wrong("patient-unknown", "not-found", says, "patient")
    elif birth_date_of(reader, patient) is None:
        says = "The link asks for the date of birth, and the Patient has none known to the day."
        yield _wrong("birth-date-missing", "business-rule", says, "patient")


def _term_findings(site: Site, terms: Terms) -> Iterator[Issue]:
    now = site.clock.now()
    if terms.expires is not None and not now < terms.expires <= now + timedelta(days=MOST_DAYS):
        says = f"A link expires after now, and at most {MOST_DAYS} days from now."
        yield _wrong("expiry-out-of-range", "value", says, "expires")
    if terms.uses is not None and not 1 <= terms.uses <= MOST_USES:
        says = f"A link can be opened 1 to {MOST_USES} times."
        yield _wrong("uses-out-of-range", "value", says, "uses")
    if terms.language is not None and not _LANGUAGE.fullmatch(terms.language):
        yield _wrong("language-unreadable", "value", "This is no language.", "language")


def _wrong(key: str, code: str, says: str, name: str) -> Issue:
    where = f"Parameters.parameter.where(name = '{name}')"
    return Issue(key=key, code=code, says=says, expression=where)


def _told(
    site: Site,
    link: KeptLink,
    interaction: str,
    *,
    caller: Caller | None = None,
    request_id: str | None = None,
    good: bool = True,
) -> Told:
    """The audit line of what was done with a link; it names the link's id, which opens nothing."""
    return Told(
        recorded=site.clock.now(),
        interaction=interaction,
        client=caller.client if caller else CLIENT,
        outcome="0" if good else "4",
        token=caller.token if caller else link.id,
        patient=link.patient,
        resource_type="QuestionnaireResponse",
        resource_id=link.response,
        request_id=caller.request_id if caller else request_id,
    )
