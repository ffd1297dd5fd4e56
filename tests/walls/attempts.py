"""What is tried at every address: an endpoint without its row here fails a test."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote
from uuid import UUID

from typing_extensions import override
from werkzeug.test import TestResponse

from fhir_service.fhir.search_parameters import PARAMETERS, parameter_of
from fhir_service.smart.access import COMPARTMENT
from fhir_service.web.table import OFFERS
from tests.walls.world import BORN, GRACE, NAME, World, a_response

COMPARTMENT_OFFERS = tuple(o for o in OFFERS if o.resource_type in COMPARTMENT)
NOBODYS = frozenset(o.resource_type for o in OFFERS if o.resource_type not in COMPARTMENT)


@dataclass(frozen=True)
class Attempt:
    """One request that aims at Grace. ``shows``: with a friendly token her marks come back.

    ``where_not``: the same request at something that never was, for answers that must not differ.
    ``own_proof``: no access token opens it at all.
    """

    endpoint: str
    method: str
    path: str
    body: object = None
    headers: tuple[tuple[str, str], ...] = ()
    shows: bool = False
    where_not: str | None = None
    own_proof: bool = False

    @override
    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def attempts(world: World) -> Iterator[Attempt]:
    """Every attempt, for every route and parameter that the tables know."""
    for offer in COMPARTMENT_OFFERS:
        yield from _instance(world, offer.resource_type)
        yield from _searches(world, offer.resource_type)
        yield from _writes(world, offer.resource_type)
    yield from _operations(world)
    yield from _bundles(world)
    yield from _hooks()


def _instance(world: World, kind: str) -> Iterator[Attempt]:
    her = world.ids[kind]
    for name, below in (
        ("read", ""),
        ("vread", "/_history/1"),
        ("history", "/_history"),
    ):
        root = f"/fhir/{kind}"
        yield Attempt(
            f"{kind} {name}",
            "GET",
            f"{root}/{her}{below}",
            shows=True,
            where_not=f"{root}/never-there{below}",
        )


def _searches(world: World, kind: str) -> Iterator[Attempt]:
    for name in sorted(PARAMETERS.get(kind, ())):
        for value in _values(world, kind, name):
            query = f"{quote(name)}={quote(value)}"
            yield Attempt(f"{kind} search", "GET", f"/fhir/{kind}?{query}")
            form = (("Content-Type", "application/x-www-form-urlencoded"),)
            yield Attempt(
                f"{kind} search by POST", "POST", f"/fhir/{kind}/_search", query.encode(), form
            )
    query = f"_id={world.ids[kind]}"
    yield Attempt(f"{kind} search", "GET", f"/fhir/{kind}?{query}", shows=True)
    yield Attempt(f"{kind} search", "GET", f"/fhir/{kind}")
    for more in ("_total=accurate&_summary=count", "_include=*", "_revinclude=*", "_elements=id"):
        yield Attempt(f"{kind} search", "GET", f"/fhir/{kind}?{query}&{more}")
    yield Attempt(f"{kind} history of the type", "GET", f"/fhir/{kind}/_history")
    yield Attempt("all history of the system", "GET", "/fhir/_history?_count=200")


def _values(world: World, kind: str, name: str) -> tuple[str, ...]:
    """Values that would find Grace's resource by this parameter."""
    her = world.ids[kind]
    known = {
        "_id": (her,),
        "_lastUpdated": ("ge2020-01-01",),
        "patient": (
            GRACE,
            f"Patient/{GRACE}",
            f"https://answers.example.org/fhir/Patient/{GRACE}",
        ),
        "subject": (f"Patient/{GRACE}",),
        "identifier": ("mrn-grace", "https://clinic.example.org/mrn|mrn-grace"),
        "birthdate": (BORN,),
        "name": (NAME,),
        "family": (NAME,),
        "given": (GRACE,),
        "status": ("completed",),
        "authored": ("ge2020-01-01",),
    }
    parameter = parameter_of(kind, name)
    if parameter is not None and parameter.kind == "date":
        return known.get(name, ("ge2020-01-01",))
    return known.get(name, ("completed", f"Patient/{GRACE}"))


def _writes(world: World, kind: str) -> Iterator[Attempt]:
    if kind != "QuestionnaireResponse":
        yield from _plain_writes(world, kind)
        return
    root, draft = f"/fhir/{kind}", world.ids["draft"]
    changed = a_response(GRACE, "in-progress") | {"id": draft, "language": "en"}
    theft = a_response("alan", "in-progress") | {"id": draft}
    match = (("If-Match", 'W/"1"'),)
    yield Attempt(f"{kind} create", "POST", root, a_response(GRACE))
    yield Attempt(
        f"{kind} create",
        "POST",
        root,
        a_response("alan"),
        (("If-None-Exist", f"_id={world.ids[kind]}"),),
    )
    yield Attempt(f"{kind} conditional update", "PUT", f"{root}?_id={draft}", a_response(GRACE))
    yield Attempt(
        f"{kind} conditional update", "PUT", f"{root}?_id={world.ids[kind]}", a_response("alan")
    )
    yield Attempt(f"{kind} update", "PUT", f"{root}/{draft}", changed, match)
    yield Attempt(f"{kind} update", "PUT", f"{root}/{draft}", changed)
    yield Attempt(f"{kind} update", "PUT", f"{root}/{draft}", theft, match)
    new = a_response(GRACE) | {"id": "put-here"}
    yield Attempt(f"{kind} update", "PUT", f"{root}/put-here", new)
    yield Attempt(f"{kind} delete", "DELETE", f"{root}/{draft}", where_not=f"{root}/never-there")


def _plain_writes(world: World, kind: str) -> Iterator[Attempt]:
    her = world.ids[kind]
    body = {"resourceType": kind, "id": her, "language": "en"}
    offer = next(o for o in OFFERS if o.resource_type == kind)
    if offer.create:
        yield Attempt(f"{kind} create", "POST", f"/fhir/{kind}", body)
    if offer.update:
        yield Attempt(f"{kind} update", "PUT", f"/fhir/{kind}/{her}", body)
    if offer.update and offer.create:
        yield Attempt(f"{kind} conditional update", "PUT", f"/fhir/{kind}?_id={her}", body)
    if offer.delete:
        yield Attempt(f"{kind} delete", "DELETE", f"/fhir/{kind}/{her}")


def _operations(world: World) -> Iterator[Attempt]:
    root = "/fhir/QuestionnaireResponse"
    her = world.ids["QuestionnaireResponse"]
    for accept in ("application/fhir+json", "text/plain", "text/html"):
        yield Attempt(
            f"operation {root}/<id_>/$summary",
            "GET",
            f"{root}/{her}/$summary",
            headers=(("Accept", accept),),
            shows=True,
            where_not=f"{root}/never-there/$summary",
        )
    asked = {"resourceType": "Parameters"}
    yield Attempt(
        "operation /fhir/Task/<id_>/$create-link",
        "POST",
        f"/fhir/Task/{world.ids['Task']}/$create-link",
        asked,
        where_not="/fhir/Task/never-there/$create-link",
    )
    yield Attempt(
        "operation /fhir/$process-response", "POST", "/fhir/$process-response", a_response(GRACE)
    )


def _bundles(world: World) -> Iterator[Attempt]:
    her = world.ids["QuestionnaireResponse"]
    for kind in ("batch", "transaction"):
        entries = [
            {"request": {"method": "GET", "url": f"QuestionnaireResponse/{her}"}},
            {"request": {"method": "GET", "url": f"QuestionnaireResponse?_id={her}"}},
            {"request": {"method": "GET", "url": f"Patient/{GRACE}"}},
            {"request": {"method": "GET", "url": f"Patient?birthdate={BORN}"}},
        ]
        for entry in entries:
            bundle = {"resourceType": "Bundle", "type": kind, "entry": [entry]}
            yield Attempt("batch", "POST", "/fhir", bundle)
    create: dict[str, Any] = {
        "resource": a_response(GRACE),
        "request": {"method": "POST", "url": "QuestionnaireResponse"},
    }
    for kind in ("batch", "transaction"):
        bundle = {"resourceType": "Bundle", "type": kind, "entry": [create]}
        yield Attempt("batch", "POST", "/fhir", bundle)


def _hooks() -> Iterator[Attempt]:
    """The CDS services: only a JWT of a registered CDS client opens them."""
    json_ = (("Content-Type", "application/json"),)
    context = {"userId": "Practitioner/example", "patientId": GRACE, "encounterId": "visit-1"}
    for hook in ("patient-view", "encounter-start"):
        body = {"hook": hook, "hookInstance": str(UUID(int=1)), "context": context}
        path = f"/cds-services/{hook}"
        yield Attempt("cds-call", "POST", path, body, json_, own_proof=True)
        told = {"feedback": [{"card": str(UUID(int=2)), "outcome": "accepted"}]}
        yield Attempt("cds-feedback", "POST", f"{path}/feedback", told, json_, own_proof=True)


def sent(world: World, attempt: Attempt, token: str) -> TestResponse:
    """The reply to this attempt with this token, or without any."""
    data = attempt.body
    if not isinstance(data, bytes) and data is not None:
        data = json.dumps(data).encode()
    headers = {"Content-Type": "application/fhir+json"} if data is not None else {}
    headers |= dict(attempt.headers)
    if token:
        headers["Authorization"] = f"Bearer {token}"
    return world.running.client.open(
        attempt.path, method=attempt.method, data=data, headers=headers
    )


def elsewhere(attempt: Attempt) -> Attempt:
    """The same attempt at what never was."""
    assert attempt.where_not is not None
    return replace(attempt, path=attempt.where_not)


def without_ids(text: str, *ids: str) -> str:
    """A reply without what may differ: the ids that were asked for, and request ids."""
    for id_ in ids:
        text = re.sub(rf"\b{re.escape(id_)}\b(?!-)", "(id)", text)
    return re.sub(r"[0-9a-f]{24}", "(request)", text)
