"""Attacks that are not about one finding's rule: what is tried, and what comes of it."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.support.service import BASE_URL, JSON, Running, answers, keys, short_form, start

PATH = "/fhir/QuestionnaireResponse"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    service = start(tmp_path_factory.mktemp("attacks"))
    form = short_form() | {"id": "short-form"}
    assert service.send("PUT", "/fhir/Questionnaire/short-form", form).status_code == 201
    yield service
    service.close()


@contextmanager
def a_canary() -> Iterator[tuple[str, socket.socket]]:
    """An address on this machine that nobody must call, and the socket that would see it."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/x", listening


def was_called(listening: socket.socket) -> bool:
    try:
        listening.accept()[0].close()
    except BlockingIOError:
        return False
    return True


def test_a_canary_that_is_called_says_so() -> None:
    with a_canary() as (url, listening):
        socket.create_connection(("127.0.0.1", int(url.split(":")[2].split("/")[0]))).close()
        assert was_called(listening)


def steering(url: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Requests whose data names an address in every place where a server might follow it."""
    form = short_form() | {
        "url": f"{url}/form",
        "meta": {"profile": [f"{url}/profile"]},
        "extension": [
            {
                "url": "http://hl7.org/fhir/uv/sdc/StructureDefinition"
                "/sdc-questionnaire-preferredTerminologyServer",
                "valueUrl": url,
            },
            {
                "url": "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-endpoint",
                "valueUri": url,
            },
            {"url": "http://hl7.org/fhir/StructureDefinition/cqf-library", "valueCanonical": url},
        ],
        "derivedFrom": [f"{url}/origin"],
        "item": [
            {"linkId": "a", "type": "choice", "answerValueSet": f"{url}/set"},
            {"linkId": "b", "type": "reference"},
            {"linkId": "c", "type": "attachment"},
        ],
    }
    item = [
        {"linkId": "a", "answer": [{"valueCoding": {"system": url, "code": "x"}}]},
        {"linkId": "b", "answer": [{"valueReference": {"reference": f"{url}/Patient/1"}}]},
        {"linkId": "c", "answer": [{"valueAttachment": {"url": url, "contentType": "text/html"}}]},
    ]
    response = answers(questionnaire=f"{url}/form|1.0.0", item=item)
    given = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "resource", "resource": response},
            {"name": "questionnaire", "resource": form},
        ],
    }
    value_set = {
        "resourceType": "ValueSet",
        "url": f"{url}/set",
        "status": "active",
        "compose": {"include": [{"system": url}, {"valueSet": [f"{url}/other"]}]},
    }
    return [
        ("POST", "/fhir/Questionnaire/$validate", form),
        ("POST", "/fhir/Questionnaire", form),
        ("POST", "/fhir/ValueSet", value_set),
        ("POST", f"{PATH}/$validate", given),
        ("POST", f"{PATH}/$validate", response),
        ("POST", PATH, response),
        ("POST", PATH, answers(questionnaire=f"{url}/unknown|1")),
        ("POST", PATH, answers(subject={"reference": f"{url}/Patient/1"})),
        ("GET", f"/fhir/ValueSet/$expand?url={url}/set", {}),
        ("GET", f"/fhir/CodeSystem/$lookup?system={url}&code=x", {}),
        ("GET", f"{PATH}?questionnaire={url}/form", {}),
        ("GET", f"{PATH}?patient={url}/Patient/1", {}),
    ]


def test_no_address_that_stands_in_data_is_ever_called(running: Running) -> None:
    with a_canary() as (url, listening):
        for method, path, body in steering(url):
            running.send(method, path, body or None)
            assert not was_called(listening), path


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("author", {"reference": "Practitioner/1"}),
        ("author", {"type": "Organization", "display": "The clinic"}),
        ("author", {"reference": f"{BASE_URL}/fhir/PractitionerRole/1"}),
        ("source", {"reference": "Practitioner/1"}),
    ],
)
def test_a_patient_can_not_say_that_another_answered(
    running: Running, name: str, reference: Any
) -> None:
    hers = running.token("patient/*.cruds", "ada")
    reply = running.send("POST", PATH, answers(**{name: reference}), token=hers)
    assert (reply.status_code, keys(reply)) == (422, ["not-her-word"])
    assert running.send("POST", PATH, answers(**{name: reference})).status_code in (201, 422)


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("author", {"reference": "Patient/ada"}),
        ("author", {"reference": f"{BASE_URL}/fhir/Patient/ada"}),
        ("author", {"reference": "RelatedPerson/7"}),
        ("author", {"reference": "Device/app"}),
        ("source", {"reference": "RelatedPerson/7"}),
        ("source", {"reference": "Patient/her-mother"}),
        ("source", {"display": "Her daughter"}),
    ],
)
def test_a_patient_says_that_she_or_a_relative_answered(
    running: Running, name: str, reference: Any
) -> None:
    hers = running.token("patient/*.cruds", "ada")
    reply = running.send("POST", PATH, answers(**{name: reference}), token=hers)
    assert reply.status_code == 201, reply.text


def test_a_patient_sets_no_security_label(running: Running) -> None:
    label = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "U"}
    labelled = answers(meta={"security": [label]})
    hers = running.token("patient/*.cruds", "ada")
    refused = running.send("POST", PATH, labelled, token=hers)
    assert (refused.status_code, keys(refused)) == (422, ["server-owned"])
    assert running.send("POST", PATH, labelled).status_code == 201


@pytest.mark.parametrize(
    "kind", ["application/fhir+xml", "application/xml", "text/xml", "text/turtle"]
)
def test_a_document_type_with_entities_is_never_parsed(running: Running, kind: str) -> None:
    with a_canary() as (url, listening):
        bomb = f'<!DOCTYPE a [<!ENTITY b SYSTEM "{url}">]><Patient>&b;</Patient>'.encode()
        reply = running.send("POST", "/fhir/Patient", bomb, headers={"Content-Type": kind})
        assert reply.status_code == 415
        assert running.send("POST", "/fhir/Patient", bomb).status_code == 400
        assert not was_called(listening)


def test_ids_can_not_be_guessed_from_one_another(running: Running) -> None:
    made = [json.loads(running.send("POST", PATH, answers()).data)["id"] for _ in range(50)]
    random = [int(id_.replace("-", "")[12:], 16) & ((1 << 62) - 1) for id_ in made]
    assert len(set(random)) == len(random)
    apart = sorted(b - a for a, b in zip(sorted(random), sorted(random)[1:], strict=False))
    assert apart[0] > 1 << 40  # of 62 random bits: no two of fifty lie near each other


def test_words_of_a_template_are_words(running: Running) -> None:
    words = "{{ 7 * 1234567 }} {% include '/etc/passwd' %} ${7*1234567} <%= 7 * 1234567 %>"
    item = [
        {"linkId": "pain", "answer": [{"valueInteger": 1}]},
        {"linkId": "worry", "answer": [{"valueString": words}]},
    ]
    made = json.loads(running.send("POST", PATH, answers(item=item)).data)["id"]
    for accept in ("text/plain", "text/html"):
        reply = running.send("GET", f"{PATH}/{made}/$summary", headers={"Accept": accept})
        assert reply.status_code == 200
        assert "8641969" not in reply.text
        assert "7 * 1234567" in reply.text


def test_the_answer_never_says_what_the_server_is_made_of(running: Running) -> None:
    for path in ("/fhir/metadata", PATH, "/fhir/Nothing"):
        reply = running.send("GET", path, headers={"Accept": JSON})
        assert not {"X-Powered-By", "Via"} & set(dict(reply.headers))
        assert "Python" not in str(reply.headers.get("Server", ""))
