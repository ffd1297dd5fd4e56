# ruff: noqa: E501
from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fhir_service.fhir.issues import NotUnderstood
from fhir_service.fhir.reading import ITEM_LEVELS
from fhir_service.sdc import responses
from fhir_service.sdc.response_model import decimal_of
from fhir_service.sdc.responses import decode
from tests.support.cases import cases

WHOLE: dict[str, Any] = {
    "resourceType": "QuestionnaireResponse",
    "id": "r-1",
    "meta": {"versionId": "3", "profile": ["http://example.org/p"], "tag": [{"code": "x"}]},
    "language": "en",
    "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'},
    "contained": [{"resourceType": "Patient", "id": "p"}],
    "extension": [{"url": "http://example.org/x", "valueDecimal": 1.50}],
    "identifier": {"system": "http://example.org/ids", "value": "17"},
    "basedOn": [{"reference": "ServiceRequest/1"}],
    "questionnaire": "http://example.org/form|1",
    "status": "completed",
    "_status": {"id": "s"},
    "subject": {"reference": "Patient/ada-example", "display": "Ada Example"},
    "encounter": {"reference": "Encounter/1"},
    "authored": "2026-11-22T10:00:00+01:00",
    "author": {"reference": "Patient/ada-example"},
    "source": {"reference": "Patient/ada-example"},
    "item": [
        {
            "linkId": "g",
            "text": "Group",
            "_text": {"extension": [{"url": "http://example.org/x", "valueString": "Grupo"}]},
            "item": [
                {"linkId": "a", "answer": [{"valueDecimal": 1.0}, {"valueInteger": -3}]},
                {"linkId": "b", "definition": "http://example.org/d", "answer": [
                    {"valueCoding": {"system": "http://loinc.org", "code": "x", "display": "X"},
                     "item": [{"linkId": "c", "answer": [{"valueBoolean": True}]}]},
                    {"extension": [{"url": "http://example.org/no", "valueCode": "asked-declined"}]},
                ]},
                {"linkId": "d", "answer": [
                    {"valueDate": "2024-02"}, {"valueDateTime": "2024-02-29T10:00:00Z"},
                    {"valueTime": "10:00:00"}, {"valueUri": "http://example.org"},
                    {"valueString": "Two\nlines, “quoted”: \"x\""},
                    {"valueQuantity": {"value": 5.50, "comparator": "<", "unit": "kg"}},
                    {"valueAttachment": {"contentType": "image/png", "data": "QQ==", "size": 1}},
                    {"valueReference": {"reference": "Patient/1"}},
                ]},
            ],
        }
    ],
}  # fmt: skip


def as_bytes(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def refused(body: bytes) -> tuple[tuple[str, str | None], ...]:
    """(key, place) of each finding; () when the body is accepted."""
    try:
        decode(body)
    except NotUnderstood as refusal:
        return tuple((issue.key, issue.expression) for issue in refusal.issues)
    return ()


def test_a_response_with_all_that_is_legal_is_decoded() -> None:
    response = decode(as_bytes(WHOLE))
    assert response.id == "r-1"
    assert response.status == "completed"
    assert response.questionnaire == "http://example.org/form|1"
    assert response.subject_reference == "Patient/ada-example"
    assert response.author_reference == "Patient/ada-example"
    assert response.source_reference == "Patient/ada-example"
    assert response.encounter_reference == "Encounter/1"
    assert response.based_on_references == ("ServiceRequest/1",)
    assert response.authored == "2026-11-22T10:00:00+01:00"
    assert response.language == "en"
    assert response.identifier == {"system": "http://example.org/ids", "value": "17"}
    assert response.version_id == "3"
    assert response.subject_type == "Patient"
    assert set(response.index) == {"g", "a", "b", "c", "d"}


@pytest.mark.parametrize("digits", ["1.50", "1.00", "12345678901234567890.123", "1e2", "-0.0"])
def test_a_decimal_keeps_its_digits(digits: str) -> None:
    body = as_bytes({**WHOLE, "item": []}).replace(
        b'"item": []',
        b'"item":[{"linkId":"a","answer":[{"valueDecimal":' + digits.encode() + b"}]}]",
    )
    (answer,) = list(decode(body).index["a"].answers or [])
    assert bytes(answer.decimal) == digits.encode()  # type: ignore[arg-type]
    assert str(decimal_of(answer.decimal)) == digits.replace("e", "E+")


@pytest.mark.parametrize(("document", "case"), cases("decoding"))
def test_a_body_is_refused_with_every_finding_and_its_place(
    document: dict[str, Any], case: dict[str, Any]
) -> None:
    body = case["body"].encode("utf-8", "surrogatepass")
    assert list(refused(body)) == [tuple(each) for each in case["findings"]]


def test_bytes_that_are_no_text_are_refused() -> None:
    assert refused(b"\xff") == (("json-not-utf-8", None),)
    assert refused(b"\xef\xbb\xbf" + as_bytes(WHOLE)) == (("json-byte-order-mark", None),)


def nested(levels: int) -> dict[str, Any]:
    item: dict[str, Any] = {"linkId": "a", "answer": [{"valueBoolean": True}]}
    for _ in range(levels - 1):
        item = {"linkId": "a", "answer": [{"valueBoolean": True, "item": [item]}]}
    return {"resourceType": "QuestionnaireResponse", "status": "completed", "item": [item]}


def test_items_may_lie_in_each_other_to_32_levels_and_no_deeper() -> None:
    assert refused(as_bytes(nested(32))) == ()
    assert refused(as_bytes(nested(33)))[0][0] == "items-too-deep"


@pytest.mark.parametrize("opening", [b"[", b'{"item":[', b'{"a":'])
def test_a_document_a_hundred_thousand_deep_is_refused(opening: bytes) -> None:
    assert refused(opening * 100_000) in ((("json-too-deep", None),), (("json-syntax", None),))


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, one in inner:
        here = (*path, key)
        found += places(one, here) if isinstance(one, dict | list) else [here]
    return found


JUNK: st.SearchStrategy[Any] = st.sampled_from(
    [None, "", "  ", "\n", "x", "1", 0, 1, 5.0, True, [], {}, [None], {"x": 1}, "\x00", "2024-02-30",
     {"reference": "x"}, [{"linkId": "z"}], "http://example.org", "a b", "completed", {"extension": []}]
)  # fmt: skip
NAMES = st.sampled_from(
    ["valueString", "valueCoding", "value", "item", "answer", "extension", "_linkId", "linkId", "id",
     "text", "_text", "status", "fhir_comments", "contained", "modifierExtension", "display", "code"]
)  # fmt: skip


def without(value: Any, *names: str) -> Any:
    """The same JSON without the properties whose names begin like one of these."""
    if isinstance(value, dict):
        return {k: without(one, *names) for k, one in value.items() if not k.startswith(names)}
    return [without(one, *names) for one in value] if isinstance(value, list) else value


EXTENDED = without(WHOLE, "_")
PLAIN = without(WHOLE, "_", "extension")
PLAIN["item"][0]["item"][1]["answer"].pop()  # it had extensions alone


def is_accepted_fast(body: bytes) -> bool:
    """Whether it is accepted by typed decoding, without the reader that tells of every finding."""

    class Slowly(Exception):
        pass

    def slow(*_: Any) -> Any:
        raise Slowly

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(responses, "_slow", slow)
        try:
            decode(body)
        except (Slowly, NotUnderstood):
            return False
    return True


@pytest.mark.parametrize("whole", [EXTENDED, PLAIN])
def test_what_has_extensions_on_elements_or_none_is_accepted_fast(whole: Any) -> None:
    assert is_accepted_fast(as_bytes(whole))
    assert is_accepted_fast(json.dumps(whole, indent=1).encode())


@pytest.mark.parametrize("authored", ["2023-02-29", "2024-04-31T10:00:00Z"])
def test_a_day_that_is_none_is_not_accepted_fast(authored: str) -> None:
    assert not is_accepted_fast(as_bytes(PLAIN | {"authored": authored}))
    assert is_accepted_fast(as_bytes(PLAIN | {"authored": authored.replace("29", "28")[:7]}))


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_the_fast_way_accepts_only_what_the_slow_way_accepts(data: st.DataObject) -> None:
    mutant = copy.deepcopy(data.draw(st.sampled_from([WHOLE, EXTENDED, PLAIN])))
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(places(mutant)[1:]))
        holder: Any = mutant
        for key in path[:-1]:
            holder = holder[key]
        match data.draw(st.sampled_from(["replace", "remove", "add"])):
            case "replace":
                holder[path[-1]] = copy.deepcopy(data.draw(JUNK))
            case "remove":
                del holder[path[-1]]
            case _:
                if isinstance(holder, dict):
                    holder[data.draw(NAMES)] = copy.deepcopy(data.draw(JUNK))
    body = as_bytes(mutant)
    fast = is_accepted_fast(body)
    try:
        responses._slow(body, ITEM_LEVELS)
        slow, reason = True, ""
    except NotUnderstood as refusal:
        slow, reason = False, refusal.issues[0].key
    assert reason != "not-understood", "refused without a finding"
    assert slow or not fast


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_random_bytes_are_refused_and_nothing_else_happens(body: bytes) -> None:
    assert refused(body) != ()


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damaged_bytes_are_accepted_or_refused_and_nothing_else_happens(
    data: st.DataObject,
) -> None:
    body = bytearray(as_bytes(WHOLE))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    refused(bytes(body))
