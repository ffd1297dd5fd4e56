"""Apps: a person is asked, the app gets a code, and with it tokens that say who and for whom.

https://hl7.org/fhir/smart-app-launch/app-launch.html
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from joserfc import jwt

from fhir_service.smart.assertions import public_client_keys
from fhir_service.workflow.oauth.authorizing import new_launch
from fhir_service.workflow.oauth.registering import new_client_secret
from tests.support.browser import (
    APP_SCOPE,
    HERE,
    VERIFIER,
    Browser,
    app,
    exchange,
    sent_back,
    tokens,
)
from tests.support.service import BASE_URL, Running, answers
from tests.support.smart import ASSERTION_TYPE, assertion, key, key_set


@pytest.fixture(scope="module")
def portal(running: Running) -> Running:
    """The service with apps registered, and with two patients."""
    app(running)
    _, kept = new_client_secret()
    app(running, "secretive", auth="client_secret", secret_sha256=kept)
    app(running, "signing", auth="private_key_jwt", jwks=public_client_keys([key("ec")]))
    for id_, name in (("ada", "Example"), ("alan", "Other")):
        body = {"resourceType": "Patient", "id": id_, "name": [{"family": name, "given": [id_]}]}
        reply = running.send("PUT", f"/fhir/Patient/{id_}", body | {"birthDate": "1968-03-09"})
        assert reply.status_code in (200, 201), reply.text
        assert running.send("POST", "/fhir/QuestionnaireResponse", answers(id_)).status_code == 201
    return running


def test_a_patient_allows_an_app_which_then_sees_her_answers_and_nobody_elses(
    portal: Running,
) -> None:
    browser = Browser(portal)
    page = browser.opens(nonce="n-0")
    assert page.status_code == 200
    assert "Diary &lt;b&gt;App&lt;/b&gt;" in page.text
    assert "see answers to questionnaires of yours" in page.text
    assert "go on doing so for up to 90 days" in page.text
    assert "form-action 'self' https://app.example.org;" in page.headers["Content-Security-Policy"]
    back = sent_back(browser.decides(page))
    assert back["state"] == "a state/with+signs=&"
    said = tokens(exchange(portal, back["code"]))
    assert said["patient"] == "ada"
    assert said["need_patient_banner"] is True
    assert said["token_type"].lower() == "bearer"
    assert "patient/QuestionnaireResponse.rs" in said["scope"].split()
    found = portal.send("GET", "/fhir/QuestionnaireResponse", token=said["access_token"])
    subjects = {
        entry["resource"]["subject"]["reference"] for entry in json.loads(found.data)["entry"]
    }
    assert subjects == {"Patient/ada"}
    assert portal.send("GET", "/fhir/Patient/ada", token=said["access_token"]).status_code == 403


def test_the_id_token_verifies_with_the_published_keys(portal: Running) -> None:
    said = tokens(exchange(portal, Browser(portal).code(nonce="n-1")))
    keys = key_set(json.loads(portal.client.get("/auth/jwks").data))
    read = jwt.decode(said["id_token"], keys, algorithms=["RS256"])
    assert read.header["alg"] == "RS256"
    assert read.claims["iss"] == BASE_URL
    assert read.claims["aud"] == "app"
    assert read.claims["nonce"] == "n-1"
    assert read.claims["fhirUser"] == f"{BASE_URL}/fhir/Patient/ada"
    assert 0 < len(read.claims["sub"]) < 256
    assert read.claims["exp"] > read.claims["iat"]
    again = tokens(exchange(portal, Browser(portal).code()))
    other = jwt.decode(again["id_token"], keys, algorithms=["RS256"])
    assert other.claims["sub"] == read.claims["sub"]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"aud": None}, "invalid_request"),
        ({"aud": "https://elsewhere.example.org/fhir"}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain", "code_challenge": VERIFIER}, "invalid_request"),
        ({"code_challenge": "too-short"}, "invalid_request"),
        ({"state": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": 'code "id_token\\'}, "unsupported_response_type"),
        ({"scope": "patient/Observation.d"}, "invalid_scope"),
        ({"scope": "openid fhirUser"}, "invalid_scope"),
        ({"scope": "system/*.rs"}, "invalid_scope"),
        ({"prompt": "none"}, "interaction_required"),
        ({"launch": "guessed"}, "invalid_request"),
        ({"nonce": "n" * 600}, "invalid_request"),
    ],
)
def test_a_wrong_request_is_told_to_the_app_with_its_state(
    portal: Running, changes: dict[str, Any], error: str
) -> None:
    said = sent_back(Browser(portal).opens(**changes))
    assert said["error"] == error
    assert said.get("state") == (None if "state" in changes else "a state/with+signs=&")
    assert "code" not in said


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "nobody"},
        {"client_id": None},
        {"client_id": "backend"},
        {"redirect_uri": None},
        {"redirect_uri": f"{HERE}/"},
        {"redirect_uri": f"{HERE}?more=1"},
        {"redirect_uri": "https://app.example.org.evil.example/callback"},
        {"redirect_uri": "https://app.example.org/callback/../evil"},
        {"redirect_uri": "HTTPS://app.example.org/callback"},
        {"redirect_uri": "javascript:alert(1)"},
    ],
)
def test_to_an_address_that_is_not_the_apps_nobody_is_sent(
    portal: Running, changes: dict[str, Any]
) -> None:
    page = Browser(portal).opens(**changes)
    assert page.status_code == 400
    assert "Location" not in page.headers
    assert "This app can not be used here" in page.text


def test_who_says_no_is_believed(portal: Running) -> None:
    browser = Browser(portal)
    said = sent_back(browser.decides(browser.opens(), "deny"))
    assert said["error"] == "access_denied"


def test_nobody_is_asked_before_somebody_has_logged_in(portal: Running) -> None:
    browser = Browser(portal)
    browser.client = portal.client.application.test_client()
    reply = browser.opens()
    assert reply.status_code == 303
    assert reply.headers["Location"].startswith("/login?next=%2Fauth%2Fauthorize%3F")


def test_who_came_by_a_link_can_not_let_an_app_in(portal: Running) -> None:
    browser = Browser(portal, "patient", {"link": "a-link", "questionnaire": "form|1"})
    assert browser.opens().status_code == 303


def test_another_site_can_not_press_the_button(portal: Running) -> None:
    browser = Browser(portal)
    page = browser.opens()
    sent = browser.client.post(
        "/auth/consent",
        base_url=BASE_URL,
        data={**dict(re.findall(r'name="([a-z_]+)" value="([^"]*)"', page.text)), "csrf": "x"},
    )
    assert sent.status_code == 403
    by_other = browser.client.post(
        "/auth/consent",
        base_url=BASE_URL,
        data={"decision": "allow"},
        headers={"Sec-Fetch-Site": "cross-site"},
    )
    assert by_other.status_code == 403


def test_an_authorization_request_by_post_is_asked_for_anew(portal: Running) -> None:
    browser = Browser(portal)
    reply = browser.client.post(
        "/auth/authorize", data={"client_id": "app", "state": "s"}, base_url=BASE_URL
    )
    assert reply.status_code == 303
    assert reply.headers["Location"] == "/auth/authorize?client_id=app&state=s"


def test_an_app_gets_no_more_than_it_is_registered_for_and_she_may_do(portal: Running) -> None:
    browser = Browser(portal, "patient", {"scope": "patient/QuestionnaireResponse.rs"})
    code = browser.code(scope="patient/*.cruds user/Questionnaire.rs system/*.rs openid nonsense")
    assert tokens(exchange(portal, code))["scope"] == "patient/QuestionnaireResponse.rs openid"


def test_staff_choose_the_patient(portal: Running) -> None:
    browser = Browser(portal, "staff")
    page = browser.opens()
    assert "Who is it about?" in page.text
    again = browser.decides(page)
    assert again.status_code == 422
    assert "Choose the patient first" in again.text
    found = browser.decides(page, "find", find="exam")
    assert 'value="ada"' in found.text
    assert 'value="alan"' not in found.text
    assert "Nobody was found" in browser.decides(page, "find", find="nobody").text
    assert browser.decides(page, patient="never-there").status_code == 422
    back = sent_back(browser.decides(found, patient="ada"))
    said = tokens(exchange(portal, back["code"]))
    assert said["patient"] == "ada"
    assert "fhirUser" not in said["scope"].split()


def test_staff_of_the_ehr_are_named_by_their_resource(portal: Running) -> None:
    members = {"user": "Practitioner/7", "ehr": "https://ehr.example.org/fhir", "patient": "alan"}
    browser = Browser(portal, "staff", members)
    page = browser.opens()
    assert "alan Other" in page.text
    said = tokens(exchange(portal, sent_back(browser.decides(page))["code"]))
    assert said["patient"] == "alan"
    keys = key_set(json.loads(portal.client.get("/auth/jwks").data))
    read = jwt.decode(said["id_token"], keys, algorithms=["RS256"])
    assert read.claims["fhirUser"] == "https://ehr.example.org/fhir/Practitioner/7"


def test_a_launch_brings_its_patient_and_is_good_once(portal: Running) -> None:
    launch = new_launch(portal.service.authority, "alan", "visit-7")
    browser = Browser(portal, "staff")
    wanted = {"scope": f"launch {APP_SCOPE}", "launch": launch}
    page = browser.opens(**wanted)
    said = tokens(exchange(portal, sent_back(browser.decides(page))["code"]))
    assert (said["patient"], said["encounter"]) == ("alan", "visit-7")
    assert sent_back(browser.opens(**wanted))["error"] == "invalid_request"


def test_a_patient_can_not_take_the_patient_of_a_launch(portal: Running) -> None:
    launch = new_launch(portal.service.authority, "alan", None)
    browser = Browser(portal)
    page = browser.opens(launch=launch, scope=f"launch {APP_SCOPE}")
    said = tokens(exchange(portal, sent_back(browser.decides(page))["code"]))
    assert said["patient"] == "ada"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_verifier": None}, "invalid_request"),
        ({"code_verifier": "b" * 50}, "invalid_grant"),
        ({"code_verifier": "short"}, "invalid_request"),
        ({"redirect_uri": None}, "invalid_grant"),
        ({"redirect_uri": f"{HERE}/"}, "invalid_grant"),
        ({"client_id": "secretive"}, "invalid_client"),
        ({"client_id": "nobody"}, "invalid_client"),
        ({"client_id": None}, "invalid_client"),
        ({"code": "guessed"}, "invalid_grant"),
        ({"code": None}, "invalid_request"),
    ],
)
def test_a_code_is_taken_only_with_all_that_belongs_to_it(
    portal: Running, changes: dict[str, Any], error: str
) -> None:
    code = Browser(portal).code()
    reply = exchange(portal, code, **changes)
    assert json.loads(reply.data)["error"] == error
    assert reply.status_code == (401 if error == "invalid_client" else 400)
    assert tokens(exchange(portal, code))["access_token"]


def test_a_code_of_another_client_is_none(portal: Running) -> None:
    app(portal, "second")
    code = Browser(portal).code()
    reply = exchange(portal, code, client_id="second")
    assert json.loads(reply.data)["error"] == "invalid_grant"


def test_a_code_that_comes_twice_ends_all_that_was_made_of_it(portal: Running) -> None:
    code = Browser(portal).code()
    said = tokens(exchange(portal, code))
    assert portal.send("GET", "/fhir/Questionnaire", token=said["access_token"]).status_code == 403
    assert json.loads(exchange(portal, code).data)["error"] == "invalid_grant"
    after = portal.send("GET", "/fhir/Questionnaire", token=said["access_token"])
    assert after.status_code == 401
    assert json.loads(refresh(portal, said["refresh_token"]).data)["error"] == "invalid_grant"


def test_a_code_is_good_for_a_minute(portal: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fhir_service.workflow.oauth.grants.CODE_SECONDS", -1)
    code = Browser(portal).code()
    assert json.loads(exchange(portal, code).data)["error"] == "invalid_grant"


def refresh(running: Running, token: str, **changes: Any) -> Any:
    form = {"grant_type": "refresh_token", "refresh_token": token, "client_id": "app"} | changes
    return running.client.post("/auth/token", data=form)


def test_refreshing_rotates_and_can_only_shrink(portal: Running) -> None:
    said = tokens(exchange(portal, Browser(portal).code()))
    less = tokens(refresh(portal, said["refresh_token"], scope="patient/QuestionnaireResponse.r"))
    assert less["scope"] == "patient/QuestionnaireResponse.r"
    assert less["patient"] == "ada"
    assert less["refresh_token"] != said["refresh_token"]
    whole = tokens(refresh(portal, less["refresh_token"]))
    assert whole["scope"] == said["scope"]
    more = refresh(portal, whole["refresh_token"], scope="patient/*.rs")
    assert json.loads(more.data)["error"] == "invalid_scope"
    assert tokens(refresh(portal, whole["refresh_token"]))["access_token"]


def test_a_refresh_token_that_comes_back_ends_the_whole_family(portal: Running) -> None:
    said = tokens(exchange(portal, Browser(portal).code()))
    newer = tokens(refresh(portal, said["refresh_token"]))
    assert json.loads(refresh(portal, said["refresh_token"]).data)["error"] == "invalid_grant"
    assert json.loads(refresh(portal, newer["refresh_token"]).data)["error"] == "invalid_grant"
    for token in (said["access_token"], newer["access_token"]):
        reply = portal.send("GET", "/fhir/QuestionnaireResponse", token=token)
        assert reply.status_code == 401


def test_the_operator_ends_all_that_one_patient_allowed(portal: Running) -> None:
    hers = tokens(exchange(portal, Browser(portal).code()))
    authority = portal.service.authority
    (newest,) = authority.store.grants("ada", None, 1)
    assert not newest.revoked
    authority.end_grants(None, "alan")
    reply = portal.send("GET", "/fhir/QuestionnaireResponse", token=hers["access_token"])
    assert reply.status_code == 200
    assert authority.end_grants(None, "alan") == 0
    assert refresh(portal, hers["refresh_token"] + "x").status_code == 400
    assert authority.end_grants(None, "ada") >= 1
    assert authority.end_grants(newest.id, None) == 0
    reply = portal.send("GET", "/fhir/QuestionnaireResponse", token=hers["access_token"])
    assert reply.status_code == 401
    assert json.loads(refresh(portal, hers["refresh_token"]).data)["error"] == "invalid_grant"


def test_a_refresh_token_is_its_clients_alone(portal: Running) -> None:
    app(portal, "third")
    said = tokens(exchange(portal, Browser(portal).code()))
    reply = refresh(portal, said["refresh_token"], client_id="third")
    assert json.loads(reply.data)["error"] == "invalid_grant"
    assert tokens(refresh(portal, said["refresh_token"]))["access_token"]


def test_without_offline_or_online_access_there_is_no_refresh_token(portal: Running) -> None:
    scope = "launch/patient patient/QuestionnaireResponse.rs"
    said = tokens(exchange(portal, Browser(portal).code(scope=scope)))
    assert "refresh_token" not in said
    assert "id_token" not in said
    online = tokens(exchange(portal, Browser(portal).code(scope=f"{scope} online_access")))
    assert tokens(refresh(portal, online["refresh_token"]))["access_token"]


def test_confidential_apps_show_who_they_are(portal: Running) -> None:
    code = Browser(portal).code(client_id="signing")
    refused = exchange(portal, code, client_id="signing")
    assert json.loads(refused.data)["error"] == "invalid_client"
    good = exchange(
        portal,
        code,
        client_id="signing",
        client_assertion_type=ASSERTION_TYPE,
        client_assertion=assertion("signing").signed(),
    )
    assert tokens(good)["patient"] == "ada"


def test_a_shared_secret_goes_by_header_or_form_and_must_be_right(portal: Running) -> None:
    secret, kept = new_client_secret()
    app(portal, "with-secret", auth="client_secret", secret_sha256=kept)
    code = Browser(portal).code(client_id="with-secret")
    wrong = exchange(portal, code, client_id="with-secret", client_secret="guess")  # noqa: S106
    assert wrong.status_code == 401
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": HERE,
        "code_verifier": VERIFIER,
    }
    by_header = portal.client.post("/auth/token", data=form, auth=("with-secret", secret))
    assert tokens(by_header)["patient"] == "ada"
    wrong_header = portal.client.post("/auth/token", data=form, auth=("with-secret", "guess"))
    assert wrong_header.status_code == 401
    assert wrong_header.headers["WWW-Authenticate"].startswith("Basic")
