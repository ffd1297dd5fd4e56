"""What fits by construction has no finding; what is found is told the same every time."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings

from fhir_service.fhir.issues import Issue
from fhir_service.fhir.reading import read_json
from fhir_service.sdc.compiled import compile_form
from fhir_service.sdc.form_rules import check_questionnaire
from fhir_service.sdc.responses import decode, skim
from fhir_service.sdc.validation import envelope, validate
from fhir_service.sdc.validation.context import Check
from fhir_service.sdc.validation.walk import run
from tests.support import mutations_structure, mutations_values
from tests.support.form_order import place_in_form
from tests.support.mutations import MUTATIONS, mutated
from tests.support.random_answers import a_response, as_bytes
from tests.support.random_forms import a_form, randoms

SEEDS = 150
LONG_SEEDS = 3_000

assert mutations_structure  # importing these fills the list of mutations
assert mutations_values


def found_in(form: dict[str, Any], response: dict[str, Any]) -> tuple[Issue, ...]:
    return validate(compile_form(form), decode(as_bytes(response)))


@given(randoms())
@settings(max_examples=80)
def test_a_fitting_response_has_no_finding(random: Random) -> None:
    form = a_form(random, 8)
    assert found_in(form, a_response(random, form)) == ()


def fits(seed: int) -> None:
    random = Random(seed)
    form = a_form(random, random.choice([5, 25, 60]))
    compiled = compile_form(form)
    for _ in range(3):
        body = as_bytes(a_response(random, form))
        assert validate(compiled, decode(body)) == (), seed
        assert validate(compiled, skim(body)) == (), seed


def test_many_fitting_responses_have_no_finding() -> None:
    for seed in range(SEEDS):
        fits(seed)


@pytest.mark.long
def test_thousands_of_fitting_responses_have_no_finding() -> None:
    for seed in range(SEEDS, SEEDS + LONG_SEEDS):
        fits(seed)


NOT_SHOWN = "form-not-shown"
"""What our own page can not show is no fault of a form; tests/web says what it can."""


def test_random_forms_keep_every_rule_that_bars_them_from_store_or_offer() -> None:
    for seed in range(SEEDS):
        random = Random(seed)
        found = check_questionnaire(read_json(as_bytes(a_form(random, 25))))
        barring = [one for one in found if one.severity == "error" or one.blocks_offer]
        assert [one for one in barring if one.key != NOT_SHOWN] == [], seed


def several_mutations(random: Random) -> tuple[dict[str, Any], dict[str, Any]]:
    """A form, and a response to it with three mutations of any kind, where they can be made."""
    form = a_form(random, 25)
    response = a_response(random, form)
    for mutation in random.sample(list(MUTATIONS.values()), 3):
        made = mutated(random, form, response, mutation, free=False)
        response = response if made is None else made.response
    return form, response


def test_findings_are_the_same_every_time_without_duplicates() -> None:
    told = 0
    for seed in range(SEEDS):
        form, response = several_mutations(Random(seed))
        body, compiled = as_bytes(response), compile_form(form)
        first = validate(compiled, decode(body))
        assert first == validate(compile_form(form), skim(body))
        assert first == validate(compiled, decode(as_bytes(response)))
        assert len(set(first)) == len(first), seed
        told += len(first)
    assert told > SEEDS


def test_findings_come_in_the_order_of_the_form() -> None:
    told = 0
    for seed in range(SEEDS):
        form, response = several_mutations(Random(seed))
        found = found_in(form, response)
        places = [place_in_form(form, response, one) for one in found]
        assert places == sorted(places), (seed, [(one.key, one.expression) for one in found])
        told += len({place for place in places if place})
    assert told > SEEDS


def test_passing_by_what_is_plainly_right_changes_no_finding_on_random_responses() -> None:
    for seed in range(SEEDS):
        form, response = several_mutations(Random(seed))
        compiled = compile_form(form)
        check = Check(compiled, decode(as_bytes(response)), None, None)
        for rule in envelope.RULES:
            rule(check)
        run(check, careful=True)
        assert validate(compiled, decode(as_bytes(response))) == check.told(), seed
