"""Browser sessions at the door: cookies, who is here, and proof that a form was sent by our page.

https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, cast
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, request

from fhir_service.fhir.issues import NotAllowed, NotSignedIn
from fhir_service.web.languages import language_asked
from fhir_service.web.page_table import Page
from fhir_service.web.told import told
from fhir_service.workflow import sessions
from fhir_service.workflow.session import Begun, Kind, Session
from fhir_service.workflow.site import Site

CSRF_FIELD: Final = "csrf"
CSRF_HEADER: Final = "X-CSRF-Token"

_HARMLESS = frozenset({"GET", "HEAD", "OPTIONS"})
_EXTENSION = "fhir_service.sessions"
_VISITOR = "visitor"
_OURS = frozenset({"same-origin", "none"})


@dataclass(frozen=True, slots=True)
class Cookies:
    """How the cookies of this site are set.

    ``__Host-`` keeps other hosts of the same domain from setting ours. In a portal's frame we are
    a third party: the cookie is then SameSite=None, and Partitioned, so that it is known in that
    portal alone. https://www.rfc-editor.org/rfc/rfc6265 and CHIPS
    """

    site: Site
    secure: bool
    embedded: bool

    def name(self, kind: str) -> str:
        """The cookie's name for this kind of session."""
        return f"__Host-fhir-{kind}" if self.secure else f"fhir-{kind}"

    def read(self, kind: str) -> str:
        """What the browser sent; empty where it sent nothing."""
        return request.cookies.get(self.name(kind), "")

    def put(self, reply: Response, kind: str, secret: str) -> None:
        """Give the browser a secret, until it is closed."""
        framed = self.embedded and self.secure
        reply.set_cookie(
            self.name(kind),
            secret,
            secure=self.secure,
            httponly=True,
            samesite="None" if framed else "Lax",
            partitioned=framed,
        )

    def drop(self, reply: Response, kind: str) -> None:
        """Take a secret away."""
        framed = self.embedded and self.secure
        reply.delete_cookie(
            self.name(kind),
            secure=self.secure,
            httponly=True,
            samesite="None" if framed else "Lax",
            partitioned=framed,
        )


def register(app: Flask, site: Site, *, embedded: bool) -> None:
    """Make the sessions known, and hand a visitor her cookie where a page asked for one."""
    cookies = Cookies(site, site.base_url.startswith("https:"), embedded)
    app.extensions[_EXTENSION] = cookies

    def give(reply: Response) -> Response:
        account = told()
        if account.new_secret is not None:
            cookies.put(reply, _VISITOR, account.new_secret)
        return reply

    app.after_request(give)


def enter(page: Page) -> None:
    """Find the session that this page needs, and for a change the proof that our page asks for it.

    Raises NotSignedIn, NotAllowed.
    """
    account = told()
    account.page = page
    if page.most_bytes is not None:
        request.max_content_length = page.most_bytes
    kind = page.who
    if kind == "open":
        account.secret = _cookies().read(_VISITOR) or None
    else:
        secret = _cookies().read(kind)
        session = sessions.find(_cookies().site, secret, kind)
        if session is None:
            raise NotSignedIn("There is no session, or it has ended.")
        account.secret, account.session = secret, session
        account.caller = session.caller(account.request_id, session.language or language_asked())
        account.caller.trail.address = account.address
        account.caller.trail.user = session.user
        account.caller.trail.about = session.patient
    if page.csrf and request.method not in _HARMLESS:
        must_csrf()


def patient_session() -> Session:
    """The patient's session of this request. Raises NotSignedIn."""
    return _session("patient")


def staff_session() -> Session:
    """The staff session of this request. Raises NotSignedIn."""
    return _session("staff")


def found(kind: Kind) -> Session | None:
    """The session of this kind that the browser has, on a page that is open; None without."""
    return sessions.find(_cookies().site, _cookies().read(kind), kind)


def csrf_token() -> str:
    """The token that every form of this page sends back as ``csrf`` (or X-CSRF-Token).

    On an open page the browser is given a visitor's cookie with it.
    """
    account = told()
    if account.csrf is None:
        account.csrf = sessions.csrf_token_of(account.secret or visitor())
    return account.csrf


def visitor() -> str:
    """What this browser holds on an open page; it is given a secret where it has none."""
    account = told()
    if account.secret is None:
        account.secret = account.new_secret = sessions.new_secret()
    return account.secret


def must_csrf() -> None:
    """Refuse what another site may have made this browser send. The guard asks this already.

    Sec-Fetch-Site is the browser's own word; where it is missing Origin must be ours, unless it
    is ``null``, as a page without referrer has it. The token is asked for in any case.
    https://www.w3.org/TR/fetch-metadata/  Raises NotAllowed.
    """
    fetched_by = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin", "null")
    if fetched_by is not None:
        ours = fetched_by in _OURS
    else:
        ours = origin in {"null", _origin(_cookies().site.base_url), _origin(request.host_url)}
    given = request.headers.get(CSRF_HEADER) or request.form.get(CSRF_FIELD, "")
    secret = told().secret
    if not ours or secret is None or not sessions.is_csrf_token(secret, given):
        raise NotAllowed("This was not sent from our own page, or that page is too old.")


def start(reply: Response, begun: Begun) -> None:
    """Give the browser the secret of its new session, and end the one of that kind that it had."""
    cookies, kind = _cookies(), begun.session.kind
    before = cookies.read(kind)
    if before:
        cookies.site.sessions.end(sessions.fingerprint(before))
    cookies.put(reply, kind, begun.secret)


def leave(reply: Response) -> None:
    """End every session of this browser."""
    cookies = _cookies()
    kinds: tuple[Kind, ...] = ("patient", "staff")
    for kind in kinds:
        secret = cookies.read(kind)
        if secret:
            cookies.site.sessions.end(sessions.fingerprint(secret))
            cookies.drop(reply, kind)
    reply.headers["Clear-Site-Data"] = '"cache", "storage"'


def bind_response(session: Session, response: str) -> str:
    """Bind this request's session to its response; the id of the one that it is bound to.

    A session that has one keeps it: that of a link has its response's id from the start, so the
    first draft is stored by PUT under it, and two devices meet in the same response.
    """
    if session.response is not None:
        return session.response
    secret = told().secret or ""
    return _cookies().site.sessions.bind(sessions.fingerprint(secret), response)


def _session(kind: Kind) -> Session:
    session = told().session
    if session is None or session.kind != kind:
        raise NotSignedIn("There is no session, or it has ended.")
    return session


def _cookies() -> Cookies:
    return cast("Cookies", current_app.extensions[_EXTENSION])


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def site() -> Site:
    """The installation that this request is answered by."""
    return _cookies().site
