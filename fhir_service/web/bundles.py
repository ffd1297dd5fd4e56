"""Searchset and history Bundles, put together from stored bytes; no resource is written anew.

http://hl7.org/fhir/R4/http.html#search and http://hl7.org/fhir/R4/http.html#history
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import orjson

from fhir_service.fhir.searching import WHOLE, Page, Shape
from fhir_service.fhir.splice import instant
from fhir_service.fhir.subsetting import shaped
from fhir_service.web.replies import served
from fhir_service.workflow.ports import Stored

Link = tuple[str, str]
"""Relation and address."""


def searchset(
    page: Page[Stored],
    base: str,
    links: Sequence[Link],
    included: Sequence[Stored] = (),
    shape: Shape = WHOLE,
) -> bytes:
    """The Bundle of one page of matches; ``total`` only where it was counted.

    ``included`` comes with it, whole; of the matches as much as ``shape`` says.

    ``base`` is the FHIR base that each fullUrl begins with, without a slash at its end.
    """
    entries = (
        b'{"fullUrl":%b,"resource":%b,"search":{"mode":"%b"}}'
        % (_full_url(base, stored), shaped(stored.resource_type, served(stored), as_), mode)
        for some, as_, mode in ((page.found, shape, b"match"), (included, WHOLE, b"include"))
        for stored in some
    )
    return _bundle(b"searchset", page.total, links, entries)


def history(page: Page[Stored], base: str, links: Sequence[Link]) -> bytes:
    """The Bundle of one page of versions, newest first; a deletion has no resource."""
    return _bundle(b"history", page.total, links, (_version(base, s) for s in page.found))


def _version(base: str, stored: Stored) -> bytes:
    what = f"{stored.resource_type}/{stored.id}"
    asked = orjson.dumps(
        {
            "method": stored.method,
            "url": stored.resource_type if stored.method == "POST" else what,
        }
    )
    created = stored.version == 1
    status = "204 No Content" if stored.deleted else "201 Created" if created else "200 OK"
    answered = orjson.dumps(
        {
            "status": status,
            "etag": f'W/"{stored.version}"',
            "lastModified": instant(stored.last_updated),
        }
    )
    body = b"" if stored.deleted else b'"resource":%b,' % served(stored)
    return b'{"fullUrl":%b,%b"request":%b,"response":%b}' % (
        _full_url(base, stored),
        body,
        asked,
        answered,
    )


def _full_url(base: str, stored: Stored) -> bytes:
    return orjson.dumps(f"{base}/{stored.resource_type}/{stored.id}")


def _bundle(
    kind: bytes, total: int | None, links: Sequence[Link], entries: Iterable[bytes]
) -> bytes:
    parts = [b'"resourceType":"Bundle","type":"%b"' % kind]
    if total is not None:
        parts.append(b'"total":%d' % total)
    linked = [{"relation": relation, "url": url} for relation, url in links]
    parts.append(b'"link":' + orjson.dumps(linked))
    joined = b",".join(entries)
    if joined:
        parts.append(b'"entry":[' + joined + b"]")
    return b"{" + b",".join(parts) + b"}"
