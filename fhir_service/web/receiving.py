"""What comes in: a body within its limits, the parameters of a search, the format asked for.

http://hl7.org/fhir/R4/http.html#mime-type
"""

from __future__ import annotations

from urllib.parse import parse_qsl

from flask import g, request

from fhir_service.fhir.issues import NotThisFormat, NotUnderstood, TooLarge
from fhir_service.web.negotiation import (
    JSON_TYPES,
    choose,
    must_be_json,
    must_not_be_encoded,
)

FORM = "application/x-www-form-urlencoded"
MOST_PARAMETERS = 200

Pairs = list[tuple[str, str]]


def body() -> bytes:
    """The body of a write, read once and not parsed. Raises NotThisFormat, TooLarge."""
    must_be_json(request.headers.get("Content-Type"))
    return _whole_body()


def _whole_body() -> bytes:
    """The body to its last byte, or a refusal: never a part of it.

    A length that is declared too large is refused before anything is read. A body in pieces has
    no length, and is cut at MAX_CONTENT_LENGTH, which lies one byte over the limit for that.
    """
    must_not_be_encoded(request.headers.get("Content-Encoding"))
    limit = (request.max_content_length or 0) - 1
    declared = request.content_length
    if declared is not None and declared > limit:
        raise too_large(limit)
    given = request.get_data(cache=False, parse_form_data=False)
    if len(given) > limit:
        raise too_large(limit)
    if declared is not None and len(given) != declared:
        raise NotUnderstood("The body ended before its Content-Length; send it again.")
    return given


def too_large(limit: int) -> TooLarge:
    """The refusal of a body over this many bytes."""
    return TooLarge(f"The body is larger than the {limit} bytes that are taken here.")


def choose_format(offered: tuple[str, ...] = JSON_TYPES) -> str:
    """The type to answer in, by ``_format`` or Accept; kept for the reply when it is JSON.

    Raises NotAcceptable.
    """
    asked = request.args.get("_format") if b"_format" in request.query_string else None
    chosen = choose(request.headers.get("Accept"), asked, offered)
    if chosen in JSON_TYPES:
        g.json_type = chosen
    return chosen


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
