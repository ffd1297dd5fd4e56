"""The summary as a FHIR document is sound by HL7's own rules, as HAPI's validator knows them."""

from __future__ import annotations

import msgspec
import pytest

from fhir_service.summary.document import document, number
from tests.support.hapi import Hapi
from tests.support.summaries import typical

BASE = "https://summary.example.org/fhir"

_encode = msgspec.json.Encoder(decimal_format="number").encode


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_document_of_a_visit_is_valid(hapi: Hapi, language: str) -> None:
    summary = typical() if language == "en" else typical("typical-es")
    bundle = document(summary, base_url=BASE, software_version="1")
    assert hapi.validate(_encode(bundle)) == []


def test_a_document_that_replaces_another_is_valid(hapi: Hapi) -> None:
    summary = typical()
    before = number(summary, f"{BASE}/elsewhere")
    bundle = document(summary, base_url=BASE, replaces=before, began="response-1")
    assert bundle["entry"][0]["resource"]["relatesTo"]
    assert hapi.validate(_encode(bundle)) == []
