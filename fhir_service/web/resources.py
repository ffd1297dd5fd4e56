"""The FHIR interactions as HTTP: read, vread, history, search, create, update, delete.

Each view translates and hands on; what may be done, and what it means, is decided in workflow.
http://hl7.org/fhir/R4/http.html
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlencode

from flask import Flask, Response, request

from fhir_service.fhir.issues import Issue, NotFinished, NotHere, NotUnderstood
from fhir_service.fhir.searching import read_search
from fhir_service.web import bundles
from fhir_service.web.auditing import withheld
from fhir_service.web.guard import caller
from fhir_service.web.negotiation import read_if_match, read_prefer
from fhir_service.web.receiving import Pairs, body, choose_format, query_pairs, search_pairs
from fhir_service.web.replies import bare, json_reply, one, version_headers, written
from fhir_service.web.table import (
    OFFERS,
    PLANNED_TYPES,
    Create,
    Delete,
    Offer,
    Update,
)
from fhir_service.workflow import read as reading
from fhir_service.workflow.site import Site

View = Callable[..., Response]

DEFAULT_COUNT = 50
MAX_COUNT = 200
LARGEST_VERSION = 999_999_999

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_COUNT = re.compile(r"[0-9]{1,9}")
_CURSOR = "_cursor"
_ABOUT_THE_ANSWER = frozenset({"_format", "_pretty"})
_ALL_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def register(app: Flask, site: Site) -> None:
    """Add the routes of every offer, and the honest refusals of what is planned."""
    for offer in OFFERS:
        _add(app, site, offer)
    for resource_type in PLANNED_TYPES:
        root = f"/fhir/{resource_type}"
        app.add_url_rule(
            root, f"planned {resource_type}", _not_built(resource_type), methods=_ALL_METHODS
        )
        app.add_url_rule(
            f"{root}/<path:rest>",
            f"planned {resource_type} and below",
            _not_built(resource_type),
            methods=_ALL_METHODS,
        )
    app.add_url_rule("/fhir", "batch", _not_built("Batch and transaction"), methods=("POST",))


def _add(app: Flask, site: Site, offer: Offer) -> None:
    kind, root = offer.resource_type, f"/fhir/{offer.resource_type}"
    views: list[tuple[str, str, str, View]] = [
        (f"{root}/<id_>", "GET", "read", _read(site, kind)),
        (f"{root}/<id_>/_history", "GET", "history", _history(site, kind)),
        (
            f"{root}/<id_>/_history/<int(max={LARGEST_VERSION}):version>",
            "GET",
            "vread",
            _vread(site, kind),
        ),
        (root, "GET", "search", _search(site, kind)),
        (f"{root}/_search", "POST", "search by POST", _search(site, kind)),
    ]
    if offer.create:
        views.append((root, "POST", "create", _create(site, offer.create)))
    if offer.update:
        views.append((f"{root}/<id_>", "PUT", "update", _update(site, offer.update)))
    if offer.delete:
        views.append((f"{root}/<id_>", "DELETE", "delete", _delete(site, offer.delete)))
    for rule, method, name, view in views:
        app.add_url_rule(rule, f"{kind} {name}", view, methods=(method,))


def fhir_base(site: Site) -> str:
    """The address that every FHIR address of this service begins with, no slash at its end."""
    return f"{site.base_url}/fhir"


def must_be_id(id_: str) -> None:
    """Refuse what can not be an id. http://hl7.org/fhir/R4/datatypes.html#id"""
    if _ID.fullmatch(id_):
        return
    if request.method == "PUT":
        raise NotUnderstood("An id has 1 to 64 of A-Z, a-z, 0-9, “-” and “.”.")
    says = "There is no such resource, interaction or operation here."
    raise NotHere(says, Issue(key="not-supported", code="not-supported", says=says))


def _read(site: Site, resource_type: str) -> View:
    def view(id_: str) -> Response:
        must_be_id(id_)
        choose_format()
        return one(reading.read(site, caller(), resource_type, id_))

    return view


def _vread(site: Site, resource_type: str) -> View:
    def view(id_: str, version: int) -> Response:
        must_be_id(id_)
        choose_format()
        return one(reading.vread(site, caller(), resource_type, id_, version))

    return view


def _history(site: Site, resource_type: str) -> View:
    base = fhir_base(site)

    def view(id_: str) -> Response:
        must_be_id(id_)
        choose_format()
        pairs = _without(query_pairs(), _ABOUT_THE_ANSWER)
        given = dict(pairs)
        count = min(_number(given.get("_count"), "_count", DEFAULT_COUNT) or 0, MAX_COUNT)
        before = _number(given.get(_CURSOR), _CURSOR, None)
        ignored = tuple(name for name, _ in pairs if name not in ("_count", _CURSOR))
        _must_know(ignored)
        page = reading.history(site, caller(), resource_type, id_, count, before)
        address = f"{base}/{resource_type}/{id_}/_history"
        links = _links(address, _without(pairs, frozenset(ignored)), page.next)
        return json_reply(bundles.history(page, base, links))

    return view


def _search(site: Site, resource_type: str) -> View:
    base = fhir_base(site)

    def view() -> Response:
        choose_format()
        pairs = _without(search_pairs(), _ABOUT_THE_ANSWER)
        caller().trail.query = withheld(resource_type, pairs)
        asked, ignored = read_search(
            resource_type,
            pairs,
            default_count=DEFAULT_COUNT,
            max_count=MAX_COUNT,
            bases=(base,),
        )
        _must_know(ignored)
        page = reading.search(site, caller(), asked)
        used = [
            (name, str(asked.count) if name == "_count" else value)
            for name, value in _without(pairs, frozenset(ignored))
        ]
        links = _links(f"{base}/{resource_type}", used, page.next)
        return json_reply(bundles.searchset(page, base, links))

    return view


def _create(site: Site, create: Create) -> View:
    base = fhir_base(site)

    def view() -> Response:
        choose_format()
        prefer = read_prefer(request.environ.get("HTTP_PREFER"))
        if "HTTP_IF_NONE_EXIST" in request.environ:
            raise NotFinished("Conditional create is not built; send it without If-None-Exist.")
        kept = create(site, caller(), body())
        return written(kept.stored, kept.created, kept.findings, base, prefer.wants)

    return view


def _update(site: Site, update: Update) -> View:
    base = fhir_base(site)

    def view(id_: str) -> Response:
        must_be_id(id_)
        choose_format()
        prefer = read_prefer(request.environ.get("HTTP_PREFER"))
        if_match = read_if_match(request.environ.get("HTTP_IF_MATCH"))
        kept = update(site, caller(), id_, body(), if_match)
        return written(kept.stored, kept.created, kept.findings, base, prefer.wants)

    return view


def _delete(site: Site, delete: Delete) -> View:
    def view(id_: str) -> Response:
        must_be_id(id_)
        gone = delete(site, caller(), id_)
        return bare(204, version_headers(gone))

    return view


def _not_built(what: str) -> View:
    def view(**_: str) -> Response:
        raise NotFinished(f"{what}: planned, and not built yet.")

    return view


def _must_know(ignored: tuple[str, ...]) -> None:
    """Refuse parameters that are not known here, when the caller asks for strictness.

    http://hl7.org/fhir/R4/search.html#errors
    """
    if ignored and read_prefer(request.environ.get("HTTP_PREFER")).strict:
        names = ", ".join(dict.fromkeys(ignored))
        raise NotUnderstood(f"Unknown parameters: {names}. Known ones stand in /fhir/metadata.")


def _number(text: str | None, name: str, default: int | None) -> int | None:
    if text is None:
        return default
    if not _COUNT.fullmatch(text):
        raise NotUnderstood(f"{name} is a whole number.")
    return int(text)


def _without(pairs: Pairs, names: frozenset[str]) -> Pairs:
    return [pair for pair in pairs if pair[0] not in names]


def _links(address: str, used: Pairs, following: str | None) -> list[bundles.Link]:
    """Self, and next when there is more; made from what was used, not from what was asked."""
    links = [("self", _address(address, used))]
    if following is not None:
        rest = _without(used, frozenset({_CURSOR}))
        links.append(("next", _address(address, [*rest, (_CURSOR, following)])))
    return links


def _address(address: str, pairs: Pairs) -> str:
    return f"{address}?{urlencode(pairs)}" if pairs else address
