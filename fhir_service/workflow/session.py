"""What a browser session is, and where sessions lie.

https://cheatsheetseries.owasp.org/cheatsheets/Session_Management_Cheat_Sheet.html
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from fhir_service.smart.access import Access
from fhir_service.smart.scopes import read_scopes
from fhir_service.workflow.caller import Bound, Caller

Kind = Literal["patient", "staff"]


@dataclass(frozen=True, slots=True)
class Answering:
    """Who answers: the patient herself, or a helper who said name and relation."""

    name: str | None = None
    relation: str | None = None

    @property
    def is_patient(self) -> bool:
        """Whether the patient answers for herself."""
        return self.name is None


@dataclass(frozen=True, slots=True)
class Session:
    """What a browser may do here, and for whom.

    ``reference`` names it in the audit, and opens nothing. ``client`` is the way it came in:
    ``link``, ``login-code``, or the client id at the EHR. A session of a link has
    ``questionnaire`` (url|version) and ``response`` (the id that its one response has or gets),
    and opens nothing else. ``user`` is who is at the screen where that is known: the EHR's
    fhirUser, or the name of a login code. ``ehr`` is the FHIR base that it was launched from.
    ``banner`` says that we have to show who the patient is, for the EHR's frame does not.
    ``idle_until`` and ``expires`` are UTC; the earlier one ends it.
    """

    reference: str
    kind: Kind
    client: str
    scope: str
    created: datetime
    idle_until: datetime
    expires: datetime
    patient: str | None = None
    questionnaire: str | None = None
    response: str | None = None
    link: str | None = None
    answering: Answering = Answering()
    language: str | None = None
    user: str | None = None
    ehr: str | None = None
    encounter: str | None = None
    banner: bool = True

    def caller(self, request_id: str | None = None, language: str | None = None) -> Caller:
        """The session as a caller, so that every use case checks its rights as a token's."""
        access = Access(read_scopes(self.scope), self.patient)
        return Caller(
            self.client,
            self.reference,
            access,
            request_id,
            language or self.language,
            self._bound(),
        )

    def _bound(self) -> Bound | None:
        if self.link is None:
            return None
        return Bound(self.response or "", self.questionnaire or "")


@dataclass(frozen=True, slots=True)
class Begun:
    """A new session and the secret that the browser is given, once."""

    session: Session
    secret: str


class Sessions(Protocol):
    """Where sessions lie: the record, so that they outlive a restart and serve all workers."""

    def begin(self, fingerprint: bytes, session: Session) -> None:
        """Keep a new one; those that have ended are removed on the way. Raises Unavailable."""

    def find(self, fingerprint: bytes, now: datetime) -> Session | None:
        """The one with this fingerprint, unless it has ended or its link was revoked."""

    def touch(self, fingerprint: bytes, idle_until: datetime) -> None:
        """Let it be idle until then."""

    def bind(self, fingerprint: bytes, response: str) -> str:
        """Give it this response, unless it has one; the id of the one that it has then."""

    def end(self, fingerprint: bytes) -> None:
        """Forget it, and what was kept for it."""

    def keep_secret(self, fingerprint: bytes, sealed: bytes | None) -> None:
        """Keep something sealed as long as the session; None takes it away."""

    def secret_of(self, fingerprint: bytes) -> bytes | None:
        """What was kept sealed, or None."""


class Vault(Protocol):
    """Keeps what is secret in the record encrypted."""

    def seal(self, content: bytes, place: bytes) -> bytes:
        """The content encrypted; it opens only for the same place."""

    def open(self, sealed: bytes, place: bytes) -> bytes:
        """What was sealed for this place. Raises NotSignedIn for anything else."""


@dataclass(frozen=True, slots=True)
class Spans:
    """How long sessions last, in seconds: without a request, and at most."""

    patient_idle: int = 7200
    staff_idle: int = 1800
    longest: int = 43_200

    def idle(self, kind: Kind) -> timedelta:
        """How long a session of this kind lasts without a request."""
        return timedelta(seconds=self.patient_idle if kind == "patient" else self.staff_idle)


SPANS = Spans()
"""The default ones."""
