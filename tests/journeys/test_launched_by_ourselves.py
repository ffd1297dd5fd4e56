"""Two of us on real sockets: one is the EHR that launches, the other the app that is launched.

The app knows nothing of the EHR but its address and its own client id there.
"""

from __future__ import annotations

import html
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from flask import Flask
from werkzeug.serving import make_server

from fhir_service.workflow import login_codes
from fhir_service.workflow.oauth.model import Client
from tests.support.launching import session_of
from tests.support.service import BASE_URL, Running, start
from tests.support.serving import free_port

SCOPE = "launch/patient openid fhirUser patient/Patient.r"


@contextmanager
def served(app: Flask, port: int) -> Iterator[None]:
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def ehr(tmp_path: Path) -> Iterator[Running]:
    """One of us as the EHR, with a patient, and with the app registered."""
    port = free_port()
    running = start(tmp_path / "ehr", BASE_URL=f"http://127.0.0.1:{port}")
    running.service.authorizations.register(
        Client(
            id="the-app",
            name="The app",
            auth="none",
            grants=("authorization_code",),
            scope=SCOPE,
            created=running.service.site.clock.now(),
            redirect_uris=(f"{BASE_URL}/launch/callback",),
        )
    )
    patient = {
        "resourceType": "Patient",
        "id": "ada",
        "name": [{"given": ["Ada"], "family": "Example"}],
        "birthDate": "1951-03-27",
    }
    assert running.send("PUT", "/fhir/Patient/ada", patient).status_code == 201
    with served(running.client.application, port):
        yield running
    running.close()


def form_of(page: requests.Response) -> tuple[str, dict[str, str]]:
    """Where the page's form goes, and its hidden fields."""
    action = re.search(r'<form method="post" action="([^"]+)"', page.text)
    assert action is not None, page.text
    hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text)
    parts = urlsplit(page.url)
    fields = {name: html.unescape(value) for name, value in hidden}
    return f"{parts.scheme}://{parts.netloc}{html.unescape(action[1])}", fields


def test_a_clinician_of_the_ehr_comes_to_the_summary_of_the_patient_she_chose(
    tmp_path: Path, ehr: Running
) -> None:
    base = f"{ehr.service.site.base_url}/fhir"
    file = tmp_path / "ehrs.toml"
    file.write_text(
        f'[[ehr]]\nbase = "{base}"\nclient_id = "the-app"\nname = "EHR"\naudience = "staff"\n'
    )
    app = start(tmp_path / "app", LAUNCH_EHRS=str(file))
    there = app.client.get("/launch", query_string={"iss": base}).headers["Location"]

    browser = requests.Session()
    login = browser.get(there, timeout=20)
    action, fields = form_of(login)
    code = login_codes.create(ehr.service.site, "Dr Example")
    consent = browser.post(action, data=fields | {"code": code}, timeout=20)
    assert "The app" in consent.text, consent.text
    action, fields = form_of(consent)
    allowed = browser.post(
        action,
        data=fields | {"patient": "ada", "decision": "allow"},
        allow_redirects=False,
        timeout=20,
    )
    back = urlsplit(allowed.headers["Location"])
    assert f"{back.scheme}://{back.netloc}{back.path}" == f"{BASE_URL}/launch/callback"

    reply = app.client.get(f"{back.path}?{back.query}")
    assert (reply.status_code, reply.headers.get("Location")) == (303, "/summary/"), reply.text
    session = session_of(app, "staff")
    assert session is not None
    kept = json.loads(app.send("GET", f"/fhir/Patient/{session.patient}").data)
    assert kept["name"] == [{"given": ["Ada"], "family": "Example"}]
    assert kept["identifier"] == [{"system": base, "value": "ada"}]
    again = app.client.get(f"{back.path}?{back.query}")
    assert again.status_code == 403
    app.close()
