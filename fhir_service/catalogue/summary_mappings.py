"""Summary mappings and red-flag rules: TOML in mappings/summary, checked and made into plain data.

Unknown keys are refused, numbers stay decimal. https://toml.io/en/v1.0.0
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from marshmallow import (
    Schema,
    ValidationError,
    fields,
    post_load,
    pre_load,
    validate,
    validates_schema,
)

from fhir_service.catalogue.summary_files import OWNERS, PAGE, RULES, summary_files
from fhir_service.summary import mapping as made

LOINC = "http://loinc.org"

_STYLES = ("flags", "questions", "changes", "quotes", "table", "lines", "run")


class MappingFault(Exception):
    """A mapping that ships, or is the site's own, is wrong: which file, which key, what of it."""


def _words() -> fields.Dict:
    return fields.Dict(keys=fields.String(), values=fields.String(), load_default=dict)


def _texts(*, required: bool = False) -> fields.List[str]:
    if required:
        return fields.List(fields.String(), required=True, validate=validate.Length(min=1))
    return fields.List(fields.String(), load_default=list)


def _text() -> fields.String:
    return fields.String(required=True, validate=validate.Length(min=1))


def _frozen(data: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(one) if isinstance(one, list) else one for key, one in data.items()}


class _SectionKind(Schema):
    id = _text()
    title = _text()
    system = fields.String(load_default=LOINC)
    code = _text()
    display = _text()
    style = fields.String(load_default="run", validate=validate.OneOf(_STYLES))
    further = fields.Boolean(load_default=False)

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> made.SectionKind:
        return made.SectionKind(**data)


class _Line(Schema):
    section = _text()
    link_id = _text()
    label = _text()
    words = _words()
    important = fields.Boolean(load_default=False)
    besides = fields.String(load_default=None)
    further = fields.Boolean(load_default=False)

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> made.Line:
        return made.Line(**data)


class _RowCell(Schema):
    link_id = _text()
    label = _text()
    words = _words()
    note = fields.Boolean(load_default=False)
    bare = fields.Boolean(load_default=False)

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> made.RowCell:
        return made.RowCell(**data)


class _Row(Schema):
    section = _text()
    group = _text()
    label = _text()
    head = _text()
    words = _words()
    cell = fields.List(fields.Nested(_RowCell), required=True)
    first = _texts()
    differing = fields.Boolean(load_default=False)
    charted = fields.String(load_default=None, validate=validate.OneOf(("medicine",)))

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> made.Row:
        return made.Row(cells=tuple(data.pop("cell")), **_frozen(data))


class _Measure(Schema):
    link_id = _text()
    label = _text()
    scale = _texts()
    low = fields.Decimal(load_default=Decimal(0))
    high = fields.Decimal(load_default=None)
    group = fields.String(load_default=None)
    head = fields.String(load_default=None)
    listed = fields.Boolean(load_default=False)
    ignored = _texts()
    same_in = _texts()
    words = _words()

    @validates_schema
    def one_kind(self, data: Mapping[str, Any], **_: Any) -> None:
        """Refuse a measure of two kinds, and rows without a name."""
        if bool(data["scale"]) + (data["high"] is not None) + data["listed"] > 1:
            raise ValidationError("a measure has a scale, or a highest number, or is a list")
        if (data["group"] is None) != (data["head"] is None):
            raise ValidationError("a measure of rows has group and head")

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> made.Measure:
        return made.Measure(**_frozen(data))


class _Score(Schema):
    section = _text()
    label = _text()
    total = _text()
    of = fields.List(fields.Nested(_RowCell), required=True)
    highest = fields.Integer(required=True, strict=True)
    positive_from = fields.Integer(required=True, strict=True)

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> made.Score:
        return made.Score(**{**data, "of": tuple(data["of"])})


class _Loss(Schema):
    section = _text()
    label = _text()
    amount = _text()
    left = _text()

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> made.Loss:
        return made.Loss(**data)


class _Questions(Schema):
    section = _text()
    ranked = _texts(required=True)
    picked = _texts()
    own = _texts()
    sensitive = _texts()
    heed = _texts()

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> made.Questions:
        return made.Questions(**_frozen(data))


class _Respondent(Schema):
    link_id = _text()
    relation = fields.String(load_default=None)
    words = _words()
    helper = fields.String(load_default=None)
    screens_note = fields.String(load_default="")

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> made.Respondent:
        return made.Respondent(**data)


class _SafetyList(Schema):
    link_id = _text()
    none = _text()

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> made.SafetyList:
        return made.SafetyList(**data)


class _Form(Schema):
    questionnaire = _text()
    order = fields.Integer(required=True, strict=True)
    line = fields.List(fields.Nested(_Line), load_default=list)
    row = fields.List(fields.Nested(_Row), load_default=list)
    score = fields.List(fields.Nested(_Score), load_default=list)
    loss = fields.List(fields.Nested(_Loss), load_default=list)
    measure = fields.List(fields.Nested(_Measure), load_default=list)
    questions = fields.Nested(_Questions, load_default=None)
    respondent = fields.Nested(_Respondent, load_default=None)
    safety = fields.Nested(_SafetyList, load_default=None)

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> made.FormMapping:
        url, version = _canonical(data["questionnaire"])
        return made.FormMapping(
            url=url,
            version=version,
            lines=tuple(data["line"]),
            rows=tuple(data["row"]),
            scores=tuple(data["score"]),
            losses=tuple(data["loss"]),
            measures=tuple(data["measure"]),
            questions=data["questions"],
            respondent=data["respondent"],
            safety=data["safety"],
            order=data["order"],
        )


_SHAPES = (
    {"link_id", "any_of"},
    {"link_id", "at_least"},
    {"link_id", "is"},
    {"group", "has"},
    {"lost", "left", "percent"},
    {"all"},
    {"any"},
    {"none"},
)


def _condition() -> Schema:
    """The schema of a condition, which holds conditions."""
    return _Condition()


class _Condition(Schema):
    link_id = fields.String()
    any_of = fields.List(fields.String(), validate=validate.Length(min=1))
    at_least = fields.Decimal()
    is_ = fields.Boolean(data_key="is")
    group = fields.String()
    has = fields.Nested(_condition)
    lost = fields.String()
    left = fields.String()
    percent = fields.Decimal()
    all = fields.List(fields.Nested(_condition), validate=validate.Length(min=1))
    any = fields.List(fields.Nested(_condition), validate=validate.Length(min=1))
    none = fields.List(fields.Nested(_condition), validate=validate.Length(min=1))

    @pre_load
    def one_shape(self, data: Mapping[str, Any], **_: Any) -> Mapping[str, Any]:
        """Refuse a condition that mixes shapes, or has half of one."""
        if set(data) not in _SHAPES:
            raise ValidationError(f"{sorted(data)} is no shape of a condition")
        return data

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> made.Condition:
        return made.Condition(**_frozen(data))


class _Level(Schema):
    id = _text()
    rank = fields.Integer(required=True, strict=True)
    words = _text()
    patient = _text()
    team = _text()
    owner = fields.String(load_default=None, validate=validate.Length(min=1))
    emergency = fields.Boolean(load_default=False)

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> made.Level:
        return made.Level(**data)


class _Rule(Schema):
    id = _text()
    questionnaire = _text()
    level = _text()
    title = _text()
    says = _text()
    advice = fields.String(load_default="")
    when = fields.Nested(_Condition, required=True)
    messages = _texts()
    sources = _texts(required=True)

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> made.Rule:
        url, version = _canonical(data.pop("questionnaire"))
        data.update(messages=tuple(data["messages"]), sources=tuple(data["sources"]))
        return made.Rule(url=url, version=version, **data)


class _Rules(Schema):
    level = fields.List(fields.Nested(_Level), required=True)
    rule = fields.List(fields.Nested(_Rule), required=True)
    sources = _words()


class _Owners(Schema):
    owner = fields.Dict(
        keys=fields.String(),
        values=fields.String(required=True, validate=validate.Length(min=1)),
        required=True,
    )


class _Page(Schema):
    title = _text()
    flags_shown = fields.Integer(load_default=3, strict=True)
    changes = fields.String(load_default=None)
    changes_shown = fields.Integer(load_default=5, strict=True)
    unsure = _texts()
    declined = _texts()
    section = fields.List(
        fields.Nested(_SectionKind), required=True, validate=validate.Length(min=2)
    )


def _canonical(canonical: str) -> tuple[str, str]:
    url, _, version = canonical.partition("|")
    if not version:
        raise ValidationError("a mapping names the form's version: url|version", "questionnaire")
    return url, version


def load_summary_mapping(*folders: Path) -> made.SummaryMapping:
    """The mapping in these folders: page.toml, rules.toml, owners.toml, one file for each form.

    Of files named alike the first folder's is taken. Raises MappingFault, naming file and key,
    where one is not as it must be.
    """
    files = dict(summary_files(*folders))
    page = _load(_Page(), files.pop(PAGE, folders[0] / PAGE))
    rules = _load(_Rules(), files.pop(RULES, folders[0] / RULES))
    owners = files.pop(OWNERS, None)
    forms = [_load(_Form(), path) for path in files.values()]
    return made.SummaryMapping(
        title=page["title"],
        sections=tuple(page["section"]),
        forms=tuple(sorted(forms, key=lambda form: (form.order, form.url))),
        levels=_owned(rules["level"], owners),
        rules=tuple(rules["rule"]),
        sources=rules["sources"],
        unsure=tuple(page["unsure"]),
        declined=tuple(page["declined"]),
        flags_shown=page["flags_shown"],
        changes=page["changes"],
        changes_shown=page["changes_shown"],
    )


def _owned(levels: Sequence[made.Level], owners: Path | None) -> tuple[made.Level, ...]:
    """The levels, each with the owner that the site names. Raises MappingFault."""
    if owners is None:
        return tuple(levels)
    named: dict[str, str] = _load(_Owners(), owners)["owner"]
    strange = sorted(named.keys() - {level.id for level in levels})
    if strange:
        known = ", ".join(level.id for level in levels)
        raise MappingFault(f"{owners.name}: no level {', '.join(strange)}; there are: {known}")
    return tuple(replace(level, owner=named.get(level.id, level.owner)) for level in levels)


def _load(schema: Schema, path: Path) -> Any:
    try:
        return schema.load(tomllib.loads(path.read_text("utf-8"), parse_float=Decimal))
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as fault:
        raise MappingFault(f"{path.name}: {fault}") from fault
