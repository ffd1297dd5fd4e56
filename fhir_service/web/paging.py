"""Addresses of pages: signed, so that nobody makes up where a page begins.

A cursor is good for the search it was given out for, and for no other; it needs no memory here.
http://hl7.org/fhir/R4/http.html#paging
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final
from urllib.parse import urlencode

from fhir_service.fhir.issues import NotUnderstood
from fhir_service.fhir.searching import Page
from fhir_service.workflow.ports import Stored
from fhir_service.workflow.site import Site

Pairs = Sequence[tuple[str, str]]

CURSOR: Final = "_cursor"
_BYTES = 15


def opened(site: Site, address: str, pairs: Pairs) -> str | None:
    """The cursor within the signed one of these parameters; None where there is none.

    Raises NotUnderstood for one that was not given out for this search.
    """
    given = [value for name, value in pairs if name == CURSOR]
    if not given:
        return None
    cursor, _, signature = given[0].rpartition(".")
    signed = _signed_text(address, pairs, cursor)
    if len(given) == 1 and any(
        hmac.compare_digest(signature.encode(), one) for one in _signatures(site, signed)
    ):
        return cursor
    raise NotUnderstood("_cursor is not one that this search gave; start again without it.")


def links(site: Site, address: str, used: Pairs, page: Page[Stored]) -> list[tuple[str, str]]:
    """self, and first, previous and next where they lead elsewhere; made from what was used."""
    plain = [pair for pair in used if pair[0] != CURSOR]
    made = [("self", _at(address, used))]
    if page.previous is not None or len(plain) != len(used):
        made.append(("first", _at(address, plain)))
    for relation, cursor in (("previous", page.previous), ("next", page.next)):
        if cursor is not None:
            signature = next(iter(_signatures(site, _signed_text(address, plain, cursor))))
            pairs = [*plain, (CURSOR, f"{cursor}.{signature.decode()}")]
            made.append((relation, _at(address, pairs)))
    return made


def _signed_text(address: str, pairs: Pairs, cursor: str) -> bytes:
    """Where the page is of, and where it begins; its size may be changed on the way."""
    asked = sorted(pair for pair in pairs if pair[0] not in (CURSOR, "_count", "_total"))
    return f"{address}?{urlencode(asked)}\n{cursor}".encode()


def _signatures(site: Site, text: bytes) -> Iterable[bytes]:
    """By each of the keys that may have been in use, the newest first."""
    for key in site.keys.all():
        secret = sha256(b"paging" + str(key.get("d", "")).encode()).digest()
        made = hmac.new(secret, text, sha256).digest()[:_BYTES]
        yield base64.urlsafe_b64encode(made)


def _at(address: str, pairs: Pairs) -> str:
    return f"{address}?{urlencode(pairs)}" if pairs else address
