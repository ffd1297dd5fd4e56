"""The EHRs and portals that launch us: a site's own TOML file, checked, made plain.

https://toml.io/en/v1.0.0
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from fhir_service.catalogue.summary_mappings import MappingFault
from fhir_service.workflow.launch_ports import LaunchEhr

_LOCAL = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Registered:
    """One EHR, and the further hosts that its token endpoint or its keys lie on."""

    ehr: LaunchEhr
    hosts: tuple[str, ...]


def _address(text: str) -> None:
    """Refuse what is no https address; http on this machine alone."""
    parts = urlsplit(text)
    secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOCAL)
    if not secure or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise ValidationError("must be an https address without user, query and fragment")


def _text(**how: Any) -> fields.String:
    return fields.String(validate=validate.Length(min=1, max=500), **how)


class _Ehr(Schema):
    base = fields.String(required=True, validate=_address)
    client_id = _text(required=True)
    name = _text(required=True)
    scope = _text(load_default=None)
    client_secret_file = _text(load_default=None)
    signs = fields.Boolean(load_default=False)
    audience = fields.String(
        load_default=None, validate=validate.OneOf(("patients", "staff", "both"))
    )
    hosts = fields.List(fields.String(validate=_address), load_default=list)

    @validates_schema
    def proves_itself_one_way(self, data: dict[str, Any], **_: Any) -> None:
        """A secret or a signature, not both."""
        if data["client_secret_file"] and data["signs"]:
            raise ValidationError("a secret, or signs = true, not both", "signs")

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> Registered:
        hosts, secret = tuple(data.pop("hosts")), data.pop("client_secret_file")
        given = {name: value for name, value in data.items() if value is not None}
        given["base"] = given["base"].rstrip("/")
        return Registered(LaunchEhr(**given, secret=_content(secret)), hosts)


class _File(Schema):
    ehr = fields.List(fields.Nested(_Ehr), required=True, validate=validate.Length(min=1))

    @validates_schema
    def names_each_once(self, data: dict[str, Any], **_: Any) -> None:
        """Two entries with one base would contradict each other."""
        bases = [one.ehr.base for one in data["ehr"]]
        if len(set(bases)) < len(bases):
            raise ValidationError("two entries have the same base", "ehr")


def load_launch_ehrs(file: Path) -> tuple[Registered, ...]:
    """The EHRs of this file, in order. Raises MappingFault with every place that is wrong."""
    try:
        said = tomllib.loads(file.read_text(encoding="utf-8"))
        loaded: dict[str, Any] = _File().load(said)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as wrong:
        raise MappingFault(f"{file.name}: can not be read: {type(wrong).__name__}") from None
    except ValidationError as wrong:
        raise MappingFault(f"{file.name}: {wrong.messages}") from None
    return tuple(loaded["ehr"])


def _content(path: str | None) -> str | None:
    if path is None:
        return None
    try:
        return Path(path).expanduser().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise ValidationError("the file can not be read as text", "client_secret_file") from None
