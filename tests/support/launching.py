"""A browser that is sent to a portal and back; the patient is invented."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import requests
from werkzeug.test import TestResponse

from fhir_service.workflow import sessions
from fhir_service.workflow.session import Kind, Session
from tests.support.portal import Portal
from tests.support.service import Running

CANARY = "Zyxwv"
ADA = {
    "resourceType": "Patient",
    "id": "ada",
    "name": [{"family": f"Example{CANARY}", "given": ["Ada"]}],
    "birthDate": "1951-03-27",
    "communication": [
        {"language": {"coding": [{"code": "en"}]}},
        {"language": {"coding": [{"code": "es-MX"}]}, "preferred": True},
    ],
    "address": [{"city": "Exampleville"}],
}


def begun(running: Running, portal: Portal, launched: str | None = "hers") -> str:
    """Begin a launch, and have the portal send the browser back: the path it is sent to."""
    path = f"/launch?iss={portal.base}" + (f"&launch={launched}" if launched else "")
    reply = running.client.get(path)
    assert reply.status_code == 303, reply.text
    there = requests.get(reply.headers["Location"], allow_redirects=False, timeout=10)
    assert there.status_code == 302, there.text
    back = urlsplit(there.headers["Location"])
    assert f"{back.scheme}://{back.netloc}" == running.service.site.base_url
    return f"{back.path}?{back.query}"


def came(running: Running, portal: Portal, launched: str | None = "hers") -> TestResponse:
    return running.client.get(begun(running, portal, launched))


def session_of(running: Running, kind: Kind = "patient") -> Session | None:
    cookie = running.client.get_cookie(f"__Host-fhir-{kind}", domain="localhost")
    return sessions.find(running.service.site, cookie.value, kind) if cookie else None


def stored(running: Running, id_: str = "ada") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(running.send("GET", f"/fhir/Patient/{id_}").data)
    return found


def refused(reply: TestResponse, running: Running, words: str) -> None:
    """A launch that ended: in plain words, without a session, its key in the log."""
    assert reply.status_code >= 400, reply.status_code
    assert words in reply.text
    assert "Set-Cookie" not in reply.headers or "fhir-patient" not in reply.headers["Set-Cookie"]
    assert session_of(running) is None
    assert session_of(running, "staff") is None
