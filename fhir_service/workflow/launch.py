"""SMART launch: an EHR or a portal sends a browser here, and we learn from it who it is.

Patient, encounter and person come from the token response alone. State, nonce and verifier are
used once, live ten minutes, and belong to the browser that began.
https://hl7.org/fhir/smart-app-launch/app-launch.html
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from fhir_service.smart import launch
from fhir_service.smart.launch import Fetched, LaunchFailed
from fhir_service.workflow import sessions
from fhir_service.workflow.ehr import Ehr
from fhir_service.workflow.launch_ports import LaunchEhr, Launchers
from fhir_service.workflow.launched import answering_of, keep_patient, language_of
from fhir_service.workflow.ports import Record, Told
from fhir_service.workflow.session import Begun, Kind, Session
from fhir_service.workflow.site import Site

PURPOSE: Final = "launch"
MINUTES: Final = 10
CALLBACK: Final = "/launch/callback"
PATIENT_SCOPE: Final = "patient/*.rs patient/QuestionnaireResponse.cu"
"""Who is signed in to her portal reads her own record there; so may the forms that she fills."""

STAFF_SCOPE: Final = "patient/*.rs"
"""A clinician's launch is in one patient's chart, and reaches that patient alone."""

_OF_PATIENTS = frozenset({"Patient", "RelatedPerson", "Person"})


@dataclass(frozen=True, slots=True)
class Returned:
    """What the EHR sent the browser back with. ``issuer`` is RFC 9207's iss, where it came."""

    state: str
    code: str | None
    error: bool = False
    issuer: str | None = None


def begin(site: Site, launchers: Launchers, iss: str, token: str | None, browser: str) -> str:
    """The address to send the browser to. ``token`` is the launch parameter, None: standalone.

    ``browser`` is a secret that this browser holds. Raises LaunchFailed: an EHR that is not
    registered is never asked anything.
    """
    ehr = launchers.ehrs.get(iss.rstrip("/"))
    if ehr is None:
        raise LaunchFailed("unknown-ehr")
    found = launch.endpoints(launchers.ask.configuration(ehr))
    state, nonce, verifier = sessions.new_secret(), sessions.new_secret(), launch.new_verifier()
    details = {
        "ehr": ehr.base,
        "verifier": verifier,
        "nonce": nonce,
        "browser": sessions.fingerprint(browser).hex(),
        "token_endpoint": found.token,
        "issuer": found.issuer,
        "jwks": found.jwks,
    }
    mark, now = sessions.fingerprint(state), site.clock.now()
    sealed = site.vault.seal(json.dumps(details).encode(), mark)

    def work(record: Record) -> None:
        record.one_times.clear(now)
        record.one_times.keep(mark, PURPOSE, sealed, 1, now + timedelta(minutes=MINUTES))

    site.desk.write(work)
    asked = {
        "response_type": "code",
        "client_id": ehr.client_id,
        "redirect_uri": f"{site.base_url}{CALLBACK}",
        "scope": f"{'launch' if token else 'launch/patient'} {ehr.scope}",
        "state": state,
        "aud": ehr.base,
        "code_challenge": launch.challenge(verifier),
        "code_challenge_method": "S256",
        "nonce": nonce,
    }
    if token:
        asked["launch"] = token
    return launch.authorize_url(found.authorize, asked)


def finish(
    site: Site,
    launchers: Launchers,
    returned: Returned,
    browser: str,
    request_id: str | None = None,
) -> Begun:
    """A session for who came back. Raises LaunchFailed; then the state is used up all the same."""
    kept = _take(site, returned.state, browser)
    ehr = launchers.ehrs.get(kept["ehr"])
    if ehr is None:
        raise LaunchFailed("unknown-ehr")
    if returned.issuer is not None and returned.issuer != kept["issuer"]:
        raise LaunchFailed("state")  # another server answers: the mix-up attack of RFC 9207
    if returned.error or returned.code is None:
        raise LaunchFailed("refused-there")
    form = {
        "grant_type": "authorization_code",
        "code": returned.code,
        "redirect_uri": f"{site.base_url}{CALLBACK}",
        "code_verifier": kept["verifier"],
    }
    answer = launchers.ask.exchange(ehr, kept["token_endpoint"], form)
    fetched = launch.read_token(answer, ehr.base, _identity(site, launchers, ehr, answer, kept))
    return _begun(site, launchers, ehr, fetched, request_id)


def _take(site: Site, state: str, browser: str) -> dict[str, Any]:
    """What was kept for this state: once, in time, for the browser that began."""
    mark, now = sessions.fingerprint(state), site.clock.now()
    sealed = site.desk.write(lambda record: record.one_times.take(mark, PURPOSE, now))
    if sealed is None:
        raise LaunchFailed("state")
    kept: dict[str, Any] = json.loads(site.vault.open(sealed, mark))
    began = sessions.fingerprint(browser).hex()
    if not hmac.compare_digest(began, kept["browser"]):
        raise LaunchFailed("state")
    return kept


def _identity(
    site: Site, launchers: Launchers, ehr: LaunchEhr, answer: Any, kept: Mapping[str, Any]
) -> Mapping[str, Any] | None:
    """The claims of the id_token, verified; None where none came."""
    token = answer.get("id_token") if isinstance(answer, Mapping) else None
    if token is None:
        return None
    if not isinstance(token, str) or kept["issuer"] is None or kept["jwks"] is None:
        raise LaunchFailed("identity")
    return launch.verify_identity(
        token,
        launch.key_set(launchers.ask.keys(ehr, kept["jwks"])),
        issuer=kept["issuer"],
        client_id=ehr.client_id,
        nonce=kept["nonce"],
        now=site.clock.now(),
    )


def _begun(
    site: Site, launchers: Launchers, ehr: LaunchEhr, fetched: Fetched, request_id: str | None
) -> Begun:
    kind = _kind(ehr, fetched)
    if fetched.patient is None:
        raise LaunchFailed("no-patient")
    there = launchers.ask.read(ehr, fetched.access_token, f"Patient/{fetched.patient}")
    patient = keep_patient(site, ehr, fetched.patient, there, request_id)
    now = site.clock.now()
    draft = Session(
        reference="",
        kind=kind,
        client=ehr.client_id,
        scope=PATIENT_SCOPE if kind == "patient" else STAFF_SCOPE,
        created=now,
        idle_until=now,
        expires=now + timedelta(seconds=site.spans.longest),
        patient=patient,
        answering=answering_of(launchers, ehr, fetched),
        language=language_of(there) if kind == "patient" else None,
        user=fetched.user or fetched.name,
        ehr=ehr.base,
        encounter=fetched.encounter,
        banner=fetched.needs_banner,
    )
    begun = sessions.begin(site, draft)
    _keep_token(site, begun, fetched)
    told = Told(
        recorded=now,
        interaction="login",
        client=ehr.client_id,
        token=begun.session.reference,
        patient=patient,
        request_id=request_id,
    )
    site.desk.write(lambda record: record.tell(told))
    return begun


def _kind(ehr: LaunchEhr, fetched: Fetched) -> Kind:
    """Patient or staff: by fhirUser; where the EHR does not say, by what is agreed with it."""
    if fetched.user_type is not None:
        kind: Kind = "patient" if fetched.user_type in _OF_PATIENTS else "staff"
    elif ehr.audience in ("patients", "staff"):
        kind = "patient" if ehr.audience == "patients" else "staff"
    else:
        raise LaunchFailed("no-person")
    agreed = {"patients": "patient", "staff": "staff"}.get(ehr.audience or "both", kind)
    if agreed != kind:
        raise LaunchFailed("no-person")
    return kind


def _keep_token(site: Site, begun: Begun, fetched: Fetched) -> None:
    """Keep the EHR's token, encrypted, until it ends or the session does."""
    mark = sessions.fingerprint(begun.secret)
    until = site.clock.now() + timedelta(seconds=fetched.expires_in)
    content = json.dumps({"token": fetched.access_token, "until": until.timestamp()})
    site.sessions.keep_secret(mark, site.vault.seal(content.encode(), mark))


def chart_of(site: Site, launchers: Launchers, session: Session, secret: str) -> Ehr | None:
    """The home EHR as who was launched from it may read it; None where it is read otherwise.

    That is: where we have an account of our own there, where the session came another way, and
    where its token has ended.
    """
    ehr = launchers.ehrs.get(session.ehr or "")
    if not launchers.lends or ehr is None or not ehr.home:
        return None
    token = token_of(site, secret)
    return None if token is None else launchers.ask.chart(ehr, token)


def token_of(site: Site, secret: str) -> str | None:
    """The EHR's token of the session with this secret; None where there is none, or it has ended.

    A token that has ended is removed when it is met.
    """
    mark = sessions.fingerprint(secret)
    sealed = site.sessions.secret_of(mark)
    if sealed is None:
        return None
    kept = json.loads(site.vault.open(sealed, mark))
    if kept["until"] > site.clock.now().timestamp():
        return str(kept["token"])
    site.sessions.keep_secret(mark, None)
    return None
