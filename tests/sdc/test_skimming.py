"""What is skimmed and then checked is refused, or found, exactly as what is decoded at once."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from fhir_service.fhir.issues import Issue, NotUnderstood
from fhir_service.fhir.reading import ITEM_LEVELS, read_json
from fhir_service.sdc.compiled import compile_form
from fhir_service.sdc.response_cut import shortened
from fhir_service.sdc.response_parts import findings_in_parts
from fhir_service.sdc.response_walk import look_at
from fhir_service.sdc.responses import _shape, decode, skim
from fhir_service.sdc.validation import validate
from tests.benchmarks import forty, ten

FORM = compile_form(forty.form())
JUNK: list[Any] = [
    None, "", "  ", "x y ", "1", 0, 5.0, True, [], {}, [None], "\x00", "2024-02-30", "2024-02",
    "2026-W47-7", [{"linkId": "-"}], {"reference": "x"}, [{"valueTime": "10:00:00"}],
    {"value": "1", "unit": " "}, "\u00a0", 'a "value": x', [{"linkId": "4", "item": []}],
]  # fmt: skip
NAMES = ["valueString", "valueInteger", "item", "answer", "extension", "linkId", "id", "text"]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    for key, one in value.items() if isinstance(value, dict) else enumerate(value):
        here = (*path, key)
        found += places(one, here) if isinstance(one, dict | list) else [here]
    return found


PLACES = places(forty.response())[1:]


@st.composite
def mutants(draw: st.DrawFn) -> bytes:
    """The response of 40 answers with one to three things changed in it, compact or spaced."""
    mutant = copy.deepcopy(forty.response())
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(PLACES))
        holder: Any = mutant
        try:
            for key in path[:-1]:
                holder = holder[key]
            if draw(st.booleans()):
                holder[path[-1]] = copy.deepcopy(draw(st.sampled_from(JUNK)))
            elif isinstance(holder, dict):
                holder[draw(st.sampled_from(NAMES))] = copy.deepcopy(draw(st.sampled_from(JUNK)))
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change has taken this place away
    separators = draw(st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", " : ")]))
    return json.dumps(mutant, ensure_ascii=False, separators=separators).encode()


def found_in(body: bytes, *, skimmed: bool) -> tuple[Issue, ...]:
    try:
        return validate(FORM, skim(body) if skimmed else decode(body))
    except NotUnderstood as refusal:
        return refusal.issues


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mutants())
def test_what_is_skimmed_is_found_to_be_what_it_is_when_decoded(body: bytes) -> None:
    assert found_in(body, skimmed=True) == found_in(body, skimmed=False)


def slowly(body: bytes) -> tuple[Issue, ...]:
    try:
        return tuple(_shape(read_json(body)))
    except NotUnderstood as refusal:
        return refusal.issues


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mutants())
def test_cutting_out_what_is_sound_changes_no_finding_and_no_place(body: bytes) -> None:
    assert slowly(shortened(body, ITEM_LEVELS)) == slowly(body)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mutants())
def test_what_is_found_part_by_part_is_what_is_found_in_the_whole(body: bytes) -> None:
    try:
        orjson.loads(body)
        found = findings_in_parts(body, ITEM_LEVELS, {})
    except NotUnderstood as refusal:
        found = refusal.issues
    if found is not None and b"\\u00" not in body:  # what is escaped so is read as a whole
        assert [replace(one, link_id=None) for one in found] == list(slowly(body))


def test_a_sound_response_is_cut_down_to_its_frame() -> None:
    body = forty.body(forty.response())
    assert len(shortened(body, ITEM_LEVELS)) < len(body) / 8


@pytest.mark.parametrize("name", sorted(forty.breaks()))
def test_each_kind_of_break_is_told_alike_both_ways(name: str) -> None:
    body = forty.breaks()[name]
    assert found_in(body, skimmed=True) == found_in(body, skimmed=False) != ()


def test_a_skimmed_response_is_settled_once_and_then_stays_so() -> None:
    response = skim(forty.body(forty.response()))
    assert response.sent is not None
    assert response.settle().sent is None
    broken = forty.breaks()["a value that is no date"]
    with pytest.raises(NotUnderstood):
        skim(broken).settle()


EXAMPLES = Path("questionnaires/previsit-recurrent-breast")


@pytest.mark.parametrize("name", ["forty", "ten", "previsit"])
def test_what_is_plainly_right_is_looked_at_once(name: str) -> None:
    previsit = json.loads((EXAMPLES / "Questionnaire-1.0.0.json").read_bytes())
    form, body = {
        "forty": (forty.form(), forty.body(forty.response())),
        "ten": (ten.form(), forty.body(ten.response())),
        "previsit": (previsit, (EXAMPLES / "responses/typical.json").read_bytes()),
    }[name]
    response = skim(body)
    assert validate(compile_form(form), response) == ()
    assert not response.extended
    assert look_at(response.items, ITEM_LEVELS) == response.properties


TWICE = [b'"linkId":"0.weight"', b'"valueInteger":3', b'"status":"completed"', b'"unit":"l"']


@pytest.mark.parametrize("blank", [b" ", b"\n", b"\t", b"\r", b" \n  "])
@pytest.mark.parametrize("twice", TWICE)
@pytest.mark.parametrize("spaced", [b'"linkId":"0.pain"', b'"answer":', b'"authored":'])
def test_a_property_twice_is_told_however_others_are_spaced(
    blank: bytes, twice: bytes, spaced: bytes
) -> None:
    good = json.dumps(forty.response(), separators=(",", ":")).encode()
    body = good.replace(spaced, spaced.replace(b'":', b'"' + blank + b":"), 1)
    assert found_in(body, skimmed=True) == ()
    found = found_in(body.replace(twice, twice + b"," + twice, 1), skimmed=True)
    assert [issue.key for issue in found] == ["json-duplicate-key"]
