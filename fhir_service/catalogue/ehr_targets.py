"""EHR targets: TOML in mappings/ehr-targets and in a site's own folder, checked, made plain.

Unknown keys are refused; a route that contradicts itself too. https://toml.io/en/v1.0.0
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from fhir_service.catalogue.summary_mappings import MappingFault
from fhir_service.workflow import targets as made
from fhir_service.workflow.targets import NEEDED, RENDERINGS, ROUTE_KINDS

_CHARSETS = ("text/plain", "text/html", "application/xhtml+xml")
_ONE_MIB = 1_048_576
_STATUSES = (200, 201, 202, 204)


def _text(**how: Any) -> fields.String:
    return fields.String(validate=validate.Length(min=1), **how)


def _one_of(*words: str, default: str) -> fields.String:
    return fields.String(load_default=default, validate=validate.OneOf(words))


def _texts() -> fields.List[str]:
    return fields.List(_text(), load_default=list)


class _Code(Schema):
    system = _text(required=True)
    code = _text(required=True)
    display = _text(load_default=None)

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> made.Code:
        return made.Code(**data)


class _Content(Schema):
    rendering = fields.String(required=True, validate=validate.OneOf(RENDERINGS))
    content_type = _text(required=True)
    most_bytes = fields.Integer(
        load_default=_ONE_MIB, strict=True, validate=validate.Range(1024, 20 * _ONE_MIB)
    )
    ascii_only = fields.Boolean(load_default=False)

    @validates_schema
    def text_names_its_charset(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse text that does not say which bytes its letters are."""
        kind, _, rest = data["content_type"].partition(";")
        if kind.strip() in _CHARSETS and "charset" not in rest and not data["ascii_only"]:
            raise ValidationError(
                "a text type says its charset (or is ascii_only)", "content_type"
            )

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> made.Content:
        return made.Content(**data)


class _Route(Schema):
    kind = fields.String(required=True, validate=validate.OneOf(ROUTE_KINDS))
    content = fields.List(fields.Nested(_Content), load_default=list)
    type = fields.List(fields.Nested(_Code), load_default=list)
    type_text = _text(load_default=None)
    category = fields.List(fields.Nested(_Code), load_default=list)
    doc_status = fields.String(
        load_default=None, validate=validate.OneOf(("preliminary", "final", "amended"))
    )
    encounter = _one_of(*NEEDED, default="when-known")
    period = _one_of(*NEEDED, default="when-known")
    author = _one_of("none", "patient", default="none")
    identifier = fields.Boolean(load_default=True)
    patient_asserted = fields.Boolean(load_default=False)
    conditional_create = fields.Boolean(load_default=False)
    read_back = fields.Boolean(load_default=False)
    replacement = _one_of("relates-to", "new-note", "by-hand", default="new-note")
    withdrawal = _one_of("update", "by-hand", default="by-hand")
    accepted = fields.List(
        fields.Integer(strict=True, validate=validate.OneOf(_STATUSES)),
        load_default=lambda: [201],
        validate=validate.Length(min=1),
    )
    needs_id = fields.Boolean(load_default=True)
    lost = _texts()

    @validates_schema
    def says_what_is_sent(self, data: dict[str, Any], **_: Any) -> None:
        """A note has a type and one content at least; a folder has files; others have neither."""
        if (data["read_back"] or data["conditional_create"]) and not data["identifier"]:
            raise ValidationError("without an identifier nothing is found again", "identifier")
        if data["kind"] == "note" and not (data["type"] and data["content"]):
            raise ValidationError("a note states its type and its content", "type")
        if data["kind"] == "folder" and not data["content"]:
            raise ValidationError("a folder states its files", "content")
        if data["kind"] in ("response", "document") and (data["type"] or data["content"]):
            raise ValidationError("a response or document is sent as it is", "content")

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> made.Route:
        return made.Route(
            contents=tuple(data.pop("content")),
            type_codes=tuple(data.pop("type")),
            categories=tuple(data.pop("category")),
            accepted=tuple(data.pop("accepted")),
            lost=tuple(data.pop("lost")),
            **data,
        )


class _Target(Schema):
    title = _text(required=True)
    route = fields.List(fields.Nested(_Route), required=True, validate=validate.Length(min=1))
    extracted = fields.Boolean(load_default=False)
    attempts = fields.Integer(load_default=200, strict=True, validate=validate.Range(1, 1000))
    remarks = _texts()

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        routes, remarks = tuple(data.pop("route")), tuple(data.pop("remarks"))
        return {**data, "routes": routes, "remarks": remarks}


def target_names(*folders: Path) -> tuple[str, ...]:
    """The names of the targets in these folders, in order."""
    return tuple(sorted({path.stem for one in folders for path in one.glob("*.toml")}))


def load_target(name: str, *folders: Path) -> made.Target:
    """The target of this name; in the first folder that has it, so that a site's own comes first.

    Raises MappingFault where none has it, or where the file is wrong.
    """
    for folder in folders:
        path = folder / f"{name}.toml"
        if path.parent == folder and path.is_file():
            return _load(path)
    known = ", ".join(target_names(*folders))
    raise MappingFault(f"There is no EHR target {name}; there are: {known}.")


def _load(path: Path) -> made.Target:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        loaded: dict[str, Any] = _Target().load(data)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        raise MappingFault(f"{path.name}: {wrong}") from None
    except ValidationError as wrong:
        raise MappingFault(f"{path.name}: {wrong.messages}") from None
    return made.Target(name=path.stem, **loaded)
