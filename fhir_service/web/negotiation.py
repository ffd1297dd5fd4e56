"""What the caller's headers ask for: media type, Prefer, conditions, content type.

http://hl7.org/fhir/R4/http.html#mime-type, #cond-read, #return and RFC 9110 section 12.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Literal, NamedTuple, Protocol

from fhir_service.fhir.issues import NotAcceptable, NotThisFormat, NotUnderstood

FHIR_JSON = "application/fhir+json"
FACTS = "application/vnd.fhir-service.facts+json"
"""What ``_format=facts`` asks for: a summary as a JSON list of facts."""
JSON_TYPES = (FHIR_JSON, "application/json", "text/json")

Preference = Literal["minimal", "representation", "OperationOutcome"]

_SHORT = {
    "json": FHIR_JSON,
    "html": "text/html",
    "text": "text/plain",
    "pdf": "application/pdf",
    "facts": FACTS,
}
_ETAG = re.compile(r'\s*(?:W/)?"([1-9][0-9]{0,8})"\s*')
_QUALITY = re.compile(r"(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)")
_R4 = frozenset({"4.0", "4.0.1"})


class Headers(Protocol):
    """The headers of a request; names in any case."""

    def get(self, name: str, /) -> str | None:
        """The value, None when it was not sent."""


class Prefer(NamedTuple):
    """What Prefer asks of the answer, and whether an unknown parameter is an error."""

    wants: Preference | None = None
    strict: bool = False


class _Range(NamedTuple):
    kind: str
    subtype: str
    quality: float

    def fits(self, media_type: str) -> int:
        """How exactly it names this type: 3 wholly, 2 its first half, 1 anything, 0 not at all."""
        kind, _, subtype = media_type.partition("/")
        if (self.kind, self.subtype) == (kind, subtype):
            return 3
        if self.kind == kind and self.subtype == "*":
            return 2
        return 1 if (self.kind, self.subtype) == ("*", "*") else 0


@lru_cache(maxsize=512)
def choose(accept: str | None, format_: str | None, offered: tuple[str, ...]) -> str:
    """The offered type to answer in; ``_format`` wins over Accept. Raises NotAcceptable."""
    if format_ is not None:
        return _by_format(format_, offered)
    if accept is None or accept == "*/*":
        return offered[0]
    ranges = [made for part in accept.split(",") if (made := _read_range(part)) is not None]
    best: tuple[float, int] = (0.0, 0)
    chosen = None
    for place, media_type in enumerate(offered):
        fit = max(((r.fits(media_type), r.quality) for r in ranges), default=(0, 0.0))
        if fit[0] and fit[1] > 0 and (fit[1], -place) > best:
            best, chosen = (fit[1], -place), media_type
    if chosen is None:
        raise NotAcceptable(f"Offered here: {', '.join(offered)}.")
    return chosen


def _by_format(format_: str, offered: tuple[str, ...]) -> str:
    asked = format_.strip().lower().replace(" ", "+").partition(";")[0]
    asked = _SHORT.get(asked, asked)
    if asked not in offered:
        raise NotAcceptable(f"_format: offered here are {', '.join(offered)}.")
    return asked


def _read_range(part: str) -> _Range | None:
    """One media range of Accept; None for one that names another FHIR version or is malformed."""
    media, *parameters = (piece.strip() for piece in part.lower().split(";"))
    kind, slash, subtype = media.partition("/")
    if not slash:
        return None
    quality = 1.0
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        value = value.strip().strip('"')
        if name.strip() == "q":
            quality = float(value) if _QUALITY.fullmatch(value) else 0.0
        if name.strip() == "fhirversion" and value not in _R4:
            return None
    return _Range(kind, subtype, quality)


@lru_cache(maxsize=256)
def read_prefer(header: str | None) -> Prefer:
    """The preferences that are known here; RFC 7240 passes over the others."""
    if not header:
        return Prefer()
    wants: Preference | None = None
    strict = False
    for part in re.split("[,;]", header):
        name, _, value = part.strip().partition("=")
        value = value.strip().strip('"')
        if name.strip().lower() == "return":
            if value == "minimal":
                wants = "minimal"
            elif value == "representation":
                wants = "representation"
            elif value == "OperationOutcome":
                wants = "OperationOutcome"
        if name.strip().lower() == "handling":
            strict = value.lower() == "strict"
    return Prefer(wants, strict)


@lru_cache(maxsize=256)
def must_be_json(content_type: str | None) -> None:
    """Nothing comes back; raises NotThisFormat unless this is FHIR JSON in UTF-8."""
    media, *parameters = (piece.strip().lower() for piece in (content_type or "").split(";"))
    if media not in JSON_TYPES:
        raise NotThisFormat(f"The Content-Type of a resource is {FHIR_JSON} (or {JSON_TYPES[1]}).")
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        value = value.strip().strip('"')
        if name.strip() == "charset" and value not in ("utf-8", "utf8"):
            raise NotThisFormat("FHIR JSON is always UTF-8; send it as charset=utf-8.")
        if name.strip() == "fhirversion" and value not in _R4:
            raise NotThisFormat("This server reads FHIR R4 (fhirVersion=4.0).")


def is_gzip(encoding: str | None) -> bool:
    """Whether a body is to be unpacked. Raises NotThisFormat for every other encoding."""
    named = (encoding or "identity").strip().lower()
    if named not in ("identity", "gzip"):
        raise NotThisFormat("A body comes as it is, or with Content-Encoding: gzip.")
    return named == "gzip"


def read_if_match(header: str | None) -> int | None:
    """The version that If-Match names; None without the header. Raises NotUnderstood."""
    if header is None:
        return None
    found = _ETAG.fullmatch(header)
    if not found:
        raise NotUnderstood('If-Match names one version as the ETag has it, such as W/"3".')
    return int(found[1])


def unchanged(headers: Headers, version: int, last_updated: datetime) -> bool:
    """Whether the caller has this version already, by If-None-Match, else by If-Modified-Since."""
    asked = headers.get("If-None-Match")
    if asked is not None:
        tags = [part.strip() for part in asked.split(",")]
        return "*" in tags or any((m := _ETAG.fullmatch(t)) and int(m[1]) == version for t in tags)
    since = headers.get("If-Modified-Since")
    if since is None:
        return False
    try:
        moment = parsedate_to_datetime(since)
    except ValueError:
        return False  # RFC 9110 13.1.3: a date that can not be read is passed over
    if moment.tzinfo is None:
        return False
    return last_updated < moment + timedelta(seconds=1)
