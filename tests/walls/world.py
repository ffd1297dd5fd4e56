"""Two patients who must never meet: what each has stored, and the marks it is known by."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey

from fhir_service.fhir.searching import Search
from fhir_service.smart import tokens
from fhir_service.wiring import SystemClock
from fhir_service.workflow.ports import Told
from tests.support.made import made
from tests.support.service import Running, answers

GRACE, ALAN = "grace", "alan"
NAME, BORN, WORDS = "Grazia-Canary", "1951-07-29", "canary words of one patient"
MARKS = (NAME, BORN, WORDS)
"""Texts of Grace's that stand in nothing of anybody else's."""

AUDITED = "client-of-grace-alone"
"""The client in the audit lines of Grace's that the seeds make."""

SHOWN = (*MARKS, AUDITED)


@dataclass
class World:
    """A running service with both patients in it; ``ids`` are Grace's, by resource type."""

    running: Running
    ids: dict[str, str] = field(default_factory=dict)

    def kept(self, method: str, path: str, body: dict[str, Any]) -> str:
        """Store this; its id."""
        reply = self.running.send(method, path, body)
        assert reply.status_code in (200, 201), reply.text
        return str(json.loads(reply.data)["id"])

    def state(self) -> list[Any]:
        """Everything of Grace's that is stored: type, id, version and hash of the body."""
        rows = self.running.service.store.database.rows(
            "SELECT resource_type, id, version, sha256 FROM resource_version"
            " WHERE patient = 'grace' ORDER BY 1, 2, 3"
        )
        return [tuple(row) for row in rows]


def a_response(patient: str, status: str = "completed") -> dict[str, Any]:
    """A response with the patient's own mark in it."""
    words = WORDS if patient == GRACE else "other words"
    item = [
        {"linkId": "pain", "answer": [{"valueInteger": 7}]},
        {"linkId": "worry", "answer": [{"valueString": words}]},
    ]
    return answers(patient, status, item=item)


def _patient(world: World, id_: str) -> str:
    body = {
        "resourceType": "Patient",
        "id": id_,
        "identifier": [{"system": "https://clinic.example.org/mrn", "value": f"mrn-{id_}"}],
        "name": [{"family": NAME if id_ == GRACE else "Other", "given": [id_]}],
        "birthDate": BORN if id_ == GRACE else "1960-02-02",
    }
    return world.kept("PUT", f"/fhir/Patient/{id_}", body)


def _response(world: World, id_: str) -> str:
    return world.kept("POST", "/fhir/QuestionnaireResponse", a_response(id_))


def _made(kind: str, member: str) -> Callable[[World, str], str]:
    """What clients only read, with the patient's mark in one of its members."""

    def seed(world: World, id_: str) -> str:
        value = WORDS if id_ == GRACE else "other words"
        return made(world.running, kind, id_, **{member: value})

    return seed


def _audited(kind: str) -> Callable[[World, str], str]:
    """A line in the patient's audit, which is also the Provenance of her one Task."""

    def seed(world: World, id_: str) -> str:
        store, now = world.running.service.store, world.running.service.site.clock.now()
        task = made(world.running, "Task", id_)
        client = AUDITED if id_ == GRACE else "client-of-others"
        line = Told(
            now,
            "create",
            client,
            patient=id_,
            resource_type="Task",
            resource_id=task,
            resource_version=1,
        )
        store.write(lambda record: record.tell(line))
        (found,) = store.reading().search(Search(kind, count=1), id_).found
        return found.id

    return seed


SEEDS: dict[str, Callable[[World, str], str]] = {
    "Patient": _patient,
    "QuestionnaireResponse": _response,
    "Task": _made("Task", "description"),
    "DocumentReference": _made("DocumentReference", "description"),
    "Bundle": _made("Bundle", "language"),
    "Observation": _made("Observation", "valueString"),
    "AuditEvent": _audited("AuditEvent"),
    "Provenance": _audited("Provenance"),
}
"""How one resource of each type of the patient's compartment comes to be."""


def inhabited(running: Running) -> World:
    """Both patients with one of everything."""
    world = World(running)
    for resource_type, seed in SEEDS.items():
        seed(world, ALAN)
        world.ids[resource_type] = seed(world, GRACE)
    world.ids["draft"] = world.kept(
        "POST", "/fhir/QuestionnaireResponse", a_response(GRACE, "in-progress")
    )
    return world


def hostile_tokens(world: World) -> dict[str, tuple[str, int | None]]:
    """Tokens that must open nothing of Grace's, and the status where it is always the same."""
    door, keys = world.running.service.door, world.running.service.site.keys.all()
    now = SystemClock().now()

    def made(key: Any, scope: str, patient: str | None, lifetime: int) -> str:
        return tokens.issue(
            key,
            issuer="https://answers.example.org",
            client="outsider",
            scope=scope,
            patient=patient,
            now=now,
            lifetime_seconds=lifetime,
            jti="walls",
        )

    without_patient = _signed(keys[0], now.timestamp())
    return {
        "none": ("", 401),
        "expired": (made(keys[0], "system/*.cruds", None, -60), 401),
        "foreign": (made(tokens.new_key(str(keys[0]["kid"])), "system/*.cruds", None, 600), 401),
        "her patient scopes without a patient": (without_patient, 403),
        "backend without the scope": (door.new_token("system/Basic.rs", None, 600), 403),
        "user without the scope": (door.new_token("user/Basic.cruds", None, 600), 403),
        "the other patient": (door.new_token("patient/*.cruds", ALAN, 600), None),
        "the other patient, forms alone": (
            door.new_token("patient/Questionnaire.rs", ALAN, 600),
            None,
        ),
    }


def friendly_tokens(world: World) -> dict[str, str]:
    """Tokens to which Grace's data is open: they show that the marks can be found at all."""
    door = world.running.service.door
    return {
        "herself": door.new_token("patient/*.cruds", GRACE, 600),
        "backend": door.new_token("system/*.cruds", None, 600),
    }


def _signed(key: Any, at: float) -> str:
    """A token of ours with patient scopes and no patient, which ``issue`` would not give."""
    claims = {
        "iss": "https://answers.example.org",
        "aud": tokens.AUDIENCE,
        "sub": "outsider",
        "client_id": "outsider",
        "scope": "patient/*.cruds",
        "iat": int(at),
        "exp": int(at) + 600,
        "jti": "walls-without-patient",
    }
    header = {"alg": "ES256", "typ": "at+jwt", "kid": key["kid"]}
    return jwt.encode(header, claims, ECKey.import_key(dict(key)))
