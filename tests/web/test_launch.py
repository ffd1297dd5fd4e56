"""SMART launch as an app of the EHR: who comes in, and where she is led."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from fhir_service.workflow import launch
from fhir_service.workflow.session import Answering
from tests.support.launching import came, session_of, stored
from tests.support.portal import CLIENT, Portal
from tests.support.service import Running, start
from tests.support.ways import csrf_in, offered_form, publish

LAUNCH = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-launchContext"
INITIAL = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-initialExpression"
NAMES = "http://hl7.org/fhir/uv/sdc/CodeSystem/launchContext"
LAUNCHED = [
    {"url": "name", "valueCoding": {"system": NAMES, "code": "patient"}},
    {"url": "type", "valueCode": "Patient"},
]


def expression(text: str, url: str) -> dict[str, object]:
    return {"url": url, "valueExpression": {"language": "text/fhirpath", "expression": text}}


def test_a_patient_of_the_portal_comes_to_her_forms(door: Running, portal: Portal) -> None:
    reply = came(door, portal)
    assert (reply.status_code, reply.headers["Location"]) == (303, "/forms/")
    session = session_of(door)
    assert session is not None
    assert (session.patient, session.language, session.link) == ("ada", "es", None)
    assert session.answering.is_patient
    assert (session.ehr, session.client) == (portal.base, CLIENT)
    kept = stored(door)
    assert kept["birthDate"] == "1951-03-27"
    assert kept["identifier"] == [{"system": portal.base, "value": "ada"}]
    assert "address" not in kept


def test_a_clinician_comes_to_the_summary_of_the_chart_she_is_in(
    door: Running, portal: Portal
) -> None:
    reply = came(door, portal, "staff")
    assert (reply.status_code, reply.headers["Location"]) == (303, "/summary/")
    session = session_of(door, "staff")
    assert session is not None
    assert (session.patient, session.encounter, session.banner) == ("ada", "visit-1", False)
    assert session.user == f"{portal.base}/Practitioner/example"
    assert session_of(door) is None
    reach = session.caller().access.may("QuestionnaireResponse", "r")
    assert reach is not None
    assert reach.patient == "ada"
    assert session.caller().access.may("QuestionnaireResponse", "u") is None


def test_a_standalone_launch_asks_for_the_patient(door: Running, portal: Portal) -> None:
    portal.launches[""] = portal.launches["hers"]
    reply = door.client.get("/launch")  # the one EHR that is registered
    asked = dict(parse_qsl(urlsplit(reply.headers["Location"]).query))
    assert asked["scope"].split()[0] == "launch/patient"
    assert "launch" not in asked
    assert came(door, portal, None).status_code == 303


def test_a_relative_who_is_signed_in_answers_as_a_helper(door: Running, portal: Portal) -> None:
    portal.people["r1"] = {
        "resourceType": "RelatedPerson",
        "id": "r1",
        "name": [{"text": "Grace Example"}],
    }
    portal.launches["hers"]["fhirUser"] = f"{portal.base}/RelatedPerson/r1"
    came(door, portal)
    session = session_of(door)
    assert session is not None
    assert session.answering == Answering("Grace Example", "other")
    assert session.patient == "ada"


def test_what_a_client_stored_of_her_stays(door: Running, portal: Portal) -> None:
    given = {
        "resourceType": "Patient",
        "id": "ada",
        "identifier": [{"system": "urn:mrn", "value": "1"}],
        "telecom": [{"system": "phone", "value": "+1 555 0100"}],
    }
    door.send("PUT", "/fhir/Patient/ada", given)
    came(door, portal)
    came(door, portal)
    kept = stored(door)
    assert kept["telecom"] == given["telecom"]
    assert [one["value"] for one in kept["identifier"]] == ["1", "ada"]
    assert kept["meta"]["versionId"] == "2"  # the second launch changed nothing


def test_a_patient_that_is_not_given_out_is_known_by_her_id(door: Running, portal: Portal) -> None:
    portal.patients.clear()
    assert came(door, portal).status_code == 303
    assert "name" not in stored(door)


def test_another_ehr_never_meets_the_patients_of_the_first(tmp_path: Path, portal: Portal) -> None:
    file = tmp_path / "ehrs.toml"
    file.write_text(
        f'[[ehr]]\nbase = "{portal.base}/"\nclient_id = "{CLIENT}"\nname = "The portal"\n'
    )
    other = start(tmp_path, LAUNCH_EHRS=str(file))
    assert came(other, portal).status_code == 303
    session = session_of(other)
    assert session is not None
    assert session.patient not in (None, "ada")
    assert stored(other, session.patient or "")["identifier"][0]["value"] == "ada"
    came(other, portal)
    again = session_of(other)
    assert again is not None
    assert again.patient == session.patient
    other.close()


def test_a_confidential_app_shows_its_secret(tmp_path: Path, portal: Portal) -> None:
    portal.secret = " & ".join(("hush", "more"))
    running = start(
        tmp_path,
        EHR_BASE=portal.base,
        LAUNCH_CLIENT_ID=CLIENT,
        LAUNCH_CLIENT_SECRET=portal.secret,
    )
    assert came(running, portal).status_code == 303
    running.close()


def test_a_form_is_filled_with_what_her_own_token_may_read(door: Running, portal: Portal) -> None:
    """We have no account of our own at this EHR: without her token it answers nobody."""
    form = offered_form(
        item=[
            {
                "linkId": "born",
                "text": "Born",
                "type": "date",
                "extension": [expression("%patient.birthDate", INITIAL)],
            }
        ],
        extension=[{"url": LAUNCH, "extension": LAUNCHED}],
    )
    publish(door, form)
    came(door, portal)
    page = door.client.get("/forms/")
    csrf = csrf_in(page)
    begun_form = door.client.post(
        "/forms/", data={"csrf": csrf, "form": f"{form['url']}|{form['version']}"}
    )
    id_ = begun_form.headers["Location"].rpartition("/")[2]
    draft = json.loads(door.send("GET", f"/fhir/QuestionnaireResponse/{id_}").data)
    assert draft["item"][0]["answer"][0]["valueDate"] == "1951-03-27"
    reads = [path for path in portal.asked if path == "/fhir/Patient/ada"]
    assert len(reads) > 1  # at the launch, and for the form


def test_where_we_have_an_account_of_our_own_her_token_is_not_lent(
    tmp_path: Path, portal: Portal
) -> None:
    running = start(
        tmp_path, EHR_BASE=portal.base, LAUNCH_CLIENT_ID=CLIENT, EHR_CLIENT_ID="backend"
    )
    came(running, portal)
    cookie = running.client.get_cookie("__Host-fhir-patient", domain="localhost")
    session = session_of(running)
    assert cookie is not None
    assert session is not None
    site, launchers = running.service.site, running.service.launchers
    assert launch.chart_of(site, launchers, session, cookie.value) is None
    running.close()
