"""The settings of one installation, each with its value."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one installation, each of its own type, in the units of SETTINGS.

    In the order of the groups: installation, clinic, access, browser, EHR. ``base_url`` is None
    until host and port are known. No URL ends with a slash.
    """

    data_dir: Path
    database_url: str
    base_url: str | None
    workers: int
    blocking_threads: int
    max_body_bytes: int
    max_item_depth: int
    log_level: str

    canonical_base: str
    time_zone: ZoneInfo
    language: str
    visit_days: int
    summary_dir: Path | None
    clinic_phone: str | None
    clinician_name: str | None

    require_if_match: bool
    token_lifetime: int
    backend_token_lifetime: int
    refresh_token_lifetime: int
    auth_issuer: str | None
    auth_audience: str | None
    auth_jwks_url: str | None
    auth_introspection_url: str | None
    auth_client_id: str | None
    auth_client_secret: str | None = field(repr=False)
    auth_authorize_url: str | None
    auth_token_url: str | None
    client_requests_per_minute: int
    patient_requests_per_minute: int
    auth_requests_per_minute: int
    bad_tokens_per_minute: int
    link_prefill: bool

    trusted_proxies: int
    tls_certificate: Path | None
    tls_key: Path | None
    frame_ancestors: tuple[str, ...]
    cors_origins: tuple[str, ...]
    secret_key: str | None = field(repr=False)
    tries_per_address: int
    patient_session_idle: int
    staff_session_idle: int
    session_longest: int

    ehr_base: str | None
    ehr_client_id: str | None
    ehr_key: str | None
    ehr_key_algorithm: Literal["ES384", "RS384"]
    ehr_scope: str | None
    ehr_token_url: str | None
    ehr_timeout: int
    ehr_requests_per_second: int
    ehr_target: str
    ehr_targets_dir: Path | None
    ehr_folder: Path | None
    delivery_workers: int
    launch_client_id: str | None
    launch_client_secret: str | None = field(repr=False)
    launch_scope: str
    launch_ehrs: Path | None
    terminology_base: str | None
    terminology_timeout: int
    outbound_networks: tuple[str, ...] | None
    outbound_ca_file: Path | None

    @property
    def has_target(self) -> bool:
        """Whether summaries are owed to anybody: an EHR, or a folder."""
        return self.ehr_folder is not None if self.ehr_target == "folder" else bool(self.ehr_base)

    def oauth_endpoints(self, base_url: str) -> dict[str, str]:
        """Where tokens are had: here, or at the other authorization server as far as it is set."""
        if self.auth_issuer is None:
            names = ("authorize", "token", "introspect", "revoke")
            return {name: f"{base_url}/auth/{name}" for name in names}
        given = {
            "authorize": self.auth_authorize_url,
            "token": self.auth_token_url,
            "introspect": self.auth_introspection_url,
        }
        return {name: url for name, url in given.items() if url is not None}

    @property
    def on_sqlite(self) -> bool:
        """Whether the record is a SQLite file."""
        return self.database_url.startswith("sqlite:")
