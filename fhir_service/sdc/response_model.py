"""QuestionnaireResponse as msgspec Structs: the shape that is decoded at C speed.

What a filler most often sends: without extensions and ids in items, which the Full ones have.
Elements outside items and answers stay plain dictionaries. An element that is not there is UNSET;
JSON null is never accepted. http://hl7.org/fhir/R4/questionnaireresponse.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from operator import attrgetter
from typing import Annotated, Any, ClassVar, Literal

from msgspec import UNSET, Meta, Raw, Struct, UnsetType, field

from fhir_service.fhir.primitives import DATE_TIME, INSTANT, LANGUAGE, TIME, URI
from fhir_service.sdc.items import ValueKind

Loose = dict[str, Any]
Id = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9\-.]{1,64}\Z")]
Uri = Annotated[str, Meta(pattern=URI)]
DateTime = Annotated[str, Meta(pattern=DATE_TIME)]
Instant = Annotated[str, Meta(pattern=INSTANT)]
Time = Annotated[str, Meta(pattern=TIME)]
Language = Annotated[str, Meta(pattern=LANGUAGE)]
Filled = Annotated[str, Meta(min_length=1)]
"""Not empty; that it is not blank either, and has its type's form, is for the walk to see."""
Text = Annotated[str, Meta(pattern=r"[^ \t\r\n]")]
LooseList = Annotated[list[Loose], Meta(min_length=1)]
Whole = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
Status = Literal["in-progress", "completed", "amended", "entered-in-error", "stopped"]


class Coding(Struct, forbid_unknown_fields=True, kw_only=True, gc=False, frozen=True):
    """http://hl7.org/fhir/R4/datatypes.html#Coding"""

    system: Filled | UnsetType = UNSET
    version: Text | UnsetType = UNSET
    code: Filled | UnsetType = UNSET
    display: Filled | UnsetType = UNSET
    user_selected: bool | UnsetType = field(default=UNSET, name="userSelected")
    extension: ClassVar[LooseList | UnsetType] = UNSET


class Quantity(Struct, forbid_unknown_fields=True, kw_only=True, gc=False):
    """http://hl7.org/fhir/R4/datatypes.html#Quantity; ``value`` keeps its digits."""

    extension: ClassVar[LooseList | UnsetType] = UNSET

    value: Raw | UnsetType = UNSET
    comparator: Literal["<", "<=", ">=", ">"] | UnsetType = UNSET
    unit: Filled | UnsetType = UNSET
    system: Filled | UnsetType = UNSET
    code: Filled | UnsetType = UNSET


class ResponseAnswer(Struct, forbid_unknown_fields=True, kw_only=True, gc=False):
    """One answer; exactly one of the values, or only extensions."""

    extension: ClassVar[LooseList | UnsetType] = UNSET
    modifier_extension: ClassVar[LooseList | UnsetType] = UNSET

    coding: Coding | UnsetType = field(default=UNSET, name="valueCoding")
    string: Filled | UnsetType = field(default=UNSET, name="valueString")
    boolean: bool | UnsetType = field(default=UNSET, name="valueBoolean")
    integer: Whole | UnsetType = field(default=UNSET, name="valueInteger")
    decimal: Raw | UnsetType = field(default=UNSET, name="valueDecimal")
    date: Filled | UnsetType = field(default=UNSET, name="valueDate")
    date_time: DateTime | UnsetType = field(default=UNSET, name="valueDateTime")
    time: Time | UnsetType = field(default=UNSET, name="valueTime")
    uri: Uri | UnsetType = field(default=UNSET, name="valueUri")
    quantity: Quantity | UnsetType = field(default=UNSET, name="valueQuantity")
    attachment: Loose | UnsetType = field(default=UNSET, name="valueAttachment")
    reference: Loose | UnsetType = field(default=UNSET, name="valueReference")
    items: Annotated[list[ResponseItem], Meta(min_length=1)] | UnsetType = field(
        default=UNSET, name="item"
    )


class ResponseItem(Struct, forbid_unknown_fields=True, kw_only=True, gc=False):
    """One item of a response."""

    extension: ClassVar[LooseList | UnsetType] = UNSET
    modifier_extension: ClassVar[LooseList | UnsetType] = UNSET

    link_id: Filled = field(name="linkId")
    definition: Filled | UnsetType = UNSET
    text: Filled | UnsetType = UNSET
    answers: Annotated[list[ResponseAnswer], Meta(min_length=1)] | UnsetType = field(
        default=UNSET, name="answer"
    )
    items: Annotated[list[ResponseItem], Meta(min_length=1)] | UnsetType = field(
        default=UNSET, name="item"
    )


class Body(Struct, forbid_unknown_fields=True, kw_only=True, gc=False):
    """The resource itself."""

    resource_type: Literal["QuestionnaireResponse"] = field(name="resourceType")
    status: Status
    id: Id | UnsetType = UNSET
    meta: Loose | UnsetType = UNSET
    implicit_rules: Uri | UnsetType = field(default=UNSET, name="implicitRules")
    language: Language | UnsetType = UNSET
    narrative: Loose | UnsetType = field(default=UNSET, name="text")
    contained: LooseList | UnsetType = UNSET
    extension: LooseList | UnsetType = UNSET
    modifier_extension: LooseList | UnsetType = field(default=UNSET, name="modifierExtension")
    identifier: Loose | UnsetType = UNSET
    based_on: LooseList | UnsetType = field(default=UNSET, name="basedOn")
    part_of: LooseList | UnsetType = field(default=UNSET, name="partOf")
    questionnaire: Uri | UnsetType = UNSET
    subject: Loose | UnsetType = UNSET
    encounter: Loose | UnsetType = UNSET
    authored: DateTime | UnsetType = UNSET
    author: Loose | UnsetType = UNSET
    source: Loose | UnsetType = UNSET
    items: Annotated[list[ResponseItem], Meta(min_length=1)] | UnsetType = field(
        default=UNSET, name="item"
    )


class FullCoding(Coding, kw_only=True, frozen=True):
    """A Coding with extensions, of its own or of its primitives (``_display``)."""

    id: Text | UnsetType = UNSET
    extension: LooseList | UnsetType = UNSET  # type: ignore[misc]
    more_system: Loose | UnsetType = field(default=UNSET, name="_system")
    more_version: Loose | UnsetType = field(default=UNSET, name="_version")
    more_code: Loose | UnsetType = field(default=UNSET, name="_code")
    more_display: Loose | UnsetType = field(default=UNSET, name="_display")
    more_user_selected: Loose | UnsetType = field(default=UNSET, name="_userSelected")


class FullQuantity(Quantity, kw_only=True):
    """A Quantity with extensions, of its own or of its primitives."""

    id: Text | UnsetType = UNSET
    extension: LooseList | UnsetType = UNSET  # type: ignore[misc]
    more_value: Loose | UnsetType = field(default=UNSET, name="_value")
    more_comparator: Loose | UnsetType = field(default=UNSET, name="_comparator")
    more_unit: Loose | UnsetType = field(default=UNSET, name="_unit")
    more_system: Loose | UnsetType = field(default=UNSET, name="_system")
    more_code: Loose | UnsetType = field(default=UNSET, name="_code")


class FullAnswer(ResponseAnswer, kw_only=True):
    """An answer with extensions, of its own or of its primitives."""

    id: Text | UnsetType = UNSET
    extension: LooseList | UnsetType = UNSET  # type: ignore[misc]
    modifier_extension: LooseList | UnsetType = field(  # type: ignore[misc]
        default=UNSET, name="modifierExtension"
    )
    coding: FullCoding | UnsetType = field(default=UNSET, name="valueCoding")
    quantity: FullQuantity | UnsetType = field(default=UNSET, name="valueQuantity")
    items: Annotated[list[FullItem], Meta(min_length=1)] | UnsetType = field(  # type: ignore[assignment]
        default=UNSET, name="item"
    )
    more_string: Loose | UnsetType = field(default=UNSET, name="_valueString")
    more_boolean: Loose | UnsetType = field(default=UNSET, name="_valueBoolean")
    more_integer: Loose | UnsetType = field(default=UNSET, name="_valueInteger")
    more_decimal: Loose | UnsetType = field(default=UNSET, name="_valueDecimal")
    more_date: Loose | UnsetType = field(default=UNSET, name="_valueDate")
    more_date_time: Loose | UnsetType = field(default=UNSET, name="_valueDateTime")
    more_time: Loose | UnsetType = field(default=UNSET, name="_valueTime")
    more_uri: Loose | UnsetType = field(default=UNSET, name="_valueUri")


class FullItem(ResponseItem, kw_only=True):
    """An item with extensions, of its own or of its primitives."""

    id: Text | UnsetType = UNSET
    extension: LooseList | UnsetType = UNSET  # type: ignore[misc]
    modifier_extension: LooseList | UnsetType = field(  # type: ignore[misc]
        default=UNSET, name="modifierExtension"
    )
    answers: Annotated[list[FullAnswer], Meta(min_length=1)] | UnsetType = field(  # type: ignore[assignment]
        default=UNSET, name="answer"
    )
    items: Annotated[list[FullItem], Meta(min_length=1)] | UnsetType = field(  # type: ignore[assignment]
        default=UNSET, name="item"
    )
    more_link_id: Loose | UnsetType = field(default=UNSET, name="_linkId")
    more_definition: Loose | UnsetType = field(default=UNSET, name="_definition")
    more_text: Loose | UnsetType = field(default=UNSET, name="_text")


class FullBody(Body, kw_only=True):
    """A response with extensions anywhere in its items, or on primitives; it is read closely."""

    items: Annotated[list[FullItem], Meta(min_length=1)] | UnsetType = field(  # type: ignore[assignment]
        default=UNSET, name="item"
    )
    more_implicit_rules: Loose | UnsetType = field(default=UNSET, name="_implicitRules")
    more_language: Loose | UnsetType = field(default=UNSET, name="_language")
    more_questionnaire: Loose | UnsetType = field(default=UNSET, name="_questionnaire")
    more_status: Loose | UnsetType = field(default=UNSET, name="_status")
    more_authored: Loose | UnsetType = field(default=UNSET, name="_authored")


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

_values = attrgetter(*FIELDS)
_KINDS = tuple(FIELDS.values())

FIELD_OF: Mapping[ValueKind, str] = {kind: name for name, kind in FIELDS.items()}


def value_of(answer: ResponseAnswer) -> tuple[ValueKind, Any] | None:
    """(type, value) of an answer; None when it carries only extensions."""
    if answer.coding is not UNSET:
        return "Coding", answer.coding
    if answer.string is not UNSET:
        return "string", answer.string
    if answer.boolean is not UNSET:
        return "boolean", answer.boolean
    if answer.integer is not UNSET:
        return "integer", answer.integer
    for value, kind in zip(_values(answer), _KINDS, strict=True):
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
