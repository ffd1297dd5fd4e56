"""Our own rules of extraction: TOML in mappings/extraction, checked and made into templates.

Unknown keys are refused, numbers stay decimal. https://toml.io/en/v1.0.0
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate

from fhir_service.catalogue.toml_folder import read_folder
from fhir_service.sdc.extraction import mapping as made


def _text() -> fields.String:
    return fields.String(required=True, validate=validate.Length(min=1))


def _template() -> fields.Dict:
    return fields.Dict(required=True, validate=_has_type)


def _has_type(template: Mapping[str, Any]) -> None:
    from fhir_service.fhir.elements import resource_kind  # noqa: PLC0415  read when one is

    if resource_kind(str(template.get("resourceType"))) is None:
        raise ValidationError("resourceType names a resource of R4")


class _Rule(Schema):
    key = _text()
    says = _text()
    each = _text()
    only_mapped = fields.Boolean(load_default=False)
    without = fields.List(fields.String(), load_default=list)
    variables = fields.Dict(keys=fields.String(), values=fields.String(), load_default=dict)
    resource = _template()

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> made.Rule:
        data.pop("says")
        without = frozenset(data.pop("without"))
        return made.rule(without=without, **data)


class _File(Schema):
    questionnaire = _text()
    concept_map = fields.String(load_default=None)
    tag = fields.List(fields.Dict(), load_default=list)
    rule = fields.List(fields.Nested(_Rule), required=True)

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> made.Mapping_:
        return made.Mapping_(
            data["questionnaire"], data["concept_map"], tuple(data["tag"]), tuple(data["rule"])
        )


def load_extraction_mappings(
    folder: Path, shipped_base: str = "", canonical_base: str = ""
) -> dict[str, made.Mapping_]:
    """The mappings of a folder by the url of their form; ours are based on ``canonical_base``.

    Raises MappingFault: which file, and what is wrong in it.
    """
    found: Iterator[made.Mapping_] = read_folder(folder, _File(), shipped_base, canonical_base)
    return {one.questionnaire: one for one in found}
