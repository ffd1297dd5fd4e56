"""What comes in: a body within its limits, the parameters of a search, the format asked for.

http://hl7.org/fhir/R4/http.html#mime-type
"""

from __future__ import annotations

from urllib.parse import parse_qsl

from flask import g, request

from fhir_service.fhir.issues import NotThisFormat, NotUnderstood
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
    """The body of a write, read once and not parsed.

    Raises NotThisFormat; a body over the limit is refused before it is read (web/errors.py).
    """
    headers = request.headers
    must_be_json(headers.get("Content-Type"))
    must_not_be_encoded(headers.get("Content-Encoding"))
    return request.get_data(cache=False)


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
        given = request.get_data(cache=False, parse_form_data=False)
        if given and media != FORM:
            raise NotThisFormat(f"The Content-Type of a search by POST is {FORM}.")
        must_not_be_encoded(request.headers.get("Content-Encoding"))
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
