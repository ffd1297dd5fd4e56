"""What comes in: a body within its limits, the parameters of a search, the format asked for.

http://hl7.org/fhir/R4/http.html#mime-type
"""

from __future__ import annotations

import zlib
from typing import IO
from urllib.parse import parse_qsl

from flask import request

from fhir_service.fhir.issues import NotThisFormat, NotUnderstood, TooLarge
from fhir_service.fhir.searching import WHOLE, Shape, read_search
from fhir_service.web.negotiation import (
    JSON_TYPES,
    choose,
    is_gzip,
    must_be_json,
)
from fhir_service.web.told import told

FORM = "application/x-www-form-urlencoded"
MOST_PARAMETERS = 200

Pairs = list[tuple[str, str]]


def body() -> bytes:
    """The body of a write, read once and not parsed. Raises NotThisFormat, TooLarge."""
    must_be_json(request.environ.get("CONTENT_TYPE"))
    return _whole_body()


def _whole_body() -> bytes:
    """The body to its last byte, unpacked where it came as gzip, or a refusal: never a part."""
    limit = request.max_content_length or 0
    given = _sent_body(limit)
    encoding = request.environ.get("HTTP_CONTENT_ENCODING")
    return unpacked(given, limit) if given and is_gzip(encoding) else given


def unpacked(packed: bytes, limit: int) -> bytes:
    """What was compressed with gzip. Never more than the limit is unpacked, whatever it holds.

    Raises NotUnderstood for what is no gzip, TooLarge.
    """
    opener = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        found = opener.decompress(packed, limit + 1)
    except zlib.error:
        raise NotUnderstood("The body is not the gzip that Content-Encoding says.") from None
    if len(found) > limit:
        raise _too_large(limit)
    if not opener.eof or opener.unused_data:
        raise NotUnderstood("The gzip of the body ends too early, or something comes after it.")
    return found


def _sent_body(limit: int) -> bytes:
    """The body as it was sent.

    A length that is declared too large is refused before anything is read. A body in pieces has
    no length, and is read to one byte over the limit at most.
    """
    environ = request.environ
    declared = request.content_length
    if declared is None:
        if "wsgi.input_terminated" not in environ:
            return b""  # RFC 9112 6.3: neither length nor pieces, so there is no body
        given = _read(environ["wsgi.input"], limit + 1)
        if len(given) > limit:
            raise _too_large(limit)
        return given
    if declared > limit:
        raise _too_large(limit)
    given = _read(environ["wsgi.input"], declared)
    if len(given) != declared:
        raise NotUnderstood("The body ended before its Content-Length; send it again.")
    return given


def _read(stream: IO[bytes], most: int) -> bytes:
    """Up to this many bytes; fewer only when the stream ends before."""
    first = stream.read(most)
    if len(first) == most or not first:
        return first
    pieces, missing = [first], most - len(first)
    while missing and (piece := stream.read(missing)):
        pieces.append(piece)
        missing -= len(piece)
    return b"".join(pieces)


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"The body is larger than the {limit} bytes that are taken here.")


def choose_format(offered: tuple[str, ...] = JSON_TYPES) -> str:
    """The type to answer in, by ``_format`` or Accept; kept for the reply when it is JSON.

    Raises NotAcceptable.
    """
    asked = request.args.get("_format") if b"_format" in request.query_string else None
    chosen = choose(request.environ.get("HTTP_ACCEPT"), asked, offered)
    if chosen in JSON_TYPES:
        told().json_type = chosen
    return chosen


def shape_asked(resource_type: str) -> Shape:
    """How much of one resource is asked for by ``_summary`` or ``_elements``. NotUnderstood."""
    if b"_summary" not in request.query_string and b"_elements" not in request.query_string:
        return WHOLE
    pairs = [pair for pair in query_pairs() if pair[0] in ("_summary", "_elements")]
    return read_search(resource_type, pairs, default_count=1)[0].shape


def query_pairs() -> Pairs:
    """The parameters of the address, in order."""
    return _pairs(request.query_string)


def search_pairs() -> Pairs:
    """The parameters of a search, of the address and, for POST, of the form in the body."""
    pairs = query_pairs()
    if request.method == "POST":
        media = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        given = _whole_body()
        if given and media != FORM:
            raise NotThisFormat(f"The Content-Type of a search by POST is {FORM}.")
        pairs += _pairs(given)
    return pairs


def form_pairs() -> Pairs:
    """The parameters of a form that was sent as the body. Raises NotThisFormat, TooLarge."""
    media = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if media != FORM:
        raise NotThisFormat(f"The Content-Type is {FORM}.")
    return _pairs(_whole_body())


def _pairs(encoded: bytes) -> Pairs:
    if not encoded:
        return []
    try:
        return parse_qsl(
            encoded.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MOST_PARAMETERS,
        )
    except ValueError:
        raise NotUnderstood(
            f"The parameters must be UTF-8, percent-encoded, and at most {MOST_PARAMETERS}."
        ) from None
