"""Our tokens at an EHR: signed as SMART asks, kept until shortly before they end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from fhir_service.ehr.backend_services import BackendServices, ClientId
from fhir_service.ehr.client import EhrClient
from fhir_service.ehr.outbound import Outbound
from fhir_service.smart.assertions import (
    ALGORITHMS,
    Algorithm,
    client_key_set,
    new_client_key,
    public_client_keys,
    read_client_key,
)
from fhir_service.workflow.ehr import EhrTrouble
from tests.support.ehr import Ehr, an_ehr, hidden


class AuthorizationServer:
    """A token endpoint that verifies the assertion by our published keys, as an EHR does."""

    def __init__(self, jwks: dict[str, Any]) -> None:
        self.keys = client_key_set(jwks["keys"])
        self.seen: set[str] = set()
        self.forms: list[dict[str, str]] = []
        self.lifetime: object = 300
        self.now = 1_000_000

    def __call__(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        self.forms.append(form)
        said = jwt.decode(form["client_assertion"], self.keys, algorithms=list(ALGORITHMS))
        claims = said.claims
        assert said.header["typ"] == "JWT"
        assert claims["iss"] == claims["sub"] == "our-id"
        assert 0 < claims["exp"] - self.now <= 300
        assert claims["jti"] not in self.seen
        assert len(claims["jti"]) <= 151
        self.seen.add(claims["jti"])
        token = f"token-{len(self.seen)}"
        said_of = {"access_token": token, "token_type": "Bearer", "expires_in": self.lifetime}
        return 200, {**said_of, "scope": "system/DocumentReference.write"}


@pytest.fixture
def ehr() -> Iterator[Ehr]:
    with an_ehr() as made:
        yield made


def services(
    ehr: Ehr, algorithm: Algorithm = "ES384", scope: str | None = None
) -> tuple[BackendServices, AuthorizationServer]:
    key = new_client_key("k1", algorithm)
    server = AuthorizationServer(public_client_keys([key]))
    ehr.token = server
    ids = iter(range(1000))
    url = ehr.base.replace("/fhir", "/token")
    made = BackendServices(
        Outbound([ehr.base]),
        ClientId("our-id", scope),
        token_url=lambda: url,
        key=lambda: key,
        new_id=lambda: f"id-{next(ids)}",
        now=lambda: float(server.now),
    )
    return made, server


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_token_is_had_by_an_assertion_that_our_published_key_verifies(
    ehr: Ehr, algorithm: Algorithm
) -> None:
    made, server = services(ehr, algorithm)
    assert made.header() == "Bearer token-1"
    assert made.granted == "system/DocumentReference.write"
    (form,) = server.forms
    assert form["grant_type"] == "client_credentials"
    assert form["client_assertion_type"].endswith(":jwt-bearer")
    assert "scope" not in form


def test_a_scope_is_asked_for_where_one_is_set(ehr: Ehr) -> None:
    made, server = services(ehr, scope="system/Patient.rs")
    made.header()
    assert server.forms[0]["scope"] == "system/Patient.rs"


def test_a_token_is_kept_until_shortly_before_it_ends(ehr: Ehr) -> None:
    made, server = services(ehr)
    assert made.header() == "Bearer token-1"
    server.now += 265
    assert made.header() == "Bearer token-1"
    server.now += 10
    assert made.header() == "Bearer token-2"


@pytest.mark.parametrize("lifetime", [None, "soon", 0, -5])
def test_a_lifetime_that_is_none_does_not_make_a_token_eternal(ehr: Ehr, lifetime: object) -> None:
    made, server = services(ehr)
    server.lifetime = lifetime
    made.header()
    server.now += 60
    assert made.header() == "Bearer token-2"


def test_a_401_is_answered_once_with_a_new_token(ehr: Ehr) -> None:
    made, _ = services(ehr)
    ehr.needs_token = "token-2"  # noqa: S105  no secret
    client = EhrClient(Outbound([ehr.base]), ehr.base, made)
    assert client.create({"resourceType": "DocumentReference"}).status == 201
    ehr.needs_token = "never"  # noqa: S105  no secret
    with pytest.raises(EhrTrouble, match="not-authorized"):
        client.create({"resourceType": "DocumentReference"})
    assert len(ehr.all("DocumentReference")) == 1


def test_a_refused_client_is_told_by_oauths_word_alone(ehr: Ehr) -> None:
    made, _ = services(ehr)
    ehr.token = lambda _: (400, {"error": "unauthorized_client", "error_description": "Example"})
    with pytest.raises(EhrTrouble) as told:
        made.header()
    assert (told.value.kind, told.value.codes) == ("not-authorized", ("unauthorized_client",))
    assert hidden(str(told.value))


@pytest.mark.parametrize(
    ("status", "kind"),
    [(503, "busy"), (429, "busy"), (500, "unreachable"), (302, "not-authorized")],
)
def test_a_token_endpoint_in_trouble_leaves_nothing_undone(
    ehr: Ehr, status: int, kind: str
) -> None:
    made, _ = services(ehr)
    ehr.token = lambda _: (status, {})
    with pytest.raises(EhrTrouble) as told:
        made.header()
    assert (told.value.kind, told.value.surely_not_done) == (kind, True)


def test_a_token_endpoint_that_the_operator_did_not_name_is_not_called(ehr: Ehr) -> None:
    made, _ = services(ehr)
    made._token_url = lambda: "http://127.0.0.1:9/token"
    with pytest.raises(EhrTrouble, match="not-configured"):
        made.header()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_no_private_member_is_published(algorithm: Algorithm) -> None:
    (key,) = public_client_keys([new_client_key("k1", algorithm)])["keys"]
    assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & set(key)
    assert (key["kid"], key["use"], key["alg"]) == ("k1", "sig", algorithm)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_key_is_read_from_pem_and_jwk(algorithm: Algorithm) -> None:
    jwk = new_client_key("k1", algorithm)
    made: Any = (ECKey if algorithm == "ES384" else RSAKey).import_key(jwk)
    for text in (json.dumps(jwk), made.as_pem(private=True).decode()):
        read = read_client_key(text)
        assert (read["alg"], bool(read["kid"])) == (algorithm, True)


@pytest.mark.parametrize("text", ["", "{}", "-----BEGIN NOTHING-----", '{"kty":"oct","k":"YQ"}'])
def test_what_is_no_private_key_of_ours_is_refused_without_quoting_it(text: str) -> None:
    with pytest.raises(ValueError, match="must be a private key"):
        read_client_key(text)
