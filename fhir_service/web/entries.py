"""The entries of a batch or transaction, read, put into order, and their links made to fit.

http://hl7.org/fhir/R4/http.html#transaction
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal
from urllib.parse import parse_qsl, unquote

import msgspec

from fhir_service.fhir.issues import NotUnderstood, TooLarge
from fhir_service.fhir.reading import read_json

MOST_ENTRIES: Final = 200
_DEEPER: Final = 4
"""How many arrays and objects of the Bundle lie around a resource in it."""

Method = Literal["GET", "HEAD", "POST", "PUT", "DELETE"]

_ORDER: Final[Mapping[str, int]] = {"DELETE": 0, "POST": 1, "PUT": 2, "GET": 3, "HEAD": 3}
_LINKED = re.compile(
    rb'("(?:reference|url|uri|value(?:Uri|Url|Uuid|Oid|Canonical))"\s*:\s*)"(urn:(?:uuid|oid):[^"\\]+)"'
)
_PLACE = re.compile(r"([A-Za-z]+)(?:/([A-Za-z0-9\-.]{1,64})(?:/_history(?:/([0-9]{1,9}))?)?)?")


class _Request(msgspec.Struct):
    method: str
    url: str
    ifNoneMatch: str | None = None  # noqa: N815  FHIR's name
    ifModifiedSince: str | None = None  # noqa: N815  FHIR's name
    ifMatch: str | None = None  # noqa: N815  FHIR's name
    ifNoneExist: str | None = None  # noqa: N815  FHIR's name


class _Entry(msgspec.Struct):
    request: _Request
    fullUrl: str | None = None  # noqa: N815  FHIR's name
    resource: msgspec.Raw = msgspec.Raw()


class _Bundle(msgspec.Struct):
    type: str
    entry: list[_Entry] = []


@dataclass(frozen=True, slots=True)
class Entry:
    """One request of a Bundle. ``kind`` and ``id`` are what its address names, where it does.

    ``history`` is "" for the whole history, a version's number, or None. ``body`` are the bytes
    of its resource as they were sent.
    """

    number: int
    method: str
    kind: str
    id: str | None
    history: str | None
    pairs: tuple[tuple[str, str], ...]
    body: bytes
    full_url: str | None = None
    if_match: str | None = None
    if_none_match: str | None = None
    if_none_exist: str | None = None

    @property
    def where(self) -> str:
        """Its place in the Bundle, as FHIRPath."""
        return f"Bundle.entry[{self.number}]"


def read_entries(body: bytes, base: str, max_depth: int) -> tuple[str, tuple[Entry, ...]]:
    """Whether it is a batch or a transaction, and its entries in the order they were sent.

    ``base`` is the FHIR base of this server. Raises NotUnderstood, TooLarge.
    """
    bundle = read_json(body, max_depth=max_depth + _DEEPER)
    kind = bundle.get("type")
    if bundle.get("resourceType") != "Bundle":
        raise NotUnderstood("This address takes a Bundle: a batch or a transaction.")
    if kind not in ("batch", "transaction"):
        raise NotUnderstood(
            "Only a batch or a transaction is carried out here; documents and messages are not "
            "taken.",
            expression="Bundle.type",
        )
    try:
        read = msgspec.json.decode(body, type=_Bundle)
    except msgspec.ValidationError:
        says = "Each entry has a request with method and url, and a resource where it writes."
        raise NotUnderstood(says, expression="Bundle.entry") from None
    if len(read.entry) > MOST_ENTRIES:
        raise TooLarge(f"A Bundle has at most {MOST_ENTRIES} entries here.")
    return kind, tuple(_entry(n, one, base) for n, one in enumerate(read.entry))


def in_order(entries: Iterable[Entry]) -> list[Entry]:
    """As R4 has them carried out: DELETE, POST, PUT, GET; else as they were sent."""
    return sorted(entries, key=lambda entry: _ORDER.get(entry.method, 3))


def must_be_distinct(entries: Sequence[Entry]) -> None:
    """Refuse two entries that change the same resource, or have one fullUrl."""
    changed: set[tuple[str, str | None]] = set()
    named: set[str] = set()
    for entry in entries:
        place = (entry.kind, entry.id)
        if entry.method in ("PUT", "DELETE") and entry.id is not None:
            if place in changed:
                says = "Two entries change the same resource; it is not clear which holds."
                raise NotUnderstood(says, expression=f"{entry.where}.request.url")
            changed.add(place)
        if entry.full_url is not None and entry.method in ("POST", "PUT"):
            if entry.full_url in named:
                says = "Two entries have the same fullUrl."
                raise NotUnderstood(says, expression=f"{entry.where}.fullUrl")
            named.add(entry.full_url)


def linked(entry: Entry, places: Mapping[str, str]) -> Entry:
    """The entry with the links to other entries replaced by where those lie now.

    Whole values of references and addresses alone; every other byte stays.
    """

    def place(found: re.Match[bytes]) -> bytes:
        known = places.get(found[2].decode("utf-8", "replace"))
        return found[0] if known is None else found[1] + f'"{known}"'.encode()

    return replace(entry, body=_LINKED.sub(place, entry.body)) if places else entry


def links_of(entry: Entry) -> set[str]:
    """The urn:uuid and urn:oid links in its body."""
    return {found[1].decode("utf-8", "replace") for found in _LINKED.findall(entry.body)}


def _entry(number: int, sent: _Entry, base: str) -> Entry:
    url = sent.request.url.removeprefix(base).lstrip("/")
    path, _, query = url.partition("?")
    search = path.endswith("/_search")
    found = _PLACE.fullmatch(unquote(path.removesuffix("/_search")))
    where = f"Bundle.entry[{number}].request"
    if found is None or sent.request.method not in _ORDER or search:
        says = "GET, POST, PUT and DELETE of Type, Type/id and Type?parameters are carried out."
        raise NotUnderstood(says, expression=f"{where}.url")
    try:
        pairs = tuple(parse_qsl(query, keep_blank_values=True, errors="strict"))
    except ValueError:
        raise NotUnderstood("The parameters must be UTF-8.", expression=f"{where}.url") from None
    return Entry(
        number,
        sent.request.method,
        found[1],
        found[2],
        (found[3] or "") if "/_history" in path else None,
        pairs,
        bytes(sent.resource),
        sent.fullUrl,
        sent.request.ifMatch,
        sent.request.ifNoneMatch,
        sent.request.ifNoneExist,
    )
