"""One fault in a response that fits gives its own finding at its own place, and no other."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from fhir_service.fhir.issues import NotUnderstood
from fhir_service.sdc.compiled import Form, compile_form
from fhir_service.sdc.responses import decode
from fhir_service.sdc.validation import validate
from tests.support import mutations_structure, mutations_values
from tests.support.mutations import MUTATIONS, Mutated, Mutation, mutated
from tests.support.mutations_json import UNSOUND
from tests.support.random_answers import a_response, as_bytes
from tests.support.random_forms import a_form
from tests.support.random_questions import Json

TIMES = 8
LONG_TIMES = 100
_TRIED = 60
"""Forms tried for each time that a fault shall be made."""

assert mutations_structure
assert mutations_values


def made(fault: Mutation, times: int, *, free: bool = True) -> Iterator[tuple[Form, Mutated]]:
    """That many responses with this fault, each to a form of its own."""
    count = 0
    for seed in range(times * _TRIED):
        random = Random(seed)
        form = a_form(random, 25)
        one = mutated(random, form, a_response(random, form), fault, free=free)
        if one is not None:
            count += 1
            yield compile_form(form), one
        if count == times:
            return
    raise AssertionError(f"made {count} times only")


def findings(form: Form, response: Json) -> list[tuple[str, str | None]]:
    return [(one.key, one.expression) for one in validate(form, decode(as_bytes(response)))]


def makes_its_own_finding_alone(name: str, times: int) -> None:
    for form, one in made(MUTATIONS[name], times):
        assert findings(form, one.response) == [(one.key, one.place)]


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_fault_makes_its_own_finding_at_its_own_place_and_no_other(name: str) -> None:
    makes_its_own_finding_alone(name, TIMES)


@pytest.mark.long
@pytest.mark.parametrize("name", MUTATIONS)
def test_a_fault_makes_its_own_finding_alone_in_many_forms(name: str) -> None:
    makes_its_own_finding_alone(name, LONG_TIMES)


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_fault_that_conditions_depend_on_is_among_the_findings(name: str) -> None:
    for form, one in made(MUTATIONS[name], TIMES, free=False):
        assert one.key in [key for key, _ in findings(form, one.response)]


@pytest.mark.parametrize("name", UNSOUND)
def test_what_is_no_sound_fhir_is_told_at_its_own_place_alone(name: str) -> None:
    for _, one in made(UNSOUND[name], TIMES):
        with pytest.raises(NotUnderstood) as refusal:
            decode(as_bytes(one.response))
        found = [(issue.key, issue.expression) for issue in refusal.value.issues]
        assert found == [(one.key, one.place)]


def test_there_are_at_least_twenty_kinds_of_fault_and_each_names_its_key() -> None:
    assert len(MUTATIONS) >= 40
    assert len(UNSOUND) >= 10
