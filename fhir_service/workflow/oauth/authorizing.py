"""An app asks for authorization: what must be right before a person is asked, and what she allows.

https://hl7.org/fhir/smart-app-launch/app-launch.html#obtain-authorization-code
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from authlib.oauth2.rfc6749 import (
    AccessDeniedError,
    InvalidRequestError,
    InvalidScopeError,
    OAuth2Error,
    UnsupportedResponseTypeError,
)

from fhir_service.fhir.issues import NotUnderstood
from fhir_service.smart.granting import app_scope, within_person
from fhir_service.smart.scopes import names_resource, read_scope, scope_words
from fhir_service.workflow.oauth.authority import Authority, fingerprint, new_secret
from fhir_service.workflow.oauth.model import Client, Grant
from fhir_service.workflow.oauth.requests import Answer, Asked, sayable
from fhir_service.workflow.session import Session

if TYPE_CHECKING:
    from fhir_service.workflow.oauth.server import Server

PARAMETERS: Final = (
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "aud",
    "code_challenge",
    "code_challenge_method",
    "nonce",
    "launch",
)
LAUNCH: Final = "app-launch"
LAUNCH_SECONDS: Final = 300
LAUNCH_LOOKS: Final = 20

_CHALLENGE = re.compile(r"[A-Za-z0-9_\-]{43}")
_LONGEST_NONCE = 500


class InteractionRequiredError(OAuth2Error):
    """Nobody may be asked, and somebody has to be."""

    error = "interaction_required"


@dataclass(frozen=True, slots=True)
class Pending:
    """What an app asks of the person at the screen; ``scope`` is what it can be given at most."""

    asked: Asked
    client: Client
    scope: str
    redirect_uri: str
    patient: str | None = None
    encounter: str | None = None

    def needs_patient(self) -> bool:
        """Whether a patient has to be known before it can be allowed."""
        words = scope_words(self.scope)
        return "launch/patient" in words or any(
            read_scope(word).level == "patient" for word in words if names_resource(word)
        )


def look_at(server: Server, asked: Asked) -> Pending | Answer:
    """What is asked for, or the error that the app is told.

    Raises NotUnderstood where nobody can be told but the person at the screen: the client is
    not known, or the address is not its own.
    """
    client, redirect_uri = _must_have_address(server, asked)
    try:
        asked.must_be_plain()
        if asked.payload.response_type != "code":
            raise UnsupportedResponseTypeError("response_type must be code.")
        server.get_consent_grant(asked)
        return _smart(server.authority, asked, client, redirect_uri)
    except OAuth2Error as error:
        return told(server, asked, error, redirect_uri)
    except NotUnderstood as wrong:
        return told(server, asked, InvalidScopeError(sayable(wrong.says)), redirect_uri)
    except ValueError:  # Authlib will not say in an error what is no plain ASCII
        bad = InvalidRequestError("A parameter has signs that are not allowed.")
        return told(server, asked, bad, redirect_uri)


def for_person(pending: Pending, session: Session) -> Pending:
    """What of it this person can allow. Raises NotUnderstood where nothing is left."""
    is_patient = session.kind == "patient"
    scope = within_person(pending.scope, session.scope, is_patient=is_patient)
    return replace(
        pending,
        scope=scope,
        patient=session.patient if is_patient else pending.patient or session.patient,
        encounter=pending.encounter or session.encounter,
    )


def allowed(server: Server, pending: Pending, session: Session, patient: str | None) -> Answer:
    """Where the browser goes with its code, once the person has allowed it."""
    authority = server.authority
    launch = pending.asked.parameters.get("launch")
    if launch and not _take_launch(authority, launch):
        error = InvalidRequestError("launch is not known, or was used.")
        return told(server, pending.asked, error, pending.redirect_uri)
    grant = server.get_consent_grant(pending.asked)
    given = _grant(authority, pending, session, patient)
    answer: Answer = server.create_authorization_response(
        pending.asked, grant_user=given, grant=grant
    )
    return answer


def denied(server: Server, pending: Pending) -> Answer:
    """What the app is told when the person says no."""
    says = "The person at the screen did not allow it."
    return told(server, pending.asked, AccessDeniedError(says), pending.redirect_uri)


def told(server: Server, asked: Asked, error: OAuth2Error, redirect_uri: str) -> Answer:
    """The error as the app is told it, at its own address and with its state."""
    error.redirect_uri = redirect_uri
    state = asked.payload.state
    error.state = state if isinstance(state, str) and state.isprintable() else None
    return server.handle_error_response(asked, error)


def new_launch(authority: Authority, patient: str, encounter: str | None) -> str:
    """A launch parameter with this context, good once and for five minutes."""
    secret = new_secret()
    details = json.dumps({"patient": patient, "encounter": encounter}).encode()
    until = authority.now() + timedelta(seconds=LAUNCH_SECONDS)
    authority.site.desk.write(
        lambda record: record.one_times.keep(
            fingerprint(secret), LAUNCH, details, LAUNCH_LOOKS, until
        )
    )
    return secret


def _must_have_address(server: Server, asked: Asked) -> tuple[Client, str]:
    client_id = asked.parameters.get("client_id", "")
    redirect_uri = asked.parameters.get("redirect_uri", "")
    known = server.query_client(client_id) if client_id else None
    if known is None or "authorization_code" not in known.client.grants:
        raise NotUnderstood("The app is not registered here.")
    repeated = {"client_id", "redirect_uri"} & set(asked.repeated)
    if repeated or not known.check_redirect_uri(redirect_uri):
        raise NotUnderstood("The app's address is not the one that was registered.")
    return known.client, redirect_uri


def _smart(authority: Authority, asked: Asked, client: Client, redirect_uri: str) -> Pending:
    """What SMART asks for beyond OAuth. Raises OAuth2Error and NotUnderstood."""
    given = asked.parameters
    if given.get("aud", "").rstrip("/") != authority.fhir_base:
        raise InvalidRequestError("aud must be the FHIR base of this server.")
    if given.get("code_challenge_method") != "S256" or not _CHALLENGE.fullmatch(
        given.get("code_challenge", "")
    ):
        raise InvalidRequestError("PKCE is needed: code_challenge with method S256.")
    if not given.get("state"):
        raise InvalidRequestError("state is needed.")
    if len(given.get("nonce", "")) > _LONGEST_NONCE:
        raise InvalidRequestError("nonce is too long.")
    if "none" in given.get("prompt", "").split():
        raise InteractionRequiredError("The person has to be asked.")
    scope = app_scope(given.get("scope"), client.scope)
    context = _launched(authority, given.get("launch"))
    if "launch" in scope_words(scope) and not given.get("launch"):
        scope = " ".join(word for word in scope_words(scope) if word != "launch")
    return Pending(asked, client, scope, redirect_uri, **context)


def _launched(authority: Authority, launch: str | None) -> Mapping[str, Any]:
    if not launch:
        return {}
    details = authority.site.desk.write(
        lambda record: record.one_times.attempt(fingerprint(launch), LAUNCH, authority.now())
    )
    if details is None:
        raise InvalidRequestError("launch is not known, or is too old.")
    return dict(json.loads(details))


def _take_launch(authority: Authority, launch: str) -> bool:
    taken = authority.site.desk.write(
        lambda record: record.one_times.take(fingerprint(launch), LAUNCH, authority.now())
    )
    return taken is not None


def _grant(authority: Authority, pending: Pending, session: Session, patient: str | None) -> Grant:
    now = authority.now()
    fhir_user = _fhir_user(authority, session)
    words = [
        word
        for word in scope_words(pending.scope)
        if not (word == "fhirUser" and fhir_user is None)
        and not (word == "launch/encounter" and pending.encounter is None)
    ]
    return Grant(
        id=authority.site.ids.new(),
        client=pending.client.id,
        scope=" ".join(words),
        redirect_uri=pending.redirect_uri,
        code_challenge=pending.asked.parameters["code_challenge"],
        user=_subject(authority, session),
        authenticated=session.created,
        created=now,
        patient=patient,
        encounter=pending.encounter,
        fhir_user=fhir_user,
        nonce=pending.asked.parameters.get("nonce"),
        refresh_until=_until(authority, session, words, now),
    )


def _until(
    authority: Authority, session: Session, words: list[str], now: datetime
) -> datetime | None:
    """How long it can be renewed: offline_access long, online_access as long as the session."""
    if "offline_access" in words:
        return now + timedelta(seconds=authority.lifetimes.refresh)
    return session.expires if "online_access" in words else None


def _fhir_user(authority: Authority, session: Session) -> str | None:
    """The address of the person's own resource, where there is one."""
    if session.kind == "patient":
        is_self = session.answering.is_patient and session.patient is not None
        return f"{authority.fhir_base}/Patient/{session.patient}" if is_self else None
    if session.user is None or "/" not in session.user:
        return None
    if "://" in session.user:
        return session.user
    return f"{session.ehr}/{session.user}" if session.ehr else None


def _subject(authority: Authority, session: Session) -> str:
    """Who it is, the same at every login, and nothing that says who (OpenID Connect, sub)."""
    who = session.user or session.patient or session.reference
    text = f"{authority.site.base_url}|{session.ehr}|{session.kind}|{who}"
    return sha256(text.encode()).hexdigest()[:40]
