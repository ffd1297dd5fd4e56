"""An app asks, and a person allows it or not: /auth/authorize and the consent page.

https://hl7.org/fhir/smart-app-launch/app-launch.html and
https://cheatsheetseries.owasp.org/cheatsheets/OAuth2_Cheat_Sheet.html
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode, urlsplit

from flask import Flask, Response, request

from fhir_service.fhir.issues import NotAllowed, NotHere, NotUnderstood
from fhir_service.fhir.searching import read_search
from fhir_service.smart.scopes import Scope, names_resource, read_scope, scope_words
from fhir_service.web import pages, sessions
from fhir_service.web.consent_words import TYPES, WORDS
from fhir_service.web.limits import Limit
from fhir_service.web.receiving import Pairs, form_pairs, query_pairs
from fhir_service.web.told import told
from fhir_service.workflow import read as reading
from fhir_service.workflow.session import Session

if TYPE_CHECKING:
    from fhir_service.workflow.oauth.authorizing import Pending
    from fhir_service.workflow.oauth.requests import Answer
    from fhir_service.workflow.oauth.server import Server
    from fhir_service.workflow.ports import Stored

MOST_FOUND: Final = 10
_A_DAY: Final = 86_400
_FOUND: Final = 302
_SEE_OTHER: Final = 303


@dataclass(frozen=True, slots=True)
class Found:
    """A patient as staff choose one."""

    id: str
    name: str
    born: str


def register(app: Flask, server: Callable[[], Server], limit: Limit) -> None:
    """Add /auth/authorize and /auth/consent."""

    def authorize() -> Response:
        limit.must_pass(request.remote_addr or "")
        if request.method == "POST":
            # sent by another site the form comes without our cookies; asked for anew it has them
            return _to(f"{pages.here('/auth/authorize')}?{urlencode(form_pairs())}", _SEE_OTHER)
        return _begin(server(), query_pairs())

    def consent() -> Response:
        limit.must_pass(request.remote_addr or "")
        return _decide(server())

    app.add_url_rule("/auth/authorize", "authorize", authorize, methods=("GET", "POST"))
    app.add_url_rule("/auth/consent", "consent", consent, methods=("POST",))


def person() -> Session | None:
    """Who is at the screen and may allow something: staff, or a patient who logged in.

    Who came by a link does not: it opens one form, and nothing else.
    """
    for session in (sessions.found("staff"), sessions.found("patient")):
        if session is not None and session.questionnaire is None and session.link is None:
            return session
    return None


def _begin(server: Server, pairs: Pairs) -> Response:
    looked = _look(server, pairs)
    if isinstance(looked, Response):
        return looked
    session = person()
    if session is None:
        back = f"/auth/authorize?{urlencode(pairs)}"
        return _to(f"{pages.here('/login')}?next={quote(back, safe='')}", _SEE_OTHER)
    return _ask(looked, session)


def _decide(server: Server) -> Response:
    from fhir_service.workflow.oauth.authorizing import PARAMETERS, denied  # noqa: PLC0415

    form = request.form
    looked = _look(server, [(name, form[name]) for name in PARAMETERS if name in form])
    if isinstance(looked, Response):
        return looked
    session = person()
    if session is None:
        return _refused("log-in-first", 401, login=True)
    match form.get("decision"):
        case "allow":
            return _allow(server, looked, session)
        case "find":
            return _ask(looked, session)
        case _:
            return _sent_on(denied(server, looked))


def _allow(server: Server, looked: Pending, session: Session) -> Response:
    from fhir_service.workflow.oauth.authorizing import allowed  # noqa: PLC0415

    mine = _for(looked, session)
    if isinstance(mine, Response):
        return mine
    patient = _patient(mine, session)
    if patient is None and mine.needs_patient():
        return _ask(looked, session, wrong="choose", status=422)
    return _sent_on(allowed(server, mine, session, patient))


def _look(server: Server, pairs: Pairs) -> Pending | Response:
    from fhir_service.workflow.oauth.authorizing import look_at  # noqa: PLC0415  keeps the start quick
    from fhir_service.workflow.oauth.requests import Answer, Asked  # noqa: PLC0415

    try:
        looked = look_at(server, Asked("GET", pairs, None))
    except NotUnderstood as wrong:
        told().findings = wrong.issues
        return _refused("cannot", 400)
    return _sent_on(looked) if isinstance(looked, Answer) else looked


def _for(pending: Pending, session: Session) -> Pending | Response:
    from fhir_service.workflow.oauth.authorizing import for_person  # noqa: PLC0415

    try:
        return for_person(pending, session)
    except NotUnderstood as wrong:
        told().findings = wrong.issues
        return _refused("cannot", 403)


def _patient(pending: Pending, session: Session) -> str | None:
    """The patient whom it is about: of the launch or session, else whom staff chose."""
    if pending.patient is not None or session.kind == "patient":
        return pending.patient
    chosen = request.form.get("patient", "")
    if not chosen:
        return None
    try:
        found = reading.read(sessions.site(), _caller(session), "Patient", chosen)
    except (NotHere, NotAllowed, NotUnderstood):
        return None
    return found.id


def _ask(
    pending: Pending, session: Session, wrong: str | None = None, status: int = 200
) -> Response:
    """The consent page."""
    mine = _for(pending, session)
    if isinstance(mine, Response):
        return mine
    lang = pages.language()
    words = WORDS[lang]
    picks = session.kind == "staff" and mine.patient is None and mine.needs_patient()
    sought = request.form.get("find", "").strip()[:100] if picks else ""
    found = _search(session, sought) if sought else []
    if sought and not found:
        wrong = wrong or "found-none"
    parts = urlsplit(mine.redirect_uri)
    reply = pages.page(
        "consent.html",
        status,
        lang=lang,
        c=words,
        title="title-staff" if session.kind == "staff" else "title",
        app=mine.client.name,
        host=parts.hostname or parts.scheme,
        asks=explained(mine, session, lang),
        given=list(mine.asked.parameters.items()),
        picks=picks,
        about=_about(mine, session),
        sought=sought,
        found=found[:MOST_FOUND],
        many=len(found) > MOST_FOUND,
        wrong=wrong,
    )
    reply.headers["Content-Security-Policy"] = _policy(mine.redirect_uri)
    return reply


def explained(pending: Pending, session: Session, lang: str) -> list[str]:
    """What each scope lets the app do, in words."""
    words, lines = WORDS[lang], []
    for word in scope_words(pending.scope):
        if names_resource(word):
            lines += _of_scope(read_scope(word), session, lang)
        elif word in words:
            days = _days(word)
            lines.append(words[word].format(days=days) if days else words[word])
    return list(dict.fromkeys(lines))


def _of_scope(scope: Scope, session: Session, lang: str) -> list[str]:
    words = WORDS[lang]
    named = TYPES[lang].get(scope.resource_type, scope.resource_type)
    what = words["everything"] if scope.resource_type == "*" else named
    whose = "of-anybody" if scope.level == "user" else "of-patient"
    whose = words["mine" if session.kind == "patient" else whose]
    kinds = {"some" if scope.query else "see": "rs", "change": "cu", "delete": "d"}
    return [
        f"{words[key].format(what=what)} {whose}"
        for key, letters in kinds.items()
        if scope.letters & set(letters)
    ]


def _days(word: str) -> int:
    return sessions.site().refresh_days if word == "offline_access" else 0


def _about(pending: Pending, session: Session) -> str | None:
    """The patient whom staff are about to open to the app, where that is settled already."""
    if session.kind != "staff" or pending.patient is None:
        return None
    try:
        stored = reading.read(sessions.site(), _caller(session), "Patient", pending.patient)
    except (NotHere, NotAllowed):
        return pending.patient
    shown = _shown(stored)
    return f"{shown.name}, {shown.born} ({shown.id})"


def _search(session: Session, sought: str) -> list[Found]:
    """Patients with this name, or this number; one more than are shown."""
    site = sessions.site()
    for name in ("name", "identifier"):
        search, _ = read_search(
            "Patient", [(name, sought.replace(",", "\\,"))], default_count=MOST_FOUND + 1
        )
        found = reading.search(site, _caller(session), search).found
        if found:
            return [_shown(one) for one in found]
    return []


def _caller(session: Session) -> Any:
    return session.caller(told().request_id, session.language)


def _shown(stored: Stored) -> Found:
    said = json.loads(stored.body)
    names = said.get("name") or [{}]
    name = names[0]
    whole = name.get("text") or " ".join([*name.get("given", []), name.get("family", "")])
    return Found(stored.id, whole.strip(), said.get("birthDate", ""))


def _policy(redirect_uri: str) -> str:
    """The page may send its form to us and, by our answer, on to the app; nothing more."""
    parts = urlsplit(redirect_uri)
    host = f"{parts.scheme}://{parts.netloc}" if parts.netloc else f"{parts.scheme}:"
    return (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; "
        f"form-action 'self' {host}; frame-ancestors 'none'"
    )


def _refused(key: str, status: int, *, login: bool = False) -> Response:
    return pages.page(
        "consent_refused.html", status, c=WORDS[pages.language()], key=key, login=login
    )


def _sent_on(answer: Answer) -> Response:
    return _to(answer.location or "", _FOUND)


def _to(address: str, status: int) -> Response:
    return Response(status=status, headers={"Location": address})
