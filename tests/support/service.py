"""A real service on a throw-away SQLite file, with Flask's test client before it."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from fhir_service.settings import read_settings
from fhir_service.web.app import create_app
from fhir_service.web.logs import Log
from fhir_service.wiring import Service, build

BASE_URL = "https://answers.example.org"
EVERYTHING = "system/*.cruds"
JSON = "application/fhir+json"

FORM_URL = "https://clinic.example.org/fhir/Questionnaire/short-form"


@dataclass(frozen=True)
class Running:
    """The service, its client, and the lines it logged."""

    service: Service
    client: FlaskClient
    logged: io.BytesIO

    def token(self, scope: str = EVERYTHING, patient: str | None = None) -> str:
        """A token of this service's own, good for ten minutes."""
        return self.service.door.new_token(scope, patient, 600)

    def send(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        token: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> TestResponse:
        """One request with a token (everything, unless given); a dictionary goes as FHIR JSON."""
        sent = {"Authorization": f"Bearer {token or self.token()}"}
        if body is not None:
            sent["Content-Type"] = JSON
        sent |= headers or {}
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        return self.client.open(path, method=method, data=data, headers=sent)

    def kept(self, resource_type: str = "QuestionnaireResponse") -> int:
        """How many resources of this type are stored."""
        found = self.send("GET", f"/fhir/{resource_type}?_summary=count")
        assert found.status_code == 200, found.text
        total: int = json.loads(found.data)["total"]
        return total

    def close(self) -> None:
        """Close the store."""
        self.service.close()


def start(folder: Path, **settings: str) -> Running:
    """A service in this folder; ``settings`` by name, such as MAX_BODY_BYTES="4096"."""
    environ = {"FHIR_SERVICE_DATA_DIR": str(folder), "FHIR_SERVICE_BASE_URL": BASE_URL}
    environ |= {f"FHIR_SERVICE_{name}": value for name, value in settings.items()}
    service = build(read_settings(environ))
    logged = io.BytesIO()
    app = create_app(service, Log(logged))
    return Running(service, app.test_client(), logged)


def short_form(version: str = "1.0.0", status: str = "active") -> dict[str, Any]:
    """A form of five questions."""
    return {
        "resourceType": "Questionnaire",
        "url": FORM_URL,
        "version": version,
        "name": "ShortForm",
        "title": "A short form",
        "status": status,
        "subjectType": ["Patient"],
        "item": [
            {
                "linkId": "pain",
                "text": "How strong is your pain?",
                "type": "integer",
                "required": True,
            },
            {"linkId": "fever", "text": "Did you have a fever?", "type": "boolean"},
            {
                "linkId": "highest",
                "text": "What was the highest?",
                "type": "decimal",
                "enableWhen": [{"question": "fever", "operator": "=", "answerBoolean": True}],
            },
            {"linkId": "worry", "text": "What worries you most?", "type": "text"},
            {
                "linkId": "more",
                "text": "More",
                "type": "group",
                "item": [{"linkId": "since", "text": "Since when?", "type": "date"}],
            },
        ],
    }


def answers(patient: str = "ada", status: str = "completed", **changes: Any) -> dict[str, Any]:
    """A response of Ada Example to the short form; ``changes`` replace members."""
    made: dict[str, Any] = {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": f"{FORM_URL}|1.0.0",
        "status": status,
        "subject": {"reference": f"Patient/{patient}"},
        "authored": "2026-03-15T09:30:00+01:00",
        "item": [
            {"linkId": "pain", "answer": [{"valueInteger": 7}]},
            {"linkId": "worry", "answer": [{"valueString": "Whether it comes back"}]},
        ],
    }
    return made | changes


def issues(reply: TestResponse) -> list[dict[str, Any]]:
    """The issues of the OperationOutcome that came back."""
    outcome = json.loads(reply.data)
    assert outcome["resourceType"] == "OperationOutcome", outcome
    found: list[dict[str, Any]] = outcome["issue"]
    return found


def keys(reply: TestResponse) -> list[str]:
    """The finding keys of the OperationOutcome that came back."""
    return [issue["details"]["coding"][0]["code"] for issue in issues(reply)]
