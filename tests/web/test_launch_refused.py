"""Every bad answer of an EHR or a portal that keeps a launch out, told in plain words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from joserfc.jwk import RSAKey

from fhir_service.catalogue.launch_ehrs import load_launch_ehrs
from fhir_service.catalogue.summary_mappings import MappingFault
from fhir_service.smart.launch import LaunchFailed
from fhir_service.workflow import launch, sessions
from tests.support.launching import CANARY, begun, came, refused
from tests.support.portal import CLIENT, Portal, running_portal
from tests.support.service import Running, start


@pytest.mark.parametrize(
    "iss",
    [
        "https://elsewhere.example.org/fhir",
        "{base}.evil.example.org",
        "{base}/../other",
        "{base}@evil.example.org",
        "http://169.254.169.254/latest",
        "",
    ],
)
def test_an_ehr_that_is_not_registered_is_never_asked(
    door: Running, portal: Portal, iss: str
) -> None:
    reply = door.client.get("/launch", query_string={"iss": iss.format(base=portal.base)})
    refused(reply, door, "not registered here")
    assert portal.asked == []


def test_a_state_is_good_once_for_the_browser_that_began(door: Running, portal: Portal) -> None:
    path = begun(door, portal)
    stranger = door.client.application.test_client()
    assert stranger.get(path).status_code == 403
    refused(door.client.get(path), door, "took too long")  # the stranger used it up
    assert came(door, portal).status_code == 303


@pytest.mark.parametrize("change", ["state=", "state=made-up", "nothing"])
def test_a_made_up_state_opens_nothing(door: Running, portal: Portal, change: str) -> None:
    begun(door, portal)
    asked = len(portal.asked)
    reply = door.client.get(f"/launch/callback?code=stolen&{change}")
    refused(reply, door, "took too long")
    assert len(portal.asked) == asked


class Later:
    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(minutes=11)


def test_a_state_ends_after_ten_minutes(door: Running, portal: Portal) -> None:
    query = dict(parse_qsl(urlsplit(begun(door, portal)).query))
    cookie = door.client.get_cookie("__Host-fhir-visitor", domain="localhost")
    assert cookie is not None
    returned = launch.Returned(query["state"], query["code"])
    late = replace(door.service.site, clock=Later())
    with pytest.raises(LaunchFailed) as failed:
        launch.finish(late, door.service.launchers, returned, cookie.value)
    assert failed.value.kind == "state"


BAD_IDENTITY: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "https://elsewhere.example.org"},
    "another audience": {"aud": "another-app"},
    "another nonce": {"nonce": "replayed"},
    "no nonce": {"nonce": None},
    "expired": {"exp": 1_600_000_000},
    "made tomorrow": {"iat": 4_000_000_000, "exp": 4_000_000_600},
    "no expiry": {"exp": None},
    "for two, not handed to us": {"aud": [CLIENT, "another-app"], "azp": "another-app"},
}


@pytest.mark.parametrize("name", BAD_IDENTITY)
def test_an_id_token_that_is_not_for_this_launch_is_refused(
    door: Running, portal: Portal, name: str
) -> None:
    portal.claims = BAD_IDENTITY[name]
    refused(came(door, portal), door, "could not make sure who you are")


def test_an_id_token_signed_by_a_foreign_key_is_refused(door: Running, portal: Portal) -> None:
    portal.signs_with = RSAKey.generate_key(2048, {"kid": "one"})
    refused(came(door, portal), door, "could not make sure who you are")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"patient": None}, "did not say for which patient"),
        ({"patient": ""}, "did not say for which patient"),
        ({"patient": "../Practitioner/1"}, "did not say for which patient"),
        ({"patient": ["ada"]}, "did not say for which patient"),
        ({"id_token": None}, "did not say who you are"),
        ({"id_token": "a.b.c"}, "could not make sure who you are"),
        ({"id_token": 7}, "could not make sure who you are"),
        ({"access_token": None}, "did not complete the sign-in"),
        ({"token_type": "mac"}, "did not complete the sign-in"),
    ],
)
def test_a_token_response_that_lacks_something_is_refused(
    door: Running, portal: Portal, answer: dict[str, Any], words: str
) -> None:
    portal.answer = answer
    refused(came(door, portal), door, words)


@pytest.mark.parametrize(
    "user", ["https://elsewhere.example.org/fhir/Practitioner/1", "Device/1", "nonsense", None]
)
def test_a_person_whom_the_ehr_does_not_vouch_for_is_refused(
    door: Running, portal: Portal, user: str | None
) -> None:
    portal.launches["hers"]["fhirUser"] = user
    refused(came(door, portal), door, "did not say who you are")


def test_a_portal_of_patients_lets_no_staff_in(tmp_path: Path, portal: Portal) -> None:
    file = tmp_path / "ehrs.toml"
    file.write_text(
        f'[[ehr]]\nbase = "{portal.base}"\nclient_id = "{CLIENT}"\nname = "P"\n'
        'audience = "patients"\n'
    )
    running = start(tmp_path, LAUNCH_EHRS=str(file))
    refused(came(running, portal, "staff"), running, "did not say who you are")
    assert came(running, portal).status_code == 303
    portal.answer = {"id_token": None}  # it is agreed who comes from there
    assert came(running, portal).status_code == 303
    running.close()


def test_a_mix_up_of_servers_is_noticed(door: Running, portal: Portal) -> None:
    path = begun(door, portal)
    refused(door.client.get(f"{path}&iss=https://evil.example.org"), door, "took too long")
    path = begun(door, portal)
    assert door.client.get(f"{path}&iss={portal.issuer()}").status_code == 303


def test_what_the_ehr_refuses_is_told_and_never_shown(door: Running, portal: Portal) -> None:
    state = dict(parse_qsl(urlsplit(begun(door, portal)).query))["state"]
    path = f"/launch/callback?error=access_denied&error_description=<script>&state={state}"
    reply = door.client.get(path)
    refused(reply, door, "did not let you in")
    assert "script" not in reply.text
    portal.token_status = 400
    refused(came(door, portal), door, "did not complete the sign-in")


@pytest.mark.parametrize(
    "said",
    [
        {"code_challenge_methods_supported": ["plain"]},
        {"code_challenge_methods_supported": None},
        {"authorization_endpoint": None},
        {"token_endpoint": None},
    ],
)
def test_an_ehr_without_pkce_or_endpoints_can_not_launch_us(
    door: Running, portal: Portal, said: dict[str, Any]
) -> None:
    portal.configuration = said
    reply = door.client.get("/launch", query_string={"iss": portal.base, "launch": "hers"})
    refused(reply, door, "can not sign you in here")


def test_a_token_endpoint_on_a_host_that_nobody_registered_is_not_called(
    door: Running, portal: Portal
) -> None:
    with running_portal() as evil:
        portal.configuration = {"token_endpoint": f"{evil.issuer()}/token"}
        refused(came(door, portal), door, "did not complete the sign-in")
        assert evil.asked == []


def test_an_ehr_that_is_down_is_told_in_plain_words(door: Running, portal: Portal) -> None:
    portal_base = portal.base
    running = start(
        Path(door.service.settings.data_dir) / "other",
        EHR_BASE="http://127.0.0.1:9",
        LAUNCH_CLIENT_ID=CLIENT,
    )
    reply = running.client.get("/launch?iss=http://127.0.0.1:9")
    assert reply.status_code == 503
    assert "did not answer" in reply.text
    assert portal_base
    running.close()


def test_the_token_is_kept_encrypted_until_it_ends_or_she_logs_out(
    door: Running, portal: Portal
) -> None:
    came(door, portal)
    cookie = door.client.get_cookie("__Host-fhir-patient", domain="localhost")
    assert cookie is not None
    site = door.service.site
    assert launch.token_of(site, cookie.value) == portal.tokens[-1]
    rows = repr(door.service.store.database.rows("SELECT * FROM browser_session"))
    assert portal.tokens[-1] not in rows
    assert launch.token_of(replace(site, clock=Later()), cookie.value) is None
    assert site.sessions.secret_of(sessions.fingerprint(cookie.value)) is None
    came(door, portal)
    second = door.client.get_cookie("__Host-fhir-patient", domain="localhost")
    assert second is not None
    site.sessions.end(sessions.fingerprint(second.value))
    assert launch.token_of(site, second.value) is None


def test_log_and_audit_hold_no_code_no_token_and_no_name(door: Running, portal: Portal) -> None:
    path = begun(door, portal)
    code = dict(parse_qsl(urlsplit(path).query))["code"]
    door.client.get(path)
    portal.claims = {"nonce": "x"}
    came(door, portal)
    logged = door.logged.getvalue().decode() + door.client.get("/metrics").text
    audit = repr(door.service.store.database.rows("SELECT * FROM audit"))
    for canary in (code, portal.tokens[0], CANARY, "1951-"):
        assert canary not in logged
        assert canary not in audit
    assert '"findings":["launch-identity"]' in logged


@pytest.mark.parametrize(
    "text",
    [
        'base = "https://a.example.org"',
        '[[ehr]]\nbase = "http://a.example.org"\nclient_id = "x"\nname = "A"',
        '[[ehr]]\nbase = "https://a.example.org"\nname = "A"',
        '[[ehr]]\nbase = "https://a.example.org"\nclient_id = "x"\nname = "A"\nkolour = 1',
        '[[ehr]]\nbase = "https://a.example.org"\nclient_id = "x"\nname = "A"\n' * 2,
        "[[ehr",
        '[[ehr]]\nbase = "https://a.example.org"\nclient_id = "x"\nname = "A"\n{SECRET}',
    ],
)
def test_a_file_of_ehrs_that_is_wrong_is_told(tmp_path: Path, text: str) -> None:
    file = tmp_path / "ehrs.toml"
    file.write_text(text.replace("{SECRET}", 'client_secret_file = "/no/such/file"'))
    with pytest.raises(MappingFault, match=r"ehrs\.toml"):
        load_launch_ehrs(file)
