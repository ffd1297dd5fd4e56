"""A QuestionnaireResponse out of the bytes that were sent, at the price of a bare JSON parse.

The fast way only ever says yes; what it does not accept is read again slowly, with every finding.
http://hl7.org/fhir/R4/questionnaireresponse.html
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from fhir_service.fhir.issues import Issue, NotUnderstood
from fhir_service.fhir.reading import (
    ITEM_LEVELS,
    MOST_FINDINGS,
    json_depth,
    parse_json,
    read_json,
)
from fhir_service.fhir.shape_check import check_contained, check_shape
from fhir_service.sdc.link_ids import with_link_ids
from fhir_service.sdc.response_around import must_be_sound, properties_around
from fhir_service.sdc.response_cut import shortened
from fhir_service.sdc.response_model import Body, FullBody, ResponseItem
from fhir_service.sdc.response_parts import findings_in_parts
from fhir_service.sdc.response_walk import (
    Doubt,
    index_of,
    items_too_deep,
    look_at,
    look_closely_at,
    properties_in,
    too_deep,
)

TYPE = "QuestionnaireResponse"

_decoder = msgspec.json.Decoder(Body)
_full_decoder = msgspec.json.Decoder(FullBody)
_plain_decoder = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)
_encoder = msgspec.json.Encoder()
_TYPE_IN_REFERENCE = re.compile(r"(?:^|/)([A-Z][A-Za-z]+)/[^/]+(?:/_history/[^/]+)?$")
_ODD_ESCAPE = re.compile(rb"\\(?:u00[0-3]|[bf])")
_OTHER_TYPE = Issue(
    key="resource-type",
    code="structure",
    says="The resource must be a QuestionnaireResponse, and say so in resourceType.",
    expression="resourceType",
)


class Response:
    """A response that is sound FHIR; whether it keeps the rules of its form is another question.

    ``items`` are its root items, decoded. ``extended`` is False when they have no extension. What
    the response does not say is None, or empty. One from ``skim`` has items that are still to be
    looked at: ``sent`` holds its bytes until then; ``source`` holds them always. ``properties`` is
    how many properties the items have. ``levels`` is how deep they may lie in each other.
    """

    __slots__ = ("_index", "body", "extended", "items", "levels", "properties", "sent", "source")

    def __init__(
        self,
        body: Body,
        source: bytes,
        levels: int = ITEM_LEVELS,
        *,
        sent: bytes | None = None,
        properties: int = 0,
    ) -> None:
        self.extended = sent is None
        self.body = body
        self.items: Sequence[ResponseItem] = body.items or ()
        self.levels = levels
        self.sent = sent
        self.source = source
        self.properties = properties
        self._index: Mapping[str, ResponseItem] | None = None

    def plain(self) -> dict[str, Any]:
        """The response as JSON, decimals as Decimal; read from its bytes each time.

        Raises Doubt where a number is beyond all counting: what was only skimmed may hold one.
        """
        try:
            plain: dict[str, Any] = _plain_decoder.decode(self.source)
        except InvalidOperation:
            raise Doubt from None
        return plain

    @property
    def index(self) -> Mapping[str, ResponseItem]:
        """Every item by linkId; the first where one stands twice."""
        if self._index is None:
            self._index = index_of(self.items)
        return self._index

    def settle(self, known: Mapping[int, int] | None = None) -> Response:
        """Itself, when all items are sound FHIR. Raises NotUnderstood as ``decode`` does.

        With ``known`` it is not plainly so, and read closely at once: these are the root items
        that are, by number, with how many properties they have.
        """
        doubted = known is not None
        if self.sent is not None:
            if doubted or not self._plainly_sound():
                _must_not_be_deep(self.sent, self.items, self.levels, known or ())
                _must_be_right(self.sent, self.levels, known or {}, self.items)
                other = _closely(self.sent, self.body, self.levels)
                self.body, self.items, self.extended = other.body, other.items, True
            self.sent = None
        if doubted:
            self.extended = True  # it is sound, and yet has more than what is plainly right has
        return self

    def _plainly_sound(self) -> bool:
        try:
            return look_at(self.items, self.levels) == self.properties
        except Doubt:
            return False

    @property
    def id(self) -> str | None:
        """The id that the sender gave it."""
        return self.body.id or None

    @property
    def status(self) -> str:
        """One of FHIR's five."""
        return self.body.status

    @property
    def questionnaire(self) -> str | None:
        """The canonical of its form, as written."""
        return self.body.questionnaire or None

    @property
    def authored(self) -> str | None:
        """When it was written, a dateTime as written."""
        return self.body.authored or None

    @property
    def language(self) -> str | None:
        """The language of its texts."""
        return self.body.language or None

    @property
    def identifier(self) -> dict[str, Any] | None:
        """Its business identifier, an Identifier."""
        return self.body.identifier or None

    @property
    def subject_reference(self) -> str | None:
        """subject.reference"""
        return _reference(self.body.subject)

    @property
    def author_reference(self) -> str | None:
        """author.reference"""
        return _reference(self.body.author)

    @property
    def source_reference(self) -> str | None:
        """source.reference"""
        return _reference(self.body.source)

    @property
    def encounter_reference(self) -> str | None:
        """encounter.reference"""
        return _reference(self.body.encounter)

    @property
    def based_on_references(self) -> tuple[str, ...]:
        """basedOn.reference, those that are there."""
        each = (_reference(one) for one in self.body.based_on or ())
        return tuple(one for one in each if one is not None)

    @property
    def version_id(self) -> str | None:
        """meta.versionId, the version that the sender had before it."""
        return (self.body.meta or {}).get("versionId")

    @property
    def subject_type(self) -> str | None:
        """The type of resource that the subject is, as far as the reference tells it."""
        subject = self.body.subject or {}
        match = _TYPE_IN_REFERENCE.search(subject.get("reference", ""))
        return match[1] if match else subject.get("type")


def _reference(reference: Any) -> str | None:
    return reference.get("reference") if reference else None


def decode(body: bytes, item_levels: int = ITEM_LEVELS) -> Response:
    """The response in these bytes.

    Raises NotUnderstood with every finding on JSON and structure, each with its FHIRPath: JSON
    rules as read_json tells them, unknown or missing elements, malformed values, two values,
    items nested deeper than ``item_levels``. The places are those of the document, not of a form.
    """
    return skim(body, item_levels).settle()


def skim(body: bytes, item_levels: int = ITEM_LEVELS) -> Response:
    """The response, for a caller who checks it against its form, or settles it, before any use.

    The check looks at each item anyway, and raises then what ``decode`` raises at once; what
    stands outside the items is sound here already. Raises NotUnderstood.
    """
    if b"\\" in body and _ODD_ESCAPE.search(body):
        return _slow(body, item_levels)
    try:
        decoded = _decoder.decode(body)
        around = properties_around(decoded)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, Doubt):
        return _extended(body, item_levels)
    below = properties_in(body) - around
    return Response(decoded, body, item_levels, sent=body, properties=below)


def _extended(body: bytes, levels: int) -> Response:
    """The response, which may have extensions in its items. Raises NotUnderstood."""
    if b'xtension"' in body and b'"_' not in body:
        try:
            decoded = _full_decoder.decode(body)
            must_be_sound(decoded)
            return _closely(body, decoded, levels)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, Doubt):
            pass
    _must_be_right(body, levels, {})
    return _slow(body, levels)


def _must_be_right(
    body: bytes,
    levels: int,
    known: Mapping[int, int],
    decoded: Sequence[ResponseItem] | None = None,
) -> None:
    """Raise NotUnderstood with every finding, where the parts tell them all."""
    found = findings_in_parts(body, levels, known, decoded)
    if found:
        raise NotUnderstood(found[0].says, *found)


def _must_not_be_deep(
    body: bytes, items: Sequence[ResponseItem], levels: int, known: Collection[int]
) -> None:
    deep = tuple(items_too_deep(items, levels, known)) if body.count(b'"item"') > levels else ()
    if deep:
        raise NotUnderstood(deep[0].says, *deep)  # what is built so is not searched further


def _closely(body: bytes, decoded: Body, levels: int) -> Response:
    """The response again, which may have extensions, or is written in a way of its own.

    Raises NotUnderstood.
    """
    try:
        if _each_once(body, decoded):
            look_closely_at(decoded.items or (), levels)
            return Response(decoded, body, levels)
    except Doubt:
        pass
    return _slow(body, levels)


def _each_once(body: bytes, decoded: Body) -> bool:
    """Whether no property stands twice: of two, only the last is decoded, and encoded again."""
    return _encoder.encode(decoded).count(b":") == body.count(b":")


def _slow(body: bytes, levels: int) -> Response:
    """The response, or every finding."""
    plain = parse_json(body)
    if isinstance(plain, dict) and plain.get("resourceType") != TYPE:
        raise NotUnderstood(_OTHER_TYPE.says, _OTHER_TYPE)  # all else would be about another shape
    if isinstance(plain, dict) and (b"\\" in body or body.count(b'"item"') > levels):
        deep = with_link_ids(too_deep(plain, levels), plain)
        if deep:
            raise NotUnderstood(deep[0].says, *deep)  # what is built so is not searched further
    raw = read_json(shortened(body, levels), max_depth=json_depth(levels))
    found = with_link_ids(_cut(_shape(raw)), raw)
    if found:
        raise NotUnderstood(found[0].says, *found)
    try:
        return Response(_full_decoder.decode(body), body, levels)
    except (msgspec.DecodeError, RecursionError):
        raise NotUnderstood("This response can not be read.", expression=TYPE) from None


def _shape(raw: Mapping[str, Any]) -> Iterable[Issue]:
    yield from check_shape(raw, TYPE, TYPE)
    yield from check_contained(raw.get("contained"), f"{TYPE}.contained")


def _cut(found: Iterable[Issue]) -> tuple[Issue, ...]:
    kept: list[Issue] = []
    for issue in found:
        kept.append(issue)
        if len(kept) == MOST_FINDINGS:
            says = f"Only the first {MOST_FINDINGS} findings are told."
            kept.append(Issue("more-findings", "too-costly", says, severity="information"))
            break
    return tuple(kept)
