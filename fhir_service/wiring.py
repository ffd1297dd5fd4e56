"""Builds the service out of its settings. The only file that knows everybody."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import UUID

from fhir_service import __version__
from fhir_service.catalogue.definitions import definitions
from fhir_service.catalogue.lazily import extraction_of, hints_of
from fhir_service.catalogue.questionnaires import SHIPPED_BASE, shipped
from fhir_service.catalogue.shipped import folder
from fhir_service.render.rendered import Rendered
from fhir_service.settings import Settings
from fhir_service.smart.tokens import new_identity_key, new_key
from fhir_service.store.authorizations import StoredAuthorizations
from fhir_service.store.ehr_keys import EhrKeys
from fhir_service.store.opening import StoreDesk, open_desk
from fhir_service.store.sealing import Vault, secret_of
from fhir_service.store.sessions import StoredSessions
from fhir_service.store.token_keys import Kind, TokenKeys
from fhir_service.workflow.forms import Forms
from fhir_service.workflow.install import install
from fhir_service.workflow.launch_ports import LaunchEhr, Launchers
from fhir_service.workflow.session import Spans
from fhir_service.workflow.sign_in import Door, Outside
from fhir_service.workflow.site import Site

if TYPE_CHECKING:
    from pathlib import Path

    from fhir_service.sdc.codes import Terminology
    from fhir_service.summary.mapping import SummaryMapping
    from fhir_service.workflow.deliver import Courier
    from fhir_service.workflow.ehr import Ehr
    from fhir_service.workflow.oauth.authority import Authority
    from fhir_service.workflow.targets import Target
    from fhir_service.workflow.today import Today


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The moment in UTC, to the millisecond."""
        moment = datetime.now(UTC)
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


class TimeOrderedIds:
    """UUIDs of version 7: never given before, and near each other in an index when near in time.

    https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-7
    """

    def new(self) -> str:
        """A new UUID in lower case."""
        milliseconds = time.time_ns() // 1_000_000
        value = milliseconds << 80 | secrets.randbits(80)
        value = value & ~(0xF << 76) | 0x7 << 76
        value = value & ~(0x3 << 62) | 0x2 << 62
        return str(UUID(int=value))


@dataclass(frozen=True)
class Service:
    """The service of one process: what the doors are made for."""

    site: Site
    settings: Settings
    store: StoreDesk
    renderings: Rendered
    keys: TokenKeys

    @cached_property
    def door(self) -> Door:
        """Where tokens are shown."""
        return Door.of(self.site, self.authorizations.revoked, self._outside())

    def _outside(self) -> Outside | None:
        """The other authorization server, where one is configured."""
        if self.settings.auth_issuer is None:
            return None
        from fhir_service.ehr.outside_tokens import open_outside  # noqa: PLC0415

        return open_outside(self.settings, f"{self.site.base_url}/fhir")

    @cached_property
    def authorizations(self) -> StoredAuthorizations:
        """What the authorization server keeps."""
        return StoredAuthorizations(self.store.database)

    @cached_property
    def authority(self) -> Authority:
        """The embedded authorization server."""
        from fhir_service.ehr.client_keys import FetchedKeys  # noqa: PLC0415  keeps the start quick
        from fhir_service.workflow.oauth.authority import Authority, Lifetimes  # noqa: PLC0415

        settings = self.settings
        return Authority(
            self.site,
            self.door,
            self.authorizations,
            FetchedKeys(settings.outbound_networks or (), settings.outbound_ca_file),
            Lifetimes(
                settings.backend_token_lifetime,
                settings.token_lifetime,
                settings.refresh_token_lifetime,
            ),
        )

    @cached_property
    def launchers(self) -> Launchers:
        """The EHRs that may launch us. Raises MappingFault."""
        from fhir_service.ehr.app_launch import AppLaunchClient  # noqa: PLC0415  keeps the start quick
        from fhir_service.ehr.outbound import Outbound  # noqa: PLC0415

        ehrs, hosts = _launch_ehrs(self.settings)
        outbound = Outbound(
            hosts,
            networks=self.settings.outbound_networks or (),
            ca_file=self.settings.outbound_ca_file,
        )
        ask = AppLaunchClient(outbound, lambda: self.ehr_keys().signing(), self.site.ids.new)
        lends = self.settings.ehr_client_id is None
        return Launchers({ehr.base: ehr for ehr in ehrs}, ask, lends)

    def target(self) -> Target:
        """What kind of EHR it is. Raises MappingFault."""
        from fhir_service.catalogue.ehr_targets import load_target  # noqa: PLC0415

        own = self.settings.ehr_targets_dir
        return load_target(
            self.settings.ehr_target, *([own] if own else []), folder("mappings") / "ehr-targets"
        )

    def today(self, tell: Callable[[tuple[str, ...]], None] = lambda _: None) -> Today:
        """The routes to the EHR, as it declares them today. Raises MappingFault."""
        from fhir_service.store.ehr_statements import StoredStatements  # noqa: PLC0415
        from fhir_service.workflow.today import Today  # noqa: PLC0415

        return Today(self.site, self.target(), StoredStatements(self.store), tell)

    def ehr_keys(self) -> EhrKeys:
        """Our own keys at the EHR."""
        return ehr_keys(self.settings, self.store, SystemClock(), TimeOrderedIds())

    def courier(self, worker: str, tell: Callable[[tuple[str, ...]], None]) -> Courier:
        """One worker of the outbox. Raises MappingFault."""
        from fhir_service.ehr.folder import FolderDrop  # noqa: PLC0415  keeps the start quick
        from fhir_service.store.deliveries import Deliveries  # noqa: PLC0415
        from fhir_service.workflow.deliver import Courier, Waits  # noqa: PLC0415

        settings, target = self.settings, self.target()
        return Courier(
            site=self.site,
            outbox=Deliveries(self.store),
            day=self.today(tell),
            worker=worker,
            chance=secrets.SystemRandom().random,
            waits=Waits(lease=60.0 + 10.0 * settings.ehr_timeout),
            drop=FolderDrop(settings.ehr_folder) if settings.ehr_folder else None,
            most_attempts=target.attempts,
        )

    def publish_shipped(self) -> int:
        """Publish the forms and terminology that ship; how many were new or changed."""
        return install(
            self.site,
            (
                *definitions(),
                *shipped(
                    self.settings.clinic_phone,
                    self.settings.clinician_name,
                    self.settings.canonical_base,
                ),
            ),
        )

    def close(self) -> None:
        """Give back connections and processes."""
        self.renderings.close()
        self.store.close()


def build(settings: Settings, base_url: str | None = None) -> Service:
    """The service that these settings describe, its store open and up to date.

    ``base_url`` is used where the settings name none. Raises Unavailable when the store can not
    be opened.
    """
    address = settings.base_url or base_url or "http://127.0.0.1:8080"
    _make(settings)
    store = open_desk(settings.database_url)
    clock, ids, renderings = SystemClock(), TimeOrderedIds(), Rendered()
    keys = TokenKeys(store.database, lambda kind: _token_key(kind, ids), clock.now)
    site = Site(
        desk=store,
        clock=clock,
        ids=ids,
        forms=Forms(clock),
        keys=keys,
        mapping=_mapping_of(settings.canonical_base, settings.summary_dir),
        extraction=extraction_of(settings.canonical_base),
        hints=hints_of(settings.canonical_base),
        renderings=renderings,
        sessions=StoredSessions(store.database),
        vault=Vault(lambda: settings.secret_key or secret_of(settings.data_dir)),
        base_url=address,
        patient_bases=tuple(filter(None, (f"{address}/fhir", settings.ehr_base))),
        zone=settings.time_zone,
        language=settings.language,
        visit_days=settings.visit_days,
        link_prefill=settings.link_prefill,
        require_if_match=settings.require_if_match,
        oauth_endpoints=settings.oauth_endpoints(address),
        refresh_days=settings.refresh_token_lifetime // 86_400,
        max_item_depth=settings.max_item_depth,
        has_target=settings.has_target,
        software_version=__version__,
        spans=Spans(
            settings.patient_session_idle,
            settings.staff_session_idle,
            settings.session_longest,
        ),
        ehr=_ehr_of(settings, store, clock, ids),
        ehr_jwks=lambda: _ehr_jwks(settings, store, clock, ids),
        terminology=_terminology_of(settings),
    )
    return Service(site, settings, store, renderings, keys)


def ehr_keys(
    settings: Settings, store: StoreDesk, clock: SystemClock, ids: TimeOrderedIds
) -> EhrKeys:
    """Our own keys at the EHR, where the operator gave none."""
    from fhir_service.smart.assertions import new_client_key  # noqa: PLC0415  keeps the start quick

    algorithm = settings.ehr_key_algorithm
    return EhrKeys(store, algorithm, lambda: new_client_key(ids.new(), algorithm), clock.now)


def _ehr_jwks(
    settings: Settings, store: StoreDesk, clock: SystemClock, ids: TimeOrderedIds
) -> Mapping[str, Any]:
    """Our public keys at the EHR; none where we have no client id there."""
    from fhir_service.smart.assertions import (  # noqa: PLC0415  keeps the start quick
        public_client_keys,
        read_client_key,
    )

    if settings.ehr_client_id is None:
        return {"keys": []}
    if settings.ehr_key is not None:
        return public_client_keys([read_client_key(settings.ehr_key)])
    return public_client_keys(ehr_keys(settings, store, clock, ids).published())


def _ehr_of(
    settings: Settings, store: StoreDesk, clock: SystemClock, ids: TimeOrderedIds
) -> Ehr | None:
    """The client of the EHR, where one is configured; nothing is asked of it yet."""
    if settings.ehr_base is None:
        return None
    from fhir_service.ehr.opening import EhrSettings, open_ehr  # noqa: PLC0415  keeps the start quick

    def key() -> Mapping[str, Any]:
        from fhir_service.smart.assertions import read_client_key  # noqa: PLC0415

        if settings.ehr_key is not None:
            return read_client_key(settings.ehr_key)
        return ehr_keys(settings, store, clock, ids).signing()

    how = EhrSettings(
        base=settings.ehr_base,
        client_id=settings.ehr_client_id,
        scope=settings.ehr_scope,
        token_url=settings.ehr_token_url,
        timeout_seconds=float(settings.ehr_timeout),
        per_second=float(settings.ehr_requests_per_second),
        networks=settings.outbound_networks or (),
        ca_file=settings.outbound_ca_file,
    )
    return open_ehr(how, key, ids.new)


def _terminology_of(settings: Settings) -> Terminology | None:
    """The terminology server, where one is configured; nothing is asked of it yet."""
    if settings.terminology_base is None:
        return None
    from fhir_service.ehr.terminology import open_terminology  # noqa: PLC0415  keeps the start quick

    return open_terminology(
        settings.terminology_base,
        float(settings.terminology_timeout),
        settings.outbound_networks or (),
        settings.outbound_ca_file,
    )


def _launch_ehrs(settings: Settings) -> tuple[list[LaunchEhr], list[str]]:
    """The registered EHRs, that of EHR_BASE first, and every address that is asked for them."""
    ehrs, hosts = [], []
    if settings.ehr_base is not None and settings.launch_client_id is not None:
        host = urlsplit(settings.ehr_base).hostname or settings.ehr_base
        ehrs.append(
            LaunchEhr(
                settings.ehr_base,
                settings.launch_client_id,
                host,
                scope=settings.launch_scope,
                secret=settings.launch_client_secret,
                home=True,
            )
        )
        hosts += [one for one in (settings.ehr_base, settings.ehr_token_url) if one]
    if settings.launch_ehrs is not None:
        from fhir_service.catalogue.launch_ehrs import (  # noqa: PLC0415  keeps the start quick
            load_launch_ehrs,
        )

        for one in load_launch_ehrs(settings.launch_ehrs):
            ehrs.append(one.ehr)
            hosts += [one.ehr.base, *one.hosts]
    return ehrs, hosts


def _token_key(kind: Kind, ids: TimeOrderedIds) -> Mapping[str, Any]:
    """A new private key: for access tokens (EC), or for id_tokens (RSA)."""
    return new_key(ids.new()) if kind == "EC" else new_identity_key(ids.new())


def _mapping_of(canonical_base: str, own: Path | None) -> Callable[[], SummaryMapping]:
    """The summary's mapping, read when it is first needed and then kept."""

    @cache
    def read() -> SummaryMapping:
        from fhir_service.catalogue.summary_files import summary_folders  # noqa: PLC0415
        from fhir_service.catalogue.summary_mappings import (  # noqa: PLC0415  keeps the start quick
            load_summary_mapping,
        )

        return load_summary_mapping(*summary_folders(own)).based_on(SHIPPED_BASE, canonical_base)

    return read


def _make(settings: Settings) -> None:
    if settings.on_sqlite:
        data_dir: Path = settings.data_dir
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
