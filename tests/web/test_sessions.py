"""Browser sessions: who gets in, what a page is sent with, and what another site can not do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Response
from werkzeug.test import TestResponse

from fhir_service.web import sessions
from fhir_service.web.guard import CLIENTS, OPEN
from fhir_service.web.page_table import PAGES, Page
from fhir_service.web.page_words import WORDS
from fhir_service.workflow import sessions as keeping
from fhir_service.workflow.session import Kind, Session
from tests.support.service import Running, start

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)


def a_session(kind: Kind = "patient", **members: object) -> Session:
    made = Session("", kind, "tests", "patient/*.rs", MOMENT, MOMENT, LATEST, patient="ada")
    return replace(made, **members)  # type: ignore[arg-type]


class Later:
    """The clock, moved on."""

    def __init__(self, by: timedelta) -> None:
        self._by = by

    def now(self) -> datetime:
        return datetime.now(UTC) + self._by


@pytest.fixture(params=["https://answers.example.org", "http://127.0.0.1:8080"])
def doors(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Running]:
    """A service with three pages more: of a patient, of staff, and an open one."""
    running = start(tmp_path, BASE_URL=request.param)
    app = running.client.application

    def patients() -> Response:
        session = sessions.patient_session()
        return Response(f"{session.patient} {sessions.csrf_token()}")

    def staff() -> Response:
        return Response(f"{sessions.staff_session().user} {sessions.csrf_token()}")

    def visitor() -> Response:
        return Response(f"- {sessions.csrf_token()}")

    for name, view, who in (
        ("t-patient", patients, "patient"),
        ("t-staff", staff, "staff"),
        ("t-open", visitor, "open"),
    ):
        monkeypatch.setitem(PAGES, name, Page(who))  # type: ignore[arg-type]
        app.add_url_rule(f"/{name}", name, view, methods=["GET", "POST"])
    yield running
    running.close()


def cookie(running: Running, kind: str) -> str:
    secure = running.service.site.base_url.startswith("https")
    return f"__Host-fhir-{kind}" if secure else f"fhir-{kind}"


def let_in(running: Running, session: Session, kind: str | None = None) -> str:
    """Begin this session in the record and give its secret to the browser."""
    begun = keeping.begin(running.service.site, session)
    name = cookie(running, kind or session.kind)
    running.client.set_cookie(name, begun.secret, domain="localhost")
    return begun.secret


def token_in(reply: TestResponse) -> str:
    return reply.text.split()[1]


def test_a_page_without_its_session_says_in_plain_words_what_to_do(doors: Running) -> None:
    reply = doors.client.get("/t-patient", headers={"Accept-Language": "es-MX"})
    assert reply.status_code == 401
    assert "Abra de nuevo su enlace" in reply.text
    assert reply.headers["Content-Language"] == "es"
    assert "Please open your link again" in doors.client.get("/t-patient").text


def test_staff_without_a_session_are_led_to_the_login(doors: Running) -> None:
    reply = doors.client.get("/t-staff")
    assert (reply.status_code, reply.headers["Location"]) == (303, "/login")
    assert doors.client.post("/t-staff").status_code == 401


def test_who_wanted_a_summary_comes_to_it_after_the_login(
    doors: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PAGES, "t-summary", Page("staff"))
    view = lambda id_: Response(str(id_))  # noqa: E731
    doors.client.application.add_url_rule("/summary/<id_>/t", "t-summary", view)
    reply = doors.client.get("/summary/one/t")
    assert (reply.status_code, reply.headers["Location"]) == (303, "/login?next=/summary/one/t")


@pytest.mark.parametrize(("kind", "other"), [("patient", "staff"), ("staff", "patient")])
def test_a_session_opens_the_pages_of_its_kind_alone(
    doors: Running, kind: Kind, other: str
) -> None:
    secret = let_in(doors, a_session(kind, user="Dr Example"))
    assert doors.client.get(f"/t-{kind}").status_code == 200
    doors.client.delete_cookie(cookie(doors, kind), domain="localhost")
    doors.client.set_cookie(cookie(doors, other), secret, domain="localhost")
    assert doors.client.get(f"/t-{other}").status_code in (303, 401)


@pytest.mark.parametrize("secret", ["", "a", "A" * 43, "A" * 500, "%00", "ä"])
def test_a_guessed_cookie_opens_nothing(doors: Running, secret: str) -> None:
    let_in(doors, a_session())
    doors.client.set_cookie(cookie(doors, "patient"), secret, domain="localhost")
    assert doors.client.get("/t-patient").status_code == 401


def test_the_record_holds_no_secret_of_a_session(doors: Running) -> None:
    secret = let_in(doors, a_session())
    rows = doors.service.store.database.rows("SELECT * FROM browser_session")
    assert secret not in repr(rows)
    assert secret.encode() not in repr(rows).encode()


def test_a_session_outlives_the_process(doors: Running, tmp_path: Path) -> None:
    secret = let_in(doors, a_session(language="es"))
    doors.close()
    again = start(tmp_path, BASE_URL=doors.service.site.base_url)
    found = keeping.find(again.service.site, secret, "patient")
    assert found is not None
    assert (found.patient, found.language) == ("ada", "es")
    again.close()


def test_a_session_ends_when_idle_and_at_the_latest_after_its_longest(doors: Running) -> None:
    site = doors.service.site
    secret = keeping.begin(site, a_session()).secret
    later = replace(site, clock=Later(timedelta(seconds=7100)))
    assert keeping.find(later, secret, "patient") is not None  # and the idle time begins anew
    assert keeping.find(replace(site, clock=Later(timedelta(hours=3))), secret, "patient")
    for hours in range(4, 12):
        assert keeping.find(replace(site, clock=Later(timedelta(hours=hours))), secret, "patient")
    too_late = replace(site, clock=Later(timedelta(hours=12)))
    assert keeping.find(too_late, secret, "patient") is None
    idle = keeping.begin(site, a_session()).secret
    late = replace(site, clock=Later(timedelta(seconds=7201)))
    assert keeping.find(late, idle, "patient") is None


def test_what_has_ended_is_removed_when_the_next_one_begins(doors: Running) -> None:
    site = doors.service.site
    keeping.begin(site, a_session())
    keeping.begin(replace(site, clock=Later(timedelta(days=1))), a_session())
    ((left,),) = doors.service.store.database.rows("SELECT count(*) FROM browser_session")
    assert left == 1


def test_a_change_needs_the_token_of_this_session(doors: Running) -> None:
    let_in(doors, a_session())
    token = token_in(doors.client.get("/t-patient"))
    assert doors.client.post("/t-patient", data={"csrf": token}).status_code == 200
    assert doors.client.post("/t-patient", headers={"X-CSRF-Token": token}).status_code == 200
    for wrong in ("", "x", token[:-1], token + "A"):
        assert doors.client.post("/t-patient", data={"csrf": wrong}).status_code == 403, wrong
    let_in(doors, a_session())
    assert doors.client.post("/t-patient", data={"csrf": token}).status_code == 403


def test_a_token_looks_otherwise_on_every_page_and_holds_all_the_same(doors: Running) -> None:
    let_in(doors, a_session())
    tokens = {token_in(doors.client.get("/t-patient")) for _ in range(3)}
    assert len(tokens) == 3
    for token in tokens:
        assert doors.client.post("/t-patient", data={"csrf": token}).status_code == 200
        other = token[:50] + ("A" if token[50] != "A" else "B") + token[51:]
        assert doors.client.post("/t-patient", data={"csrf": other}).status_code == 403


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "null"}, 403),
        ({"Origin": "null"}, 200),
        ({"Origin": "https://evil.example.org"}, 403),
        ({"Origin": "http://localhost"}, 200),
    ],
)
def test_what_another_site_sends_is_refused_even_with_the_token(
    doors: Running, headers: dict[str, str], status: int
) -> None:
    let_in(doors, a_session())
    token = token_in(doors.client.get("/t-patient"))
    reply = doors.client.post("/t-patient", data={"csrf": token}, headers=headers)
    assert reply.status_code == status


def test_our_own_origin_may_send(doors: Running) -> None:
    let_in(doors, a_session())
    token = token_in(doors.client.get("/t-patient"))
    origin = {"Origin": doors.service.site.base_url}
    assert doors.client.post("/t-patient", data={"csrf": token}, headers=origin).status_code == 200


def test_an_open_page_gives_a_visitor_a_token_too(doors: Running) -> None:
    assert doors.client.post("/t-open", data={"csrf": "x"}).status_code == 403
    first = doors.client.get("/t-open")
    assert "HttpOnly" in first.headers["Set-Cookie"]
    assert doors.client.post("/t-open", data={"csrf": token_in(first)}).status_code == 200
    assert "Set-Cookie" not in doors.client.get("/t-open").headers


def test_the_cookie_is_kept_from_scripts_and_other_sites(doors: Running) -> None:
    given = doors.client.get("/t-open").headers["Set-Cookie"]
    https = doors.service.site.base_url.startswith("https")
    assert "HttpOnly" in given
    assert "SameSite=Lax" in given
    assert "Domain" not in given
    assert ("Secure" in given) == https
    assert given.startswith("__Host-") == https


def test_in_a_portals_frame_the_cookie_is_known_there_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    framed = start(tmp_path, FRAME_ANCESTORS="https://portal.example.org")
    monkeypatch.setitem(PAGES, "t-open", Page("open"))
    view = lambda: Response(sessions.csrf_token())  # noqa: E731
    framed.client.application.add_url_rule("/t-open", "t-open", view)
    reply = framed.client.get("/t-open")
    given = reply.headers["Set-Cookie"]
    assert {"SameSite=None", "Secure", "Partitioned"} <= set(given.split("; "))
    policy = reply.headers["Content-Security-Policy"]
    assert "frame-ancestors 'self' https://portal.example.org;" in policy
    assert "X-Frame-Options" not in reply.headers
    framed.close()


def test_a_page_has_the_headers_that_keep_it_safe(doors: Running) -> None:
    headers = doors.client.get("/t-open").headers
    assert headers["Content-Security-Policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'"
    )
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "geolocation=()" in headers["Permissions-Policy"]
    https = doors.service.site.base_url.startswith("https")
    assert ("Strict-Transport-Security" in headers) == https


def test_a_page_may_have_a_policy_of_its_own_and_then_has_that_alone(
    doors: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two policies would both hold: the page that sends a form on to an app could not."""
    own = {"Content-Security-Policy": "default-src 'self'"}
    monkeypatch.setitem(PAGES, "t-own", Page("open"))
    view = lambda: Response("-", headers=own)  # noqa: E731
    doors.client.application.add_url_rule("/t-own", "t-own", view)
    headers = doors.client.get("/t-own").headers
    assert headers.getlist("Content-Security-Policy") == ["default-src 'self'"]
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_logging_out_ends_every_session_of_this_browser(doors: Running) -> None:
    secrets = [let_in(doors, a_session()), let_in(doors, a_session("staff"))]
    token = token_in(doors.client.get("/t-open"))
    reply = doors.client.post("/logout", data={"csrf": token})
    assert reply.status_code == 200
    assert "You have logged out" in reply.text
    assert doors.client.get("/t-patient").status_code == 401
    for secret, kind in zip(secrets, ("patient", "staff"), strict=True):
        assert keeping.find(doors.service.site, secret, kind) is None  # type: ignore[arg-type]


def test_a_new_session_ends_the_one_before(doors: Running) -> None:
    old = let_in(doors, a_session())
    begun = keeping.begin(doors.service.site, a_session())
    app = doors.client.application
    with app.test_request_context(
        "/t-open", headers={"Cookie": f"{cookie(doors, 'patient')}={old}"}
    ):
        reply = Response()
        sessions.start(reply, begun)
    assert begun.secret in reply.headers["Set-Cookie"]
    assert keeping.find(doors.service.site, old, "patient") is None


def test_a_session_is_bound_to_one_response_and_stays_so(doors: Running) -> None:
    secret = let_in(doors, a_session())
    mark = keeping.fingerprint(secret)
    assert doors.service.site.sessions.bind(mark, "first") == "first"
    assert doors.service.site.sessions.bind(mark, "second") == "first"
    found = keeping.find(doors.service.site, secret, "patient")
    assert found is not None
    assert found.response == "first"


def test_every_route_is_open_asks_for_a_token_or_stands_in_the_page_table(
    running: Running,
) -> None:
    """Closed is the default; a page without its session or token is refused as well."""
    client = running.client.application.test_client()
    for rule in running.client.application.url_map.iter_rules():
        if rule.endpoint in OPEN | CLIENTS:
            continue
        path = re.sub(r"<[^>]*>", "1", rule.rule)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            reply = client.open(path, method=method)
            page = PAGES.get(rule.endpoint)
            if page is None:
                assert reply.status_code == 401, (method, path)
                assert reply.headers["WWW-Authenticate"].startswith("Bearer")
            elif page.who == "open":
                refused = method not in ("GET", "POST") or (method == "POST" and page.csrf)
                assert reply.status_code < 500, (method, path)
                assert not refused or reply.status_code == 403, (method, path)
            else:
                assert reply.status_code in (303, 401), (method, path)


def test_every_page_of_the_table_has_its_route(running: Running) -> None:
    endpoints = {rule.endpoint for rule in running.client.application.url_map.iter_rules()}
    assert set(PAGES) <= endpoints


def test_an_unknown_address_below_a_page_is_told_as_a_page(running: Running) -> None:
    reply = running.client.get("/link/a/b/c/d")
    assert reply.status_code == 404
    assert reply.content_type.startswith("text/html")


def test_a_fault_on_a_page_gives_a_ticket_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = start(tmp_path)

    def view() -> Response:
        raise RuntimeError("Mrs Example, born 1951")

    monkeypatch.setitem(PAGES, "t-broken", Page("open"))
    broken.client.application.add_url_rule("/t-broken", "t-broken", view)
    reply = broken.client.get("/t-broken")
    assert reply.status_code == 500
    assert "Something went wrong here" in reply.text
    assert "1951" not in reply.text
    assert b"1951" not in broken.logged.getvalue()
    broken.close()


def test_the_languages_of_the_small_pages_have_the_same_words() -> None:
    english = WORDS["en"]
    for language, words in WORDS.items():
        assert list(words) == list(english), language
        assert all(words.values())
