"""An EHR finds our keys, and with them takes the token request that the service really makes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from joserfc import jwt

from fhir_service.smart.assertions import client_key_set
from tests.support.ehr import an_ehr
from tests.support.service import start


def test_a_service_without_a_client_id_publishes_no_key(tmp_path: Path) -> None:
    running = start(tmp_path)
    reply = running.client.get("/auth/ehr/jwks")
    assert (reply.status_code, json.loads(reply.data)) == (200, {"keys": []})
    running.close()


def test_the_published_key_verifies_the_assertion_that_the_ehr_gets(tmp_path: Path) -> None:
    forms: list[dict[str, str]] = []

    def token(form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        forms.append(form)
        return 200, {"access_token": "one", "token_type": "Bearer", "expires_in": 300}

    with an_ehr(token=token, needs_token="one") as ehr:  # noqa: S106  no secret
        url = ehr.base.replace("/fhir", "/token")
        ehr.smart = {"token_endpoint": url}
        ehr.put({"resourceType": "Patient", "id": "ada"})
        running = start(tmp_path, EHR_BASE=ehr.base, EHR_CLIENT_ID="our-id")
        published = json.loads(running.client.get("/auth/ehr/jwks").data)
        assert running.service.site.ehr is not None
        assert running.service.site.ehr.read("Patient", "ada") is not None
        running.close()
    said = jwt.decode(
        forms[0]["client_assertion"], client_key_set(published["keys"]), algorithms=["ES384"]
    )
    assert (said.claims["sub"], said.claims["aud"]) == ("our-id", url)
    assert all("d" not in key for key in published["keys"])
