"""The FHIR document: its invariants, and the same say as the page."""

from __future__ import annotations

import json
import re
from typing import Any
from xml.etree import ElementTree

import fhirpathpy
import pytest
from fhir.resources.R4B.bundle import Bundle

from fhir_service.summary.document import document
from fhir_service.summary.facts import Summary
from tests.support.summaries import (
    FORMS,
    PREVISIT,
    example,
    followed,
    response,
    source,
    summary_of,
    typical,
)

BASE = "https://summary.example.org/fhir"
ALLOWED = {"div", "p", "b", "ul", "li", "table", "thead", "tbody", "tr", "th", "td", "br"}


def made(summary: Summary | None = None) -> dict[str, Any]:
    return document(summary or typical(), base_url=BASE, software_version="0.1.0")


def sections(composition: dict[str, Any]) -> list[dict[str, Any]]:
    found = []
    for one in composition["section"]:
        found += [one, *one.get("section", ())]
    return found


def test_it_is_a_document_that_begins_with_its_composition() -> None:
    bundle = made()
    assert bundle["type"] == "document"
    assert bundle["identifier"]["system"]
    assert bundle["identifier"]["value"]
    assert bundle["timestamp"]
    assert bundle["entry"][0]["resource"]["resourceType"] == "Composition"
    assert all(set(entry) == {"fullUrl", "resource"} for entry in bundle["entry"])


def test_every_full_url_is_there_once_and_names_no_version() -> None:
    urls = [entry["fullUrl"] for entry in made()["entry"]]
    assert len(urls) == len(set(urls))
    assert not any("/_history/" in url for url in urls)


def test_every_reference_of_the_composition_is_inside() -> None:
    bundle = made()
    urls = {entry["fullUrl"] for entry in bundle["entry"]}
    named = re.findall(r'"reference": "([^"]+)"', json.dumps(bundle["entry"][0]))
    assert named
    assert set(named) <= urls


def test_the_subject_of_each_response_resolves_inside() -> None:
    bundle = made()
    urls = {entry["fullUrl"] for entry in bundle["entry"]}
    for entry in bundle["entry"]:
        if entry["resource"]["resourceType"] == "QuestionnaireResponse":
            assert f"{BASE}/{entry['resource']['subject']['reference']}" in urls


def test_the_composition_has_its_type_category_and_sections() -> None:
    composition = made()["entry"][0]["resource"]
    assert composition["type"]["coding"][0]["code"] == "74465-6"
    assert composition["category"][0]["coding"][0]["code"] == "51855-5"
    assert composition["status"] == "final"
    assert composition["author"]
    for section in sections(composition):
        assert section.get("text") or section.get("entry") or section.get("section")
        assert "emptyReason" not in section


def test_each_narrative_is_plain_xhtml_and_not_blank() -> None:
    composition = made()["entry"][0]["resource"]
    texts = [composition["text"], *(one["text"] for one in sections(composition) if "text" in one)]
    for text in texts:
        root = ElementTree.fromstring(text["div"])  # noqa: S314  # our own
        assert root.tag == "{http://www.w3.org/1999/xhtml}div"
        assert {element.tag.rpartition("}")[2] for element in root.iter()} <= ALLOWED
        assert "".join(root.itertext()).strip()


def test_the_responses_are_inside_as_they_were_sent() -> None:
    inside = [
        entry["resource"]
        for entry in made()["entry"]
        if entry["resource"]["resourceType"] == "QuestionnaireResponse"
    ]
    for resource, id_ in zip(inside, FORMS, strict=True):
        sent = example(id_)
        assert {key: resource[key] for key in sent if key != "id"} == {
            key: value for key, value in sent.items() if key != "id"
        }


def test_the_same_summary_gives_the_same_document_and_another_one_another() -> None:
    assert made() == made()
    other = summary_of(source(PREVISIT, response(PREVISIT, {"main-concern": "Another worry."})))
    assert made(other)["identifier"] != made()["identifier"]


def test_a_patient_who_is_not_known_here_is_still_inside() -> None:
    summary = summary_of(source(PREVISIT, example(PREVISIT)), patient=None)
    patients = [
        entry for entry in made(summary)["entry"] if entry["resource"]["resourceType"] == "Patient"
    ]
    assert [entry["fullUrl"] for entry in patients] == [f"{BASE}/Patient/ada-example"]


def test_markup_in_an_answer_stays_text() -> None:
    words = "<script>alert(1)</script> & \u202etxt"
    summary = summary_of(source(PREVISIT, response(PREVISIT, {"main-concern": words})))
    composition = made(summary)["entry"][0]["resource"]
    narratives = "".join(one["text"]["div"] for one in sections(composition) if "text" in one)
    assert "<script" not in narratives
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &lt;U+202E&gt;txt" in narratives


def test_another_implementation_reads_it() -> None:
    bundle = Bundle.model_validate_json(json.dumps(made(), default=float))
    assert bundle.type == "document"


def test_the_document_says_out_of_which_versions_it_was_put_together() -> None:
    bundle = made()
    held = [one["resource"] for one in bundle["entry"]]
    (provenance,) = [one for one in held if one["resourceType"] == "Provenance"]
    assert provenance["target"] == [{"reference": bundle["entry"][0]["fullUrl"]}]
    named = {one["what"]["reference"] for one in provenance["entity"]}
    responses = {one["id"] for one in held if one["resourceType"] == "QuestionnaireResponse"}
    assert {name.split("/")[-3] for name in named} <= responses
    assert all(name.split("/")[-2] == "_history" for name in named)
    devices = {one["fullUrl"] for one in bundle["entry"] if "deviceName" in one["resource"]}
    assert provenance["agent"][0]["who"]["reference"] in devices


@pytest.mark.parametrize("summary", [typical(), typical("everything"), followed()])
def test_each_line_is_proven_by_the_answers_of_an_entry(summary: Summary) -> None:
    """Every line that has a source names it; what it names is there, in that response."""
    bundle = made(summary)
    held = {entry["fullUrl"]: entry["resource"] for entry in bundle["entry"]}
    sections_ = zip(summary.sections, bundle["entry"][0]["resource"]["section"], strict=False)
    for section, told in sections_:
        root = ElementTree.fromstring(told["text"]["div"])  # noqa: S314  # our own
        lines = [f"#{one.get('id')}" for one in root.iter() if one.get("id")]
        assert len(lines) == len(section.facts)
        proven: dict[str, set[str]] = {line: set() for line in lines}
        for entry in told.get("entry", ()):
            for extension in entry["extension"]:
                said = {one["url"]: one for one in extension["extension"]}
                path = said["path"]["valueString"]
                answers = evaluate(held[entry["reference"]], path)
                assert answers, path
                proven[said["line"]["valueUri"]].add(path)
        for line, fact in zip(lines, section.facts, strict=True):
            assert proven[line] == {one.place for one in fact.derived_from}


def evaluate(resource: dict[str, Any], path: str) -> list[Any]:
    """What fhirpathpy finds there."""
    found: list[Any] = fhirpathpy.evaluate(json.loads(json.dumps(resource, default=float)), path)
    return found
