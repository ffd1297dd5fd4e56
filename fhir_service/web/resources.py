"""The FHIR interactions as HTTP: read, vread, history, search, create, update, delete.

Each view translates and hands on; what may be done, and what it means, is decided in workflow.
http://hl7.org/fhir/R4/http.html
"""

from __future__ import annotations

import re
from collections.abc import Callable

from flask import Flask, Response, request

from fhir_service.fhir.issues import Issue, NotFinished, NotHere, NotUnderstood
from fhir_service.web import searches, writing
from fhir_service.web.guard import caller
from fhir_service.web.negotiation import read_if_match, read_prefer
from fhir_service.web.receiving import body, choose_format, query_pairs, search_pairs, shape_asked
from fhir_service.web.replies import bare, json_reply, one, version_headers, written
from fhir_service.web.table import (
    OFFERS,
    PLANNED_TYPES,
    Delete,
    Offer,
    Update,
)
from fhir_service.workflow import read as reading
from fhir_service.workflow.site import Site

View = Callable[..., Response]

LARGEST_VERSION = 999_999_999

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_ALL_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def register(app: Flask, site: Site) -> None:
    """Add the routes of every offer, and the honest refusals of what is planned."""
    for offer in OFFERS:
        _add(app, site, offer)
    view = _changes(site, tuple(offer.resource_type for offer in OFFERS if offer.stored), "")
    app.add_url_rule("/fhir/_history", "all history of the system", view)
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
        *(
            [
                (
                    f"{root}/_history",
                    "GET",
                    "history of the type",
                    _changes(site, (kind,), f"/{kind}"),
                )
            ]
            if offer.stored
            else []
        ),
        (f"{root}/_search", "POST", "search by POST", _search(site, kind)),
    ]
    if offer.create:
        views.append((root, "POST", "create", _create(site, offer)))
    if offer.update:
        views.append((f"{root}/<id_>", "PUT", "update", _update(site, offer.update)))
        if offer.create and offer.update_create:
            conditional = _conditional_update(site, offer)
            views.append((root, "PUT", "conditional update", conditional))
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
        return one(reading.read(site, caller(), resource_type, id_), shape_asked(resource_type))

    return view


def _vread(site: Site, resource_type: str) -> View:
    def view(id_: str, version: int) -> Response:
        must_be_id(id_)
        choose_format()
        stored = reading.vread(site, caller(), resource_type, id_, version)
        return one(stored, shape_asked(resource_type))

    return view


def _history(site: Site, resource_type: str) -> View:
    def view(id_: str) -> Response:
        must_be_id(id_)
        choose_format()
        pairs, strict = query_pairs(), _strict()
        return json_reply(
            searches.history(site, caller(), resource_type, id_, pairs, strict=strict)
        )

    return view


def _changes(site: Site, kinds: tuple[str, ...], place: str) -> View:
    def view() -> Response:
        choose_format()
        pairs = query_pairs()
        return json_reply(searches.changes(site, caller(), kinds, place, pairs, strict=_strict()))

    return view


def _search(site: Site, resource_type: str) -> View:
    def view() -> Response:
        choose_format()
        pairs = search_pairs()
        return json_reply(searches.search(site, caller(), resource_type, pairs, strict=_strict()))

    return view


def _strict() -> bool:
    """Whether the caller asks that an unknown parameter be an error."""
    return read_prefer(request.environ.get("HTTP_PREFER")).strict


def _create(site: Site, offer: Offer) -> View:
    base = fhir_base(site)

    def view() -> Response:
        choose_format()
        prefer = read_prefer(request.environ.get("HTTP_PREFER"))
        condition = request.environ.get("HTTP_IF_NONE_EXIST")
        kept = writing.create(site, caller(), offer, body(), condition)
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


def _conditional_update(site: Site, offer: Offer) -> View:
    base = fhir_base(site)

    def view() -> Response:
        choose_format()
        prefer = read_prefer(request.environ.get("HTTP_PREFER"))
        if_match = read_if_match(request.environ.get("HTTP_IF_MATCH"))
        pairs = searches.without(query_pairs(), searches.ABOUT_THE_ANSWER)
        kept = writing.conditional_update(site, caller(), offer, body(), pairs, if_match)
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
