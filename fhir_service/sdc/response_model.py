"""QuestionnaireResponse as msgspec Structs: the shape that is decoded at C speed.

Elements outside items and answers stay plain dictionaries. An element that is not there is UNSET;
JSON null is never accepted. http://hl7.org/fhir/R4/questionnaireresponse.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Raw, Struct, UnsetType, field

from fhir_service.fhir.primitives import DATE, DATE_TIME, INSTANT, LANGUAGE, TIME, URI
from fhir_service.sdc.items import ValueKind

Loose = dict[str, Any]
Id = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9\-.]{1,64}\Z")]
Uri = Annotated[str, Meta(pattern=URI)]
Date = Annotated[str, Meta(pattern=DATE)]
DateTime = Annotated[str, Meta(pattern=DATE_TIME)]
Instant = Annotated[str, Meta(pattern=INSTANT)]
Time = Annotated[str, Meta(pattern=TIME)]
Language = Annotated[str, Meta(pattern=LANGUAGE)]
Whole = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
Status = Literal["in-progress", "completed", "amended", "entered-in-error", "stopped"]


class Element(Struct, forbid_unknown_fields=True, kw_only=True, gc=False):
    """What every element may carry."""

    id: str | UnsetType = UNSET
    extension: list[Loose] | UnsetType = UNSET


class Coding(Element, forbid_unknown_fields=True, kw_only=True, gc=False):
    """http://hl7.org/fhir/R4/datatypes.html#Coding"""

    system: str | UnsetType = UNSET
    version: str | UnsetType = UNSET
    code: str | UnsetType = UNSET
    display: str | UnsetType = UNSET
    user_selected: bool | UnsetType = field(default=UNSET, name="userSelected")
    system_more: Loose | UnsetType = field(default=UNSET, name="_system")
    version_more: Loose | UnsetType = field(default=UNSET, name="_version")
    code_more: Loose | UnsetType = field(default=UNSET, name="_code")
    display_more: Loose | UnsetType = field(default=UNSET, name="_display")
    user_selected_more: Loose | UnsetType = field(default=UNSET, name="_userSelected")


class Quantity(Element, forbid_unknown_fields=True, kw_only=True, gc=False):
    """http://hl7.org/fhir/R4/datatypes.html#Quantity; ``value`` keeps its digits."""

    value: Raw | UnsetType = UNSET
    comparator: Literal["<", "<=", ">=", ">"] | UnsetType = UNSET
    unit: str | UnsetType = UNSET
    system: str | UnsetType = UNSET
    code: str | UnsetType = UNSET
    value_more: Loose | UnsetType = field(default=UNSET, name="_value")
    comparator_more: Loose | UnsetType = field(default=UNSET, name="_comparator")
    unit_more: Loose | UnsetType = field(default=UNSET, name="_unit")
    system_more: Loose | UnsetType = field(default=UNSET, name="_system")
    code_more: Loose | UnsetType = field(default=UNSET, name="_code")


class ResponseAnswer(Element, forbid_unknown_fields=True, kw_only=True):
    """One answer; exactly one of the values, or only extensions."""

    coding: Coding | UnsetType = field(default=UNSET, name="valueCoding")
    string: str | UnsetType = field(default=UNSET, name="valueString")
    boolean: bool | UnsetType = field(default=UNSET, name="valueBoolean")
    integer: Whole | UnsetType = field(default=UNSET, name="valueInteger")
    decimal: Raw | UnsetType = field(default=UNSET, name="valueDecimal")
    date: Date | UnsetType = field(default=UNSET, name="valueDate")
    date_time: DateTime | UnsetType = field(default=UNSET, name="valueDateTime")
    time: Time | UnsetType = field(default=UNSET, name="valueTime")
    uri: Uri | UnsetType = field(default=UNSET, name="valueUri")
    quantity: Quantity | UnsetType = field(default=UNSET, name="valueQuantity")
    attachment: Loose | UnsetType = field(default=UNSET, name="valueAttachment")
    reference: Loose | UnsetType = field(default=UNSET, name="valueReference")
    items: list[ResponseItem] | UnsetType = field(default=UNSET, name="item")
    modifier_extension: list[Loose] | UnsetType = field(default=UNSET, name="modifierExtension")
    string_more: Loose | UnsetType = field(default=UNSET, name="_valueString")
    boolean_more: Loose | UnsetType = field(default=UNSET, name="_valueBoolean")
    integer_more: Loose | UnsetType = field(default=UNSET, name="_valueInteger")
    decimal_more: Loose | UnsetType = field(default=UNSET, name="_valueDecimal")
    date_more: Loose | UnsetType = field(default=UNSET, name="_valueDate")
    date_time_more: Loose | UnsetType = field(default=UNSET, name="_valueDateTime")
    time_more: Loose | UnsetType = field(default=UNSET, name="_valueTime")
    uri_more: Loose | UnsetType = field(default=UNSET, name="_valueUri")


class ResponseItem(Element, forbid_unknown_fields=True, kw_only=True):
    """One item of a response."""

    link_id: str = field(name="linkId")
    definition: str | UnsetType = UNSET
    text: str | UnsetType = UNSET
    answers: list[ResponseAnswer] | UnsetType = field(default=UNSET, name="answer")
    items: list[ResponseItem] | UnsetType = field(default=UNSET, name="item")
    modifier_extension: list[Loose] | UnsetType = field(default=UNSET, name="modifierExtension")
    link_id_more: Loose | UnsetType = field(default=UNSET, name="_linkId")
    definition_more: Loose | UnsetType = field(default=UNSET, name="_definition")
    text_more: Loose | UnsetType = field(default=UNSET, name="_text")


class Body(Struct, forbid_unknown_fields=True, kw_only=True):
    """The resource itself."""

    resource_type: Literal["QuestionnaireResponse"] = field(name="resourceType")
    status: Status
    id: Id | UnsetType = UNSET
    meta: Loose | UnsetType = UNSET
    implicit_rules: Uri | UnsetType = field(default=UNSET, name="implicitRules")
    language: Language | UnsetType = UNSET
    narrative: Loose | UnsetType = field(default=UNSET, name="text")
    contained: list[Loose] | UnsetType = UNSET
    extension: list[Loose] | UnsetType = UNSET
    modifier_extension: list[Loose] | UnsetType = field(default=UNSET, name="modifierExtension")
    identifier: Loose | UnsetType = UNSET
    based_on: list[Loose] | UnsetType = field(default=UNSET, name="basedOn")
    part_of: list[Loose] | UnsetType = field(default=UNSET, name="partOf")
    questionnaire: Uri | UnsetType = UNSET
    subject: Loose | UnsetType = UNSET
    encounter: Loose | UnsetType = UNSET
    authored: DateTime | UnsetType = UNSET
    author: Loose | UnsetType = UNSET
    source: Loose | UnsetType = UNSET
    items: list[ResponseItem] | UnsetType = field(default=UNSET, name="item")
    implicit_rules_more: Loose | UnsetType = field(default=UNSET, name="_implicitRules")
    language_more: Loose | UnsetType = field(default=UNSET, name="_language")
    questionnaire_more: Loose | UnsetType = field(default=UNSET, name="_questionnaire")
    status_more: Loose | UnsetType = field(default=UNSET, name="_status")
    authored_more: Loose | UnsetType = field(default=UNSET, name="_authored")


FIELDS: Mapping[str, ValueKind] = {
    "coding": "Coding",
    "string": "string",
    "boolean": "boolean",
    "integer": "integer",
    "decimal": "decimal",
    "date": "date",
    "date_time": "dateTime",
    "time": "time",
    "uri": "uri",
    "quantity": "Quantity",
    "attachment": "Attachment",
    "reference": "Reference",
}
"""The fields of ResponseAnswer that carry a value, and its type."""

FIELD_OF: Mapping[ValueKind, str] = {kind: name for name, kind in FIELDS.items()}


def value_of(answer: ResponseAnswer) -> tuple[ValueKind, Any] | None:
    """(type, value) of an answer; None when it carries only extensions."""
    for name, kind in FIELDS.items():
        value = getattr(answer, name)
        if value is not UNSET:
            return kind, value
    return None


def decimal_of(value: Any) -> Decimal:
    """The number as written, out of its JSON text or what was read from it."""
    if isinstance(value, Raw):
        return Decimal(bytes(value).decode("ascii"))
    return Decimal(value)


def items_from(raw: Sequence[Mapping[str, Any]]) -> list[ResponseItem]:
    """The same items out of JSON read as dictionaries; what they lack is UNSET."""
    return [
        ResponseItem(
            link_id=item.get("linkId", ""),
            text=item.get("text", UNSET),
            answers=[_answer_from(answer) for answer in item["answer"]]
            if "answer" in item
            else UNSET,
            items=items_from(item["item"]) if "item" in item else UNSET,
        )
        for item in raw
    ]


def _answer_from(raw: Mapping[str, Any]) -> ResponseAnswer:
    answer = ResponseAnswer(items=items_from(raw["item"]) if "item" in raw else UNSET)
    for name, kind in FIELDS.items():
        value = raw.get("value" + kind[0].upper() + kind[1:], UNSET)
        if value is UNSET:
            continue
        if kind == "Coding":
            value = Coding(
                **{k: value[k] for k in ("system", "version", "code", "display") if k in value}
            )
        elif kind == "Quantity":
            fields = ("value", "comparator", "unit", "system", "code")
            value = Quantity(**{k: value[k] for k in fields if k in value})
        setattr(answer, name, value)
    return answer
