"""A patient fills a form at our own page: the draft begins, is saved at each step, and is sent.

What was sent can be changed until the visit: the change is a draft of its own beside the response,
and becomes its next version, amended, only when it is sent. Half a change never reaches the chart.
http://hl7.org/fhir/R4/questionnaireresponse.html#statuses
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from fhir_service.fhir.canonical import read_canonical
from fhir_service.fhir.issues import Conflict, NotHere
from fhir_service.fhir.reading import read_stored
from fhir_service.sdc.compiled import Form
from fhir_service.workflow import submit
from fhir_service.workflow.answering import HELPER, parties
from fhir_service.workflow.caller import CHANGE, Caller, within
from fhir_service.workflow.populate import populate
from fhir_service.workflow.ports import Record, Stored
from fhir_service.workflow.session import Session
from fhir_service.workflow.site import Site
from fhir_service.workflow.telling import Kept, next_version, tell

Json = dict[str, Any]

TYPE: Final = submit.TYPE
SENT: Final = ("completed", "amended")

_encode = msgspec.json.Encoder(decimal_format="number").encode


@dataclass(frozen=True)
class Filling:
    """One response of one patient at the page.

    ``sent`` is what was sent, None before; ``draft`` what is being filled or changed, None where
    nothing is. ``response`` is the JSON of the draft, else of what was sent, else an empty one.
    """

    id: str
    form: Form
    sent: Stored | None
    draft: Stored | None
    response: Json
    dropped: int = 0
    """The version in which an earlier draft of a change was dropped; 0 where none was."""

    @property
    def draft_id(self) -> str:
        """The id under which what is typed is saved."""
        return f"{self.id}{CHANGE}" if self.sent is not None else self.id

    @property
    def version(self) -> int:
        """The version of the draft; 0 before the first."""
        return self.draft.version if self.draft is not None else 0


def find(site: Site, caller: Caller, session: Session, id_: str) -> Filling:
    """The response with this id, as far as it is this session's to fill. Raises NotHere."""
    if session.response is not None and id_ != session.response:
        raise _nothing()
    stored = _own(site, caller, id_)
    canonical = session.questionnaire
    if stored is not None:
        response = read_stored(stored.body)
        canonical = response.get("questionnaire")
    else:
        response = _empty(session, canonical or "")
    form = _form(site, canonical)
    if stored is None and session.response is None:
        raise _nothing()
    if stored is None or response["status"] not in SENT:
        if response.get("status") == "entered-in-error":
            raise _nothing()
        return Filling(id_, form, None, stored, response)
    change = _current(site, caller, f"{id_}{CHANGE}")
    if change is None or change.deleted:
        dropped = change.version if change is not None else 0
        return Filling(id_, form, stored, None, response, dropped)
    return Filling(id_, form, stored, change, read_stored(change.body))


def version_of(site: Site, caller: Caller, filling: Filling, version: int) -> Json:
    """The version of the draft that a page was made of.

    An empty one for version 0, and for one that is not there: then nothing is taken as known to
    the patient, and what is stored meanwhile is asked about.
    """
    if version == filling.version and filling.draft is not None:
        return filling.response
    reach = caller.must(TYPE, "r")
    found = None
    if version:
        found = site.desk.reading().vread(TYPE, filling.draft_id, version, within(TYPE, reach))
    if found is None or found.deleted:
        return {name: value for name, value in filling.response.items() if name != "item"}
    return read_stored(found.body)


def begin(site: Site, caller: Caller, session: Session, filling: Filling) -> Kept | None:
    """Store the first draft, with what is known already; None where there is one."""
    if filling.draft is not None or filling.sent is not None:
        return None
    found = populate(site, caller, filling.form, subject=session.patient, local=True).response
    body = {**filling.response, **({"item": found["item"]} if "item" in found else {})}
    return save(site, caller, session, filling, body)


def save(
    site: Site, caller: Caller, session: Session, filling: Filling, response: Mapping[str, Any]
) -> Kept:
    """Store this draft as the next version. Raises Stale where another device was quicker.

    The same content again makes no new version.
    """
    now = site.clock.now()
    body = {**response, "id": filling.draft_id, "status": "in-progress"}
    body.pop("meta", None)
    body["authored"] = now.astimezone(site.zone).isoformat(timespec="seconds")
    body = _with_parties(body, session)
    if filling.draft is not None and _says_the_same(body, read_stored(filling.draft.body)):
        return Kept(filling.draft, created=False, changed=False)
    match = filling.version or filling.dropped or None
    return submit.update(site, caller, filling.draft_id, _encode(in_order(body)), match)


def send(
    site: Site, caller: Caller, session: Session, filling: Filling, response: Mapping[str, Any]
) -> Kept:
    """Store this as what the patient sends, and drop the draft of a change.

    Raises NotValid with every finding, and then nothing is stored; Stale.
    """
    body = _with_parties({**response, "id": filling.id}, session)
    body.pop("meta", None)
    match = filling.sent.version if filling.sent is not None else filling.version or None
    kept = submit.update(site, caller, filling.id, _encode(in_order(body)), match)
    if filling.sent is not None and filling.draft is not None:
        _drop(site, caller, filling.draft)
    return kept


def _with_parties(body: Json, session: Session) -> Json:
    """The response of who is at the page now; a helper who was there before is named no more."""
    said = parties(session)
    others = [one for one in body.get("contained", ()) if one.get("id") != HELPER]
    contained = [*others, *said.pop("contained", [])]
    made = {name: value for name, value in body.items() if name != "contained"} | said
    return {**made, "contained": contained} if contained else made


def change(site: Site, caller: Caller, session: Session, filling: Filling) -> Kept | None:
    """Begin to change what was sent; None where that was begun. Raises Conflict when too late."""
    if filling.sent is None or filling.draft is not None:
        return None
    if not may_change(site, filling):
        raise Conflict("The time for changes is over.")
    return save(site, caller, session, filling, filling.response)


def leave_unchanged(site: Site, caller: Caller, filling: Filling) -> None:
    """Drop a change that was begun; what was sent stays."""
    if filling.sent is not None and filling.draft is not None:
        _drop(site, caller, filling.draft)


def may_change(site: Site, filling: Filling) -> bool:
    """Whether what was sent can still be changed: for as long as it belongs to the visit."""
    return filling.sent is not None and site.clock.now() <= ends(site, filling)


def ends(site: Site, filling: Filling) -> datetime:
    """Until when what was sent can be changed, UTC."""
    first = filling.sent.last_updated if filling.sent is not None else site.clock.now()
    return first + timedelta(days=site.visit_days)


def _own(site: Site, caller: Caller, id_: str) -> Stored | None:
    found = _current(site, caller, id_)
    return None if found is None or found.deleted else found


def _current(site: Site, caller: Caller, id_: str) -> Stored | None:
    reach = caller.must(TYPE, "r")
    if not caller.meets(TYPE, id_):
        raise _nothing()
    return site.desk.reading().read(TYPE, id_, within(TYPE, reach))


def _form(site: Site, canonical: str | None) -> Form:
    named = read_canonical(canonical or "")
    form = named and site.forms.find(site.desk.reading(), named.url, named.version)
    if not form:
        raise _nothing()
    return form


def _empty(session: Session, canonical: str) -> Json:
    return {
        "resourceType": TYPE,
        "questionnaire": canonical,
        "status": "in-progress",
        "subject": {"reference": f"Patient/{session.patient}"},
        **({"encounter": {"reference": session.encounter}} if session.encounter else {}),
    }


_ORDER: Final = (
    "resourceType", "id", "meta", "implicitRules", "language", "text", "contained", "extension",
    "modifierExtension", "identifier", "basedOn", "partOf", "questionnaire", "_questionnaire",
    "status", "subject", "encounter", "authored", "author", "source", "item",
)  # fmt: skip


def in_order(body: Mapping[str, Any]) -> Json:
    """The elements in FHIR's order, so that a draft reads like any other resource."""
    return {name: body[name] for name in _ORDER if name in body}


def _says_the_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    aside = ("authored", "meta")
    return {k: v for k, v in one.items() if k not in aside} == {
        k: v for k, v in other.items() if k not in aside
    }


def _drop(site: Site, caller: Caller, draft: Stored) -> None:
    gone = next_version(site, draft, b"", "DELETE")

    def work(record: Record) -> None:
        record.keep(gone)
        tell(record, site, caller, "delete", gone)

    site.desk.write(work)


def _nothing() -> NotHere:
    return NotHere("There is nothing to fill at this address.")


def fresh(site: Site, session: Session, canonical: str) -> Filling:
    """A response that nobody has begun, of this form (url|version), under a new id."""
    form = _form(site, canonical)
    return Filling(site.ids.new(), form, None, None, _empty(session, canonical))


def sent_body(filling: Filling) -> Json:
    """The JSON of what was sent. Raises NotHere where nothing was."""
    if filling.sent is None:
        raise _nothing()
    return read_stored(filling.sent.body)


def encoded(response: Mapping[str, Any]) -> bytes:
    """The response as JSON, decimals with the digits that they have."""
    return _encode(response)
