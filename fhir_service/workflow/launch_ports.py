"""The EHRs that may launch us, and what is asked of one when it does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from fhir_service.workflow.ehr import Ehr

Audience = Literal["patients", "staff", "both"]


@dataclass(frozen=True, slots=True)
class LaunchEhr:
    """One EHR that is registered here, and where we are registered.

    ``base`` is its FHIR base without a slash at its end; ``name`` is how a person knows it.
    ``secret`` is for a confidential client; ``signs`` says that we show a signed assertion
    instead. ``audience`` is who comes from there where the EHR does not say who it is.
    ``home``: the ids of its Patients are ours too, as that of FHIR_SERVICE_EHR_BASE.
    """

    base: str
    client_id: str
    name: str
    scope: str = "openid fhirUser patient/Patient.r"
    secret: str | None = None
    signs: bool = False
    audience: Audience | None = None
    home: bool = False


class AppLaunch(Protocol):
    """Asking the EHR of a launch. Everything raises LaunchFailed("not-reachable") besides."""

    def configuration(self, ehr: LaunchEhr) -> Mapping[str, Any]:
        """Its smart-configuration. Raises LaunchFailed("no-smart") where it has none."""

    def exchange(self, ehr: LaunchEhr, endpoint: str, form: Mapping[str, str]) -> Any:
        """What the token endpoint gives for a code. Raises LaunchFailed("token")."""

    def keys(self, ehr: LaunchEhr, address: str) -> Any:
        """The JWK Set at this address. Raises LaunchFailed("identity")."""

    def read(self, ehr: LaunchEhr, token: str, path: str) -> Mapping[str, Any] | None:
        """A resource, read with the token; None where it is not given out."""

    def chart(self, ehr: LaunchEhr, token: str) -> Ehr:
        """The EHR as who holds this token may read it; nothing is asked of it yet."""


@dataclass(frozen=True, slots=True)
class Launchers:
    """The registered EHRs, by base, and the way to ask them.

    ``lends``: we have no account of our own at the home EHR, so that a form is filled with what
    the person's own token may read.
    """

    ehrs: Mapping[str, LaunchEhr]
    ask: AppLaunch
    lends: bool = False
