"""Scopes: whatever is asked for, never more is given than is registered; nonsense is refused.

https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_service.fhir.issues import NotUnderstood
from fhir_service.smart.access import Access
from fhir_service.smart.granting import app_scope, backend_scope, refreshed_scope
from fhir_service.smart.scopes import Letter, read_scopes

LETTERS: tuple[Letter, ...] = ("c", "r", "u", "d", "s")
TYPES = ("Questionnaire", "QuestionnaireResponse", "Patient", "Observation", "ValueSet")

levels = st.sampled_from(["patient", "user", "system", "Patient", "*", ""])
types = st.sampled_from([*TYPES, "*", "questionnaire", "Questionnaire/1", ""])
letters = st.sampled_from(
    ["cruds", "rs", "r", "cu", "read", "write", "*", "sr", "crudsx", "CRUDS", "", "rr"]
)
queries = st.sampled_from(
    ["", "", "?status=completed", "?status=", "?", "?a=b", "?status:not=x", "%3Fstatus=completed"]
)
odd = st.text(alphabet='ab /.?*%\t\n\x00é"\\openidlaunch', max_size=30)
built = st.builds(lambda a, b, c, d: f"{a}/{b}.{c}{d}", levels, types, letters, queries)
named = st.sampled_from(["openid", "fhirUser", "launch", "launch/patient", "offline_access", "x"])
wanted = st.lists(st.one_of(built, built, named, odd), max_size=6).map(" ".join)
REGISTERED = (
    "openid launch/patient offline_access patient/QuestionnaireResponse.rs?status=completed"
    " patient/Questionnaire.rs user/Patient.r system/Questionnaire.rs"
)


def reaches(scope: str, patient: str | None) -> set[tuple[str, str, str | None, object]]:
    """All that a token with these scopes may do."""
    access = Access(read_scopes(scope), patient)
    found: set[tuple[str, str, str | None, object]] = set()
    for one in TYPES:
        for letter in LETTERS:
            reach = access.may(one, letter)
            if reach is not None:
                found.add((one, letter, reach.patient, reach.only))
    return found


def is_covered(one: tuple[str, str, str | None, object], by: set[object]) -> bool:
    kind, letter, patient, only = one
    return (
        one in by
        or (kind, letter, patient, ()) in by
        or (kind, letter, None, ()) in by
        or (kind, letter, None, only) in by
    )


@given(wanted)
def test_an_app_is_never_given_more_than_it_is_registered_for(asked: str) -> None:
    try:
        granted = app_scope(asked, REGISTERED)
    except NotUnderstood:
        return
    most: set[object] = set(reaches(REGISTERED.replace(" system/Questionnaire.rs", ""), "ada"))
    assert all(is_covered(one, most) for one in reaches(granted, "ada")), granted
    assert "system/" not in granted


@given(wanted)
def test_a_backend_is_given_exactly_what_it_asks_for_or_nothing(asked: str) -> None:
    try:
        granted = backend_scope(asked, REGISTERED)
    except NotUnderstood:
        return
    assert granted == (" ".join(dict.fromkeys(asked.split())) or "system/Questionnaire.rs")
    assert reaches(granted, None) <= reaches("system/Questionnaire.rs", None)


@given(wanted)
def test_a_refreshed_token_reaches_no_further_than_before(asked: str) -> None:
    before = "openid patient/QuestionnaireResponse.rs offline_access"
    try:
        granted = refreshed_scope(asked, before)
    except NotUnderstood:
        return
    assert reaches(granted, "ada") <= reaches(before, "ada")


@given(st.text(max_size=60))
def test_reading_any_text_ends_in_scopes_or_a_refusal(text: str) -> None:
    try:
        found = read_scopes(text)
    except NotUnderstood:
        return
    assert found


@pytest.mark.parametrize(
    "asked",
    ["system/Questionnaire.rs\u00a0", "system/Questionnaire.rs\tsystem/Patient.r", "a " * 200],
)
def test_other_blanks_and_endless_lists_are_refused(asked: str) -> None:
    with pytest.raises(NotUnderstood):
        backend_scope(asked, REGISTERED)
