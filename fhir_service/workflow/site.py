"""One installation, as the use cases see it: record, clock, ids, forms, the clinic's choices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any, Protocol

from fhir_service.fhir.reading import ITEM_LEVELS, json_depth
from fhir_service.summary.facts import Summary
from fhir_service.summary.mapping import SummaryMapping
from fhir_service.summary.model import WHOLE, Look
from fhir_service.summary.patient_copy import PatientCopy
from fhir_service.workflow.ehr import Ehr
from fhir_service.workflow.forms import Forms
from fhir_service.workflow.ports import Clock, Desk, Ids
from fhir_service.workflow.session import SPANS, Sessions, Spans, Vault

if TYPE_CHECKING:
    from fhir_service.sdc.codes import Terminology
    from fhir_service.sdc.extraction.mapping import Mapping_
    from fhir_service.workflow.hints import Hints


class Renderings(Protocol):
    """A summary as something to read; all say the same."""

    def text(self, summary: Summary) -> str:
        """Plain text, 80 columns."""

    def html(self, summary: Summary, look: Look = WHOLE) -> str:
        """One page, self-contained where ``look`` does not say otherwise."""

    def pdf(self, summary: Summary) -> bytes:
        """A tagged PDF. Raises Unavailable when it can not be made just now."""

    def patient_copy(self, copy: PatientCopy) -> bytes:
        """The patient's own copy as a tagged PDF. Raises Unavailable as ``pdf`` does."""


class Keys(Protocol):
    """The signing keys of the embedded authorization server, the one in use first."""

    def all(self) -> tuple[Mapping[str, Any], ...]:
        """The private keys of access tokens (ES256); at least one."""

    def identity(self) -> Mapping[str, Any]:
        """The private key of id_tokens (RS256)."""

    def published(self) -> tuple[Mapping[str, Any], ...]:
        """Every key that something may be verified with."""

    def look_again(self) -> bool:
        """Read them anew, now and then; whether they changed."""

    def lasts(self, until: datetime) -> None:
        """Remember that a token signed with the key in use is good until then."""


@dataclass(frozen=True, slots=True)
class Site:
    """Everything of this installation that a use case needs.

    ``base_url`` is the public address without a slash at its end; ``patient_bases`` are the FHIR
    bases under which an absolute reference to a Patient means a patient of ours.
    ``visit_days``: responses this many days apart belong to one visit.
    ``max_item_depth``: how deep items may lie in each other in what is sent.
    ``oauth_endpoints``: where tokens are had: authorize, token and the like, by their names.
    ``refresh_days``: how long an app with offline_access can go on.
    ``has_target``: whether an EHR is configured to which summaries are owed.
    ``ehr``: the EHR that is read from and written to; None where none is configured.
    ``link_prefill``: whether a link's form is filled from the EHR.
    ``extraction``: our own rules of extraction for a form, by its url; None where there are none.
    ``hints``: what the clinic says beside a form, by its url; None where it says nothing.
    ``ehr_jwks``: our public keys there, as a JWK Set.
    ``terminology``: the server asked for value sets not known here; None in a transaction.
    """

    desk: Desk
    clock: Clock
    ids: Ids
    forms: Forms
    keys: Keys
    mapping: Callable[[], SummaryMapping]
    renderings: Renderings
    sessions: Sessions
    vault: Vault
    base_url: str
    patient_bases: tuple[str, ...]
    zone: tzinfo
    language: str = "en"
    visit_days: int = 14
    require_if_match: bool = False
    has_target: bool = False
    refresh_days: int = 90
    oauth_endpoints: Mapping[str, str] = field(default_factory=dict)
    max_item_depth: int = ITEM_LEVELS
    software_version: str = ""
    spans: Spans = SPANS
    ehr: Ehr | None = None
    link_prefill: bool = False
    extraction: Callable[[str | None], Mapping_ | None] = lambda _: None
    hints: Callable[[str | None], Hints | None] = lambda _: None
    ehr_jwks: Callable[[], Mapping[str, Any]] = lambda: {"keys": []}
    terminology: Terminology | None = None

    @property
    def max_json_depth(self) -> int:
        """How many arrays and objects may lie in each other in a body from outside."""
        return json_depth(self.max_item_depth)
