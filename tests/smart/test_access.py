"""A token reaches what its scopes say, and a patient's token nobody but that patient."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey

from fhir_service.fhir.issues import NotAllowed, NotSignedIn, NotUnderstood
from fhir_service.smart.access import Access, Reach
from fhir_service.smart.scopes import Letter, read_scopes
from fhir_service.smart.tokens import AUDIENCE, issue, key_set, new_key, public_jwks, verify

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
ISSUER = "https://clinic.example.org"
KEY = new_key("one")
KEYS = key_set([KEY])


@pytest.mark.parametrize(
    ("scope", "patient", "asked", "reach"),
    [
        ("system/QuestionnaireResponse.cruds", None, ("QuestionnaireResponse", "c"), Reach(None)),
        ("system/QuestionnaireResponse.rs", None, ("QuestionnaireResponse", "c"), None),
        ("system/*.read", None, ("Questionnaire", "s"), Reach(None)),
        ("system/*.read", None, ("Questionnaire", "u"), None),
        ("user/Questionnaire.write", None, ("Questionnaire", "d"), Reach(None)),
        ("patient/*.cruds", "a", ("QuestionnaireResponse", "c"), Reach("a")),
        ("patient/*.cruds", None, ("QuestionnaireResponse", "r"), None),
        ("patient/*.cruds", "a", ("Questionnaire", "r"), Reach(None)),
        ("patient/*.cruds", "a", ("Questionnaire", "c"), None),
        ("patient/*.cruds", "a", ("Patient", "u"), None),
        ("patient/*.cruds", "a", ("Patient", "r"), Reach("a")),
        ("patient/Questionnaire.rs", "a", ("QuestionnaireResponse", "r"), None),
        ("launch/patient openid patient/*.rs", "a", ("QuestionnaireResponse", "s"), Reach("a")),
    ],
)
def test_a_scope_allows_what_it_says(
    scope: str, patient: str | None, asked: tuple[str, Letter], reach: Reach | None
) -> None:
    access = Access(read_scopes(scope), patient)
    assert access.may(*asked) == reach
    if reach is None:
        with pytest.raises(NotAllowed):
            access.must(*asked)


@pytest.mark.parametrize(
    "scope",
    [
        "",
        "openid",
        "system/Questionnaire",
        "system/Questionnaire.",
        "system/Questionnaire.sr",
        "everyone/Questionnaire.r",
    ],
)
def test_what_is_no_scope_or_can_not_be_kept_is_not_granted(scope: str) -> None:
    with pytest.raises(NotUnderstood):
        read_scopes(scope)


def token(**changes: Any) -> str:
    said: dict[str, Any] = {
        "issuer": ISSUER,
        "client": "portal",
        "scope": "patient/*.rs",
        "patient": "a",
        "now": NOW,
        "lifetime_seconds": 60,
        "jti": "t1",
    } | changes
    return issue(KEY, **said)


def test_a_token_says_who_asks_and_for_whom() -> None:
    claims = verify(token(), KEYS, now=NOW)
    assert (claims.client, claims.jti, claims.access.patient) == ("portal", "t1", "a")


def test_a_patient_token_needs_a_patient() -> None:
    with pytest.raises(NotUnderstood):
        token(patient=None)


def forged(key: Any, header: dict[str, Any] | None = None, **changes: Any) -> str:
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "client_id": "x",
        "jti": "t2",
        "scope": "system/*.cruds",
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 60,
    } | changes
    said = {"alg": "ES256", "typ": "at+jwt", "kid": "one"} | (header or {})
    return jwt.encode(said, claims, key, algorithms=["HS256", "ES256"])


MINE = ECKey.import_key(KEY)
PUBLIC = public_jwks([KEY])["keys"][0]


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "a.b.c",
        token()[:-4] + "AAAA",
        token(now=NOW - timedelta(seconds=60)),
        forged(MINE, aud="https://other.example.org"),
        forged(MINE, {"typ": "JWT"}),
        forged(MINE, iat=int(NOW.timestamp()) + 600),
        forged(MINE, scope="nonsense"),
        forged(MINE, exp="soon"),
        forged(ECKey.generate_key("P-256", {"kid": "one"}, private=True)),
        forged(OctKey.import_key(PUBLIC["x"]), {"alg": "HS256"}),
    ],
)
def test_a_token_that_is_not_ours_or_not_valid_now_is_refused(wrong: str) -> None:
    with pytest.raises(NotSignedIn):
        verify(wrong, KEYS, now=NOW)


def test_a_token_signed_by_the_kept_key_is_taken() -> None:
    assert verify(forged(MINE), KEYS, now=NOW).client == "x"


def test_published_keys_hold_no_private_half() -> None:
    assert "d" in KEY
    assert "d" not in PUBLIC


@pytest.mark.parametrize(
    "scope",
    [
        "patient/QuestionnaireResponse.cruds?status=completed",
        "patient/QuestionnaireResponse.read?status=completed",
        "patient/QuestionnaireResponse.rs?status:not=completed",
        "patient/QuestionnaireResponse.rs?authored=2026",
        "patient/QuestionnaireResponse.rs?status=",
        "patient/QuestionnaireResponse.rs?status=|",
        "patient/QuestionnaireResponse.rs?colour=red",
        "patient/QuestionnaireResponse.rs?",
        "patient/*.rs?status=completed",
        (
            "patient/QuestionnaireResponse.rs?status=completed"
            " patient/QuestionnaireResponse.rs?questionnaire=a"
        ),
    ],
)
def test_a_query_that_could_not_be_kept_is_not_granted(scope: str) -> None:
    with pytest.raises(NotUnderstood):
        read_scopes(scope)


def test_queries_of_several_scopes_are_alternatives_and_one_without_lifts_them() -> None:
    done = "patient/QuestionnaireResponse.rs?status=completed"
    changed = "patient/QuestionnaireResponse.rs?status=amended"
    narrow = Access(read_scopes(f"{done} {changed}"), "a").must("QuestionnaireResponse", "r")
    assert narrow == Reach("a", ((("status", "completed"),), (("status", "amended"),)))
    whole = Access(read_scopes(f"{done} patient/*.r"), "a").must("QuestionnaireResponse", "r")
    assert whole == Reach("a")
    searching = Access(read_scopes(f"{done} patient/*.r"), "a").must("QuestionnaireResponse", "s")
    assert searching == Reach("a", ((("status", "completed"),),))
