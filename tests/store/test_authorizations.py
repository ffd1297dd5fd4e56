"""What the authorization server keeps, on both databases: once is once, and ended is ended."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from fhir_service.fhir.issues import Conflict
from fhir_service.store.authorizations import StoredAuthorizations
from fhir_service.store.opening import StoreDesk
from fhir_service.store.people import erase_patient
from fhir_service.store.token_keys import TokenKeys
from fhir_service.workflow.oauth.model import Client, Grant
from tests.support.records import NOON

LATER = NOON + timedelta(hours=1)


def client(id_: str) -> Client:
    return Client(
        id_,
        "An app",
        "none",
        ("authorization_code",),
        "patient/*.rs",
        NOON,
        redirect_uris=("https://app.example.org/here", "org.example.app:/here"),
    )


def grant(id_: str, patient: str = "ada") -> Grant:
    return Grant(
        id=id_,
        client="app",
        scope="patient/*.rs offline_access",
        redirect_uri="https://app.example.org/here",
        code_challenge="challenge",
        user="someone",
        authenticated=NOON,
        created=NOON,
        patient=patient,
        refresh_until=LATER,
    )


@pytest.fixture
def kept(desk: StoreDesk) -> StoredAuthorizations:
    return StoredAuthorizations(desk.database)


def test_a_client_comes_back_as_it_was_registered(kept: StoredAuthorizations) -> None:
    kept.register(client("b"))
    kept.register(client("a"))
    assert kept.client("a") == client("a")
    assert [one.id for one in kept.clients()] == ["a", "b"]
    with pytest.raises(Conflict):
        kept.register(client("a"))
    kept.keep_grant(grant("g"), b"code", LATER)
    assert kept.remove("a", LATER)
    assert not kept.remove("a", LATER)
    assert kept.client("a") is None
    assert "client:a" in kept.revoked(NOON)
    assert kept.code(b"code") is not None


def test_what_is_good_once_is_good_once_for_many_at_the_same_time(
    kept: StoredAuthorizations,
) -> None:
    kept.keep_grant(grant("g"), b"code", LATER)
    kept.keep_refresh(b"refresh", "g", LATER)
    tries = (
        lambda _: kept.first_use(b"\0jti", LATER, NOON),
        lambda _: kept.spend_code(b"code"),
        lambda _: kept.spend_refresh(b"refresh"),
    )
    with ThreadPoolExecutor(4) as pool:
        for one in tries:
            assert sum(pool.map(one, range(12))) == 1


def test_a_grant_comes_back_whole_and_ends_once_it_is_revoked(
    kept: StoredAuthorizations,
) -> None:
    kept.keep_grant(grant("g"), b"code", LATER)
    kept.keep_refresh(b"refresh", "g", LATER)
    found = kept.code(b"code")
    assert found is not None
    assert (found.grant, found.expires, found.spent) == (grant("g"), LATER, False)
    kept.revoke_grant("g", LATER)
    again = kept.refresh(b"refresh")
    assert again is not None
    assert again.grant.revoked
    assert kept.revoked(NOON) == {"g"}
    assert kept.revoked(LATER + timedelta(seconds=1)) == frozenset()


def test_grants_are_listed_newest_first_and_told_apart_by_patient_and_client(
    kept: StoredAuthorizations,
) -> None:
    later = replace(grant("h", "alan"), created=NOON + timedelta(minutes=1))
    kept.keep_grant(grant("g"), b"one", LATER)
    kept.keep_grant(later, b"two", LATER)
    assert kept.grants(None, None, 9) == (later, grant("g"))
    assert kept.grants(None, "app", 1) == (later,)
    assert kept.grants("ada", None, 9) == (grant("g"),)
    assert kept.grants("ada", "another", 9) == ()
    assert kept.grants_to_end(None, "alan") == kept.grants_to_end("h", None) == ("h",)
    kept.revoke_grant("h", LATER)
    assert kept.grants_to_end(None, "alan") == kept.grants_to_end("h", None) == ()
    assert [one.revoked for one in kept.grants(None, None, 9)] == [True, False]


def test_erasing_a_patient_ends_what_she_allowed(
    desk: StoreDesk, kept: StoredAuthorizations
) -> None:
    kept.keep_grant(grant("g", "ada"), b"one", LATER)
    kept.keep_refresh(b"refresh", "g", LATER)
    kept.keep_grant(grant("h", "alan"), b"two", LATER)
    erase_patient(desk, "ada")
    assert kept.code(b"one") is None
    assert kept.refresh(b"refresh") is None
    assert kept.code(b"two") is not None


def test_a_rotated_key_verifies_until_its_last_token_has_ended(desk: StoreDesk) -> None:
    made = iter(range(10))
    now = [NOON]

    def a_key(kind: str) -> dict[str, str]:
        return {"kid": f"{kind}{next(made)}", "kty": kind}

    def keys() -> TokenKeys:
        return TokenKeys(desk.database, a_key, lambda: now[0])

    one = keys()
    assert [key["kid"] for key in one.all()] == ["EC0"]
    one.lasts(NOON + timedelta(days=30))
    one.lasts(NOON + timedelta(days=3))
    assert one.rotate() == ("EC1",)
    assert [key["kid"] for key in keys().all()] == ["EC1", "EC0"]
    now[0] = NOON + timedelta(days=29)
    assert [key["kid"] for key in keys().all()] == ["EC1", "EC0"]
    now[0] = NOON + timedelta(days=31)
    assert [key["kid"] for key in keys().all()] == ["EC1"]
    assert keys().identity()["kid"] == "RSA2"
    assert keys().rotate(at_once=True) == ("EC3", "RSA4")
    assert [key["kid"] for key in keys().published()] == ["EC3", "RSA4"]
