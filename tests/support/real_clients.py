"""A running service with a patient in it, clients registered as an operator does, and a browser.

The clients are other people's: fhirclient and fhirpy (PyPI), MedplumClient and fhirclient (npm).
"""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any

import requests

from fhir_service.smart.assertions import new_client_key, public_client_keys
from tests.support.service import answers, short_form
from tests.support.serving import ROOT, environment, run

INSTALLED = ROOT / ".cache" / "interop" / "clients"
SCRIPTS = ROOT / "tests" / "interop" / "clients"
MISSING = "MedplumClient and fhirclient are not installed: run .ci/interop-needs with node and npm"
TIMEOUT_SECONDS = 30


def are_installed() -> bool:
    """Whether node is there, and the packages of tests/interop/clients/package.json."""
    return shutil.which("node") is not None and (INSTALLED / "node_modules" / "@medplum").is_dir()


@dataclass
class Installation:
    """One service at this address, on this data directory."""

    base: str
    folder: Path
    key: dict[str, Any] = field(default_factory=lambda: new_client_key("k1", "ES384"))

    def command(self, *arguments: str) -> str:
        """What a command of the operator prints."""
        done = run(*arguments, env=environment(DATA_DIR=str(self.folder), BASE_URL=self.base))
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def fill(self) -> None:
        """A form, a patient, and an answered response of hers."""
        token = self.command("token", "--scope", "system/*.cruds")
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/fhir+json"}
        patient = {
            "resourceType": "Patient",
            "id": "ada",
            "name": [{"family": "Example", "given": ["Ada"]}],
            "birthDate": "1968-03-09",
        }
        form = short_form() | {"id": "short-form"}
        for path, body in (
            ("Questionnaire/short-form", form),
            ("Patient/ada", patient),
        ):
            made = requests.put(
                f"{self.base}/fhir/{path}", json=body, headers=headers, timeout=TIMEOUT_SECONDS
            )
            assert made.status_code == 201, made.text
        sent = requests.post(
            f"{self.base}/fhir/QuestionnaireResponse",
            json=answers(),
            headers=headers,
            timeout=TIMEOUT_SECONDS,
        )
        assert sent.status_code == 201, sent.text

    def backend(self, client_id: str, scope: str = "system/*.cruds") -> None:
        """Register a backend service with our key."""
        jwks = self.folder / f"{client_id}.json"
        jwks.write_text(json.dumps(public_client_keys([self.key])))
        self.command(
            "client", "add", client_id, "--backend", "--scope", scope, "--jwks", str(jwks)
        )

    def app(self, client_id: str, scope: str, redirect_uri: str) -> None:
        """Register a public app."""
        options = ("--public", "--scope", scope, "--redirect-uri", redirect_uri)
        self.command("client", "add", client_id, *options)

    def allow(self, authorize_url: str, patient: str = "ada") -> str:
        """A member of staff logs in by code, chooses the patient and allows it.

        The address that the browser is sent back to.
        """
        code = self.command("login-code", "--name", "Dr Example")
        browser = requests.Session()
        page = browser.get(authorize_url, timeout=TIMEOUT_SECONDS)
        assert "/login" in page.url, page.url
        page = browser.post(
            page.url, data=_fields(page.text) | {"code": code}, timeout=TIMEOUT_SECONDS
        )
        assert "/auth/authorize" in page.url, page.url
        sent = browser.post(
            f"{self.base}/auth/consent",
            data=_fields(page.text) | {"decision": "allow", "patient": patient},
            allow_redirects=False,
            timeout=TIMEOUT_SECONDS,
        )
        assert sent.status_code == 302, sent.text
        return sent.headers["Location"]


def _fields(page: str) -> dict[str, str]:
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page)
    return {unescape(name): unescape(value) for name, value in found}
