"""The patient's forms: one for who came by a link, else all that are offered to her.

A form that was begun or sent is found again; another one begins with a draft of its own.
"""

from __future__ import annotations

from typing import Any, Final

from flask import Response, request

from fhir_service.fhir.issues import NotHere, NotValid
from fhir_service.fhir.reading import read_stored
from fhir_service.fhir.searching import Criterion, Search
from fhir_service.sdc.compiled import Form
from fhir_service.web import pages, sessions
from fhir_service.web.filling.doors import FORMS, Clinic
from fhir_service.web.filling.page_of import View, language, page, wanted_by
from fhir_service.web.launch import with_chart
from fhir_service.web.told import told
from fhir_service.web.wording import words
from fhir_service.workflow import filling
from fhir_service.workflow.caller import CHANGE, within
from fhir_service.workflow.offering import must_offer
from fhir_service.workflow.session import Session
from fhir_service.workflow.site import Site

_MOST: Final = 100


def list_view(site: Site, clinic: Clinic) -> View:
    """What answers /forms/: the forms, and the beginning of one that no link asked for."""

    def view() -> Response:
        session = sessions.patient_session()
        if session.response is not None:
            return pages.go(f"{FORMS}{session.response}")
        if request.method == "POST":
            return pages.go(f"{FORMS}{_begun(site, session, request.form.get('form', ''))}")
        lang = language()
        own = words(lang)
        return page(
            "list.html",
            lang,
            heading=own["your-forms"],
            phone=clinic.phone or own["clinic-phone"],
            rows=_rows(site, session, lang),
            action=pages.here(FORMS),
            leave=pages.here("/logout"),
        )

    return view


def _rows(site: Site, session: Session, lang: str) -> list[dict[str, Any]]:
    """Each form that is offered, with the patient's newest response to it."""
    found = _responses(site, session)
    made = []
    for form in _offered(site):
        mine = found.get(form.url or "")
        end = wanted_by(site, session, form, mine[0] if mine else None, lang)
        state = "new" if mine is None else "draft" if mine[1] == "in-progress" else "sent"
        made.append(
            {
                "title": form.title_in(lang),
                "state": state,
                "until": end,
                "form": form.canonical,
                "href": None if mine is None else pages.here(f"{FORMS}{mine[0]}"),
            }
        )
    return made


def _offered(site: Site) -> list[Form]:
    """The newest active version of each form that patients can be asked to fill."""
    reader = site.desk.reading()
    search = Search(
        "Questionnaire", (Criterion("status", "token", ("active",)),), sort=(), count=_MOST
    )
    urls = dict.fromkeys(read_stored(one.body).get("url") for one in reader.search(search).found)
    made = []
    for url in filter(None, urls):
        form = site.forms.find(reader, url, None)
        if form is None or form.status != "active":
            continue
        if _may_offer(site, form):
            made.append(form)
    return made


_LOOKED_AT: dict[int, tuple[Form, bool]] = {}
_MOST_KEPT: Final = 64


def _may_offer(site: Site, form: Form) -> bool:
    """Whether a form can be shown whole; looked into once, for an active form never changes."""
    known = _LOOKED_AT.get(id(form))
    if known is not None and known[0] is form:
        return known[1]
    try:
        must_offer(site, form.canonical or "", "Questionnaire")
        may = True
    except NotValid:
        may = False
    if len(_LOOKED_AT) >= _MOST_KEPT:
        _LOOKED_AT.clear()
    _LOOKED_AT[id(form)] = form, may
    return may


def _responses(site: Site, session: Session) -> dict[str, tuple[str, str]]:
    """The patient's newest response to each form, by the form's url: its id and status."""
    caller = told().caller
    if caller is None or session.patient is None:
        return {}
    reach = caller.must("QuestionnaireResponse", "s")
    search = Search(
        "QuestionnaireResponse",
        (Criterion("patient", "reference", (session.patient,)),),
        sort=(("_lastUpdated", True),),
        count=_MOST,
    )
    made: dict[str, tuple[str, str]] = {}
    for stored in site.desk.reading().search(search, within("QuestionnaireResponse", reach)).found:
        body = read_stored(stored.body)
        url = str(body.get("questionnaire", "")).partition("|")[0]
        counts = body.get("status") in ("in-progress", "completed", "amended")
        if counts and not stored.id.endswith(CHANGE):
            made.setdefault(url, (stored.id, body["status"]))
    return made


def _begun(site: Site, session: Session, canonical: str) -> str:
    """The id of a new draft of this form. Raises NotValid where it is not offered."""
    caller = told().caller
    if caller is None:
        raise NotHere("There is nothing to fill at this address.")
    must_offer(site, canonical, "Questionnaire")
    new = filling.fresh(site, session, canonical)
    filling.begin(with_chart(site), caller, session, new)
    return new.id
