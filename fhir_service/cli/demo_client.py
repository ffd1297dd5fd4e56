"""What a portal and an oncologist's system do, in the demo: send answers, read the summary.

http://hl7.org/fhir/R4/http.html
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import requests

from fhir_service.catalogue.shipped import folder
from fhir_service.cli.main import Failed

TIMEOUT_SECONDS: Final = 30
FORMS: Final = ("doctor-questions", "coping-support", "previsit-recurrent-breast")
"""The forms of one visit; the summary is asked for the last, and takes in the others."""

PATIENT: Final = {
    "resourceType": "Patient",
    "id": "ada-example",
    "name": [{"use": "official", "family": "Example", "given": ["Ada"]}],
    "birthDate": "1968-03-09",
    "communication": [
        {"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": "en"}]}, "preferred": True}
    ],
}


@dataclass(frozen=True, slots=True)
class Shown:
    """The summary as plain text, where it was read, and a link for the patient to another form."""

    text: str
    address: str
    link: str

    @property
    def response(self) -> str:
        """The id of the response whose visit is summed up."""
        return self.address.rpartition("/$")[0].rpartition("/")[2]


def play(address: str, token: str, say: Callable[[str], None], language: str = "en") -> Shown:
    """Send the patient and one answered response for each form; the summary of the visit.

    ``language`` is that of the patient's link.

    Raises Failed when the service answers otherwise than it should.
    """
    base, canonical = f"{address}/fhir", ""
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {token}"
        for form in FORMS:
            found = _asked(session.get(f"{base}/Questionnaire/{form}", timeout=TIMEOUT_SECONDS))
            form_ = found.json()
            canonical = f"{form_['url']}|{form_['version']}"
            say(f"Published: {form_['title']} ({form_['version']})")
        body = json.dumps(PATIENT).encode()
        _asked(_send(session, "PUT", f"{base}/Patient/{PATIENT['id']}", body))
        last = ""
        for form in FORMS:
            answers = (folder("questionnaires") / form / "responses" / "typical.json").read_bytes()
            kept = _asked(_send(session, "POST", f"{base}/QuestionnaireResponse", answers))
            last = kept.headers["Location"].split("/_history/")[0]
            say(f"Answered:  {form}, kept as {last.removeprefix(f'{base}/')}")
        summary = f"{last}/$summary"
        text = _asked(
            session.get(summary, headers={"Accept": "text/plain"}, timeout=TIMEOUT_SECONDS)
        )
        link = _link(session, base, canonical, language)
    return Shown(text.content.decode("utf-8"), summary, link)


def _link(session: requests.Session, base: str, canonical: str, language: str) -> str:
    """The address of a new link for the patient to this form."""
    asked = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "questionnaire", "valueCanonical": canonical},
            {"name": "patient", "valueReference": {"reference": f"Patient/{PATIENT['id']}"}},
            {"name": "language", "valueCode": language},
        ],
    }
    body = json.dumps(asked).encode()
    made = _asked(_send(session, "POST", f"{base}/Questionnaire/$create-link", body)).json()
    return next(str(p["valueUrl"]) for p in made["parameter"] if p["name"] == "address")


def _send(session: requests.Session, method: str, url: str, body: bytes) -> requests.Response:
    headers = {"Content-Type": "application/fhir+json"}
    return session.request(method, url, data=body, headers=headers, timeout=TIMEOUT_SECONDS)


def _asked(answer: requests.Response) -> requests.Response:
    """The answer, when it is a good one; else raises Failed with what the service found."""
    if answer.ok:
        return answer
    raise Failed(
        f"{answer.request.method} {answer.url} was answered {answer.status_code}: {_found(answer)}"
    )


def _found(answer: requests.Response) -> str:
    try:
        issues: list[dict[str, Any]] = answer.json()["issue"]
        return " ".join(issue["details"]["text"] for issue in issues)
    except (ValueError, KeyError, TypeError):
        return answer.reason


def token_lines(address: str, client: str, key: Path) -> tuple[str, ...]:
    """What to type for a token of this backend service, to be copied as it stands."""
    url = f"{address}/auth/token"
    command = f"{sys.executable} -m fhir_service client assertion {client} {key}"
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    return (
        f"curl {url} -d grant_type=client_credentials \\",
        "  -d scope=system/QuestionnaireResponse.rs \\",
        f"  -d client_assertion_type={kind} \\",
        f'  -d client_assertion="$({command} --token-url {url})"',
    )
