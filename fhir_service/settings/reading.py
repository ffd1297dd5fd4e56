"""Reads the environment into Settings, or says in one line what is wrong with it.

https://12factor.net/config
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from fhir_service.settings.access import ACCESS
from fhir_service.settings.browser import BROWSER
from fhir_service.settings.clinic import CLINIC
from fhir_service.settings.ehr import EHR
from fhir_service.settings.installation import INSTALLATION
from fhir_service.settings.kinds import field
from fhir_service.settings.setting import PREFIX, BadSettings, Setting
from fhir_service.settings.values import Settings

SETTINGS: Final[tuple[Setting, ...]] = (*INSTALLATION, *CLINIC, *ACCESS, *BROWSER, *EHR)
"""Every setting, in the order of the README's table."""


def read_settings(environ: Mapping[str, str]) -> Settings:
    """The settings that these environment variables make; what is not named has its default.

    An empty value counts as not set. Raises BadSettings for an unknown FHIR_SERVICE_ variable
    and for a value that can not be used.
    """
    known = {setting.variable: setting for setting in SETTINGS}
    given: dict[str, str] = {}
    for variable in sorted(environ):
        if not variable.startswith(PREFIX):
            continue
        named = _named_by(variable, known)
        text = environ[variable].strip()
        if text and named in given:
            raise BadSettings(f"{named} is given twice: as it is and as a file; keep one of them.")
        if text:
            given[named] = text if named == variable else _content(variable, text)
    texts = {s.variable: s.default for s in SETTINGS if s.default is not None} | given
    values: dict[str, Any] = {setting.field: None for setting in SETTINGS}
    for variable, value in _loaded(texts).items():
        values[known[variable].field] = value
    return _settled(values)


def _named_by(variable: str, known: Mapping[str, Setting]) -> str:
    """The setting's variable that this one gives the value of; itself, or that of a secret."""
    if variable in known:
        return variable
    secret = known.get(variable.removesuffix("_FILE"))
    if secret is None or not secret.secret:
        raise BadSettings(f"{variable} is not a setting. {_nearest(variable, list(known))}")
    return secret.variable


def _content(variable: str, path: str) -> str:
    """The text of a secret's file, as container platforms hand secrets out."""
    try:
        return Path(path).expanduser().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise BadSettings(f"{variable}: the file can not be read as text.") from None


def shown(settings: Settings) -> list[tuple[Setting, str]]:
    """Each setting beside its value in words; of a secret all but the password."""
    told = []
    for setting in SETTINGS:
        value = getattr(settings, setting.field)
        if value is None or value == ():
            words = "(not set)"
        elif isinstance(value, bool):
            words = "on" if value else "off"
        elif setting.kind == "client-key":
            words = "(set)"
        elif isinstance(value, tuple):
            words = ", ".join(value)
        else:
            words = _hidden(setting, str(value)) if setting.secret else str(value)
        told.append((setting, words))
    return told


def _loaded(texts: Mapping[str, str]) -> dict[str, Any]:
    """The texts as values, by a marshmallow schema that the table makes."""
    from marshmallow import RAISE, Schema, ValidationError  # noqa: PLC0415  its import costs CPU

    schema = Schema.from_dict({s.variable: field(s) for s in SETTINGS}, name="Environment")
    try:
        loaded: dict[str, Any] = schema(unknown=RAISE).load(texts)
    except ValidationError as refused:
        variable, messages = next(iter(sorted(_by_variable(refused.messages).items())))
        raise BadSettings(f"{variable}: {messages[0]}") from None
    return loaded


def _by_variable(messages: Any) -> dict[str, list[str]]:
    """Marshmallow's messages of a schema: by field name, each a list."""
    return dict(messages)


def _settled(values: dict[str, Any]) -> Settings:
    """The values as Settings, after what one setting says of another."""
    if values["database_url"] is None:
        values["database_url"] = f"sqlite:///{values['data_dir'] / 'fhir_service.sqlite'}"
    values["frame_ancestors"] = values["frame_ancestors"] or ()
    values["cors_origins"] = values["cors_origins"] or ()
    settings = Settings(**{field.name: values[field.name] for field in fields(Settings)})
    if settings.ehr_target == "folder" and settings.ehr_folder is None:
        raise BadSettings(f"{PREFIX}EHR_TARGET: folder needs {PREFIX}EHR_FOLDER, the folder.")
    if settings.on_sqlite and settings.workers > 1:
        raise BadSettings(
            f"{PREFIX}WORKERS: must be 1 on SQLite, which has one writer;"
            f" for more set {PREFIX}DATABASE_URL to a PostgreSQL database."
        )
    if (settings.tls_certificate is None) != (settings.tls_key is None):
        raise BadSettings(f"{PREFIX}TLS_CERTIFICATE and {PREFIX}TLS_KEY belong together.")
    _must_know_issuer(settings)
    return settings


def _must_know_issuer(settings: Settings) -> None:
    """Another authorization server is known by its name, and by its keys or where it is asked."""
    ways = (settings.auth_jwks_url, settings.auth_introspection_url)
    if settings.auth_issuer is None:
        if any(ways):
            raise BadSettings(f"{PREFIX}AUTH_ISSUER: must be set with the address of its keys.")
    elif sum(way is not None for way in ways) != 1:
        raise BadSettings(
            f"{PREFIX}AUTH_ISSUER: set either {PREFIX}AUTH_JWKS_URL"
            f" or {PREFIX}AUTH_INTROSPECTION_URL with it."
        )


def _nearest(variable: str, known: list[str]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415  needed on this bad path only

    near = get_close_matches(
        variable.removeprefix(PREFIX), [one.removeprefix(PREFIX) for one in known], n=1
    )
    if near:
        return f"Is {PREFIX}{near[0]} meant? `fhir-service settings` lists them all."
    return "`fhir-service settings` lists them all."


def _hidden(setting: Setting, value: str) -> str:
    return _without_password(value) if setting.kind == "database" else "***"


def _without_password(url: str) -> str:
    return re.sub(r"(://[^:/@]*):.*@", r"\1:***@", url)
