"""Hints beside the patient's questions: TOML in mappings/hints, checked and made ready.

Unknown keys are refused. https://toml.io/en/v1.0.0
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate

from fhir_service.catalogue.toml_folder import read_folder
from fhir_service.fhir.fhirpath import ExpressionError, TooCostly, compile_expression
from fhir_service.workflow import hints as made


def _text() -> fields.String:
    return fields.String(required=True, validate=validate.Length(min=1))


def _has_english(texts: Mapping[str, str]) -> None:
    if "en" not in texts:
        raise ValidationError("the words in English are missing")


class _Hint(Schema):
    id = _text()
    when = _text()
    suggests = fields.List(fields.String(), required=True)
    text = fields.Dict(
        keys=fields.String(),
        values=fields.String(validate=validate.Length(min=1)),
        required=True,
        validate=_has_english,
    )

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> made.Hint:
        try:
            when = compile_expression(data["when"].strip())
        except (ExpressionError, TooCostly) as error:
            raise ValidationError(f"{data['id']}: {error}", "when") from None
        return made.Hint(data["id"], when, data["text"], tuple(data["suggests"]))


class _File(Schema):
    form = _text()
    source = fields.String(required=True, data_key="from", validate=validate.Length(min=1))
    variable = _text()
    at = _text()
    hint = fields.List(fields.Nested(_Hint), required=True)

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> made.Hints:
        return made.Hints(hints=tuple(data.pop("hint")), **data)


def load_hints(
    folder: Path, shipped_base: str = "", canonical_base: str = ""
) -> Mapping[str, made.Hints]:
    """The hints of a folder by the url of their form; ours are based on ``canonical_base``.

    Raises MappingFault: which file, and what is wrong in it.
    """
    found: Iterator[made.Hints] = read_folder(folder, _File(), shipped_base, canonical_base)
    return {one.form: one for one in found}
