"""The EHR as the use cases see it: what is read from it, what is written to it, and how it fails.

A read may be asked again; a write may not, unless it surely was not done.
http://hl7.org/fhir/R4/http.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

Params = Mapping[str, str | Sequence[str]] | str
"""Search parameters by name, or a query as it is written after the question mark."""

TroubleKind = Literal[
    "not-configured",
    "unreachable",
    "busy",
    "not-authorized",
    "refused",
    "fault",
    "lost",
    "too-large",
    "not-understood",
]

_NOT_DONE = ("not-configured", "unreachable", "busy", "not-authorized", "refused")


class EhrTrouble(Exception):
    """The EHR did not do what was asked, or did not say whether it did.

    ``kind``: ``not-configured`` the address is none that may be called; ``unreachable`` nobody
    answered, nothing was sent; ``busy`` 429, or 503 with Retry-After; ``not-authorized`` no
    token, 401 or 403; ``refused`` another 4xx; ``fault`` another 5xx; ``lost`` sent, no whole
    answer came; ``too-large`` the answer is larger than we read; ``not-understood`` the answer
    is not the FHIR JSON that it should be.
    ``retry_after_seconds`` is what the EHR asked for. ``codes`` are the issue codes of its
    OperationOutcome, never its words, which may quote a patient.
    """

    def __init__(
        self,
        kind: TroubleKind,
        status: int | None = None,
        retry_after_seconds: float | None = None,
        codes: tuple[str, ...] = (),
    ) -> None:
        super().__init__(kind if status is None else f"{kind} ({status})")
        self.kind: TroubleKind = kind
        self.status = status
        self.retry_after_seconds = retry_after_seconds
        self.codes = codes

    @property
    def surely_not_done(self) -> bool:
        """Whether a write that ended so surely left nothing behind."""
        return self.kind in _NOT_DONE

    @property
    def passes(self) -> bool:
        """Whether it may go well later by itself."""
        return self.kind in ("unreachable", "busy")


@dataclass(frozen=True, slots=True)
class Written:
    """What the EHR said of a write that it did.

    ``id`` and ``version`` are as in its Location or in the resource it sent back; None where it
    said neither. ``resource`` is what it sent back, if it did.
    """

    status: int
    id: str | None
    version: str | None
    resource: dict[str, Any] | None = None


class Ehr(Protocol):
    """One EHR by its FHIR R4 interface. Every method raises EhrTrouble."""

    @property
    def base(self) -> str:
        """Its FHIR base, without a slash at its end."""

    def read(self, resource_type: str, id_: str) -> dict[str, Any] | None:
        """The resource; None where there is none (404, 410)."""

    def search(
        self, resource_type: str, params: Params = "", most: int = 200
    ) -> Iterator[dict[str, Any]]:
        """What matches, page by page, at most ``most`` of it; OperationOutcomes are left out.

        Included resources come too: look at ``resourceType``. The next page is followed only
        within the EHR's own base.
        """

    def create(self, resource: Mapping[str, Any], if_none_exist: str | None = None) -> Written:
        """Create it, sent once; with a query, only where nothing matches that (200 if it does)."""

    def create_bytes(
        self, resource_type: str, body: bytes, if_none_exist: str | None = None
    ) -> Written:
        """``create`` of a body that was made before, so that what was hashed is what is sent."""

    def update(self, resource: Mapping[str, Any], if_match: str | None = None) -> Written:
        """Put the resource under its id, sent once; ``if_match`` is the version it replaces."""

    def transaction(self, bundle: Mapping[str, Any]) -> dict[str, Any]:
        """The response Bundle of a transaction or batch, sent once."""

    def capabilities(self) -> dict[str, Any]:
        """The CapabilityStatement."""

    def smart_configuration(self) -> dict[str, Any] | None:
        """The SMART configuration; None where there is none."""
