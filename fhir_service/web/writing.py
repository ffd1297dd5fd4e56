"""Create and update with their conditions; by themselves or as entries of a Bundle.

http://hl7.org/fhir/R4/http.html#ccreate and http://hl7.org/fhir/R4/http.html#cond-update
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import parse_qsl

import msgspec

from fhir_service.fhir.issues import NotOffered, NotUnderstood
from fhir_service.fhir.splice import with_id
from fhir_service.web.table import Offer
from fhir_service.workflow import conditional
from fhir_service.workflow.caller import Caller
from fhir_service.workflow.site import Site
from fhir_service.workflow.telling import Kept

Pairs = Sequence[tuple[str, str]]


class _Id(msgspec.Struct):
    id: str | None = None


def create(
    site: Site, caller: Caller, offer: Offer, body: bytes, if_none_exist: str | None = None
) -> Kept:
    """Create, or with ``if_none_exist`` (the parameters of a search) what is there already.

    Raises what the use case raises; NotUnderstood for a condition that is none; Stale when
    several resources match it.
    """
    make = offer.create
    if make is None:
        raise NotOffered(f"{offer.resource_type} can not be created here.")
    if if_none_exist is None:
        return make(site, caller, body)
    pairs = _pairs(if_none_exist)
    asked = conditional.condition(site, caller, offer.resource_type, pairs)
    return conditional.create(site, caller, asked, lambda inner: make(inner, caller, body))


def condition_of(
    site: Site, caller: Caller, kind: str, if_none_exist: str | None, pairs: Pairs
) -> conditional.Condition | None:
    """The condition of an entry, by If-None-Exist or by the parameters in its address."""
    given = _pairs(if_none_exist) if if_none_exist is not None else pairs
    return conditional.condition(site, caller, kind, given) if given else None


def conditional_update(
    site: Site,
    caller: Caller,
    offer: Offer,
    body: bytes,
    pairs: Pairs,
    if_match: int | None = None,
) -> Kept:
    """Update the one resource that matches; create one where none does.

    Raises NotUnderstood where the body has another id, and Stale when several match.
    """
    update, make = offer.update, offer.create
    if update is None or make is None:
        raise NotOffered(f"{offer.resource_type} can not be updated by a condition here.")
    asked = conditional.condition(site, caller, offer.resource_type, pairs)
    id_ = _id(body)
    there = asked.match(site.desk.reading())
    if there is None:
        return conditional.create(
            site,
            caller,
            asked,
            lambda inner: (
                make(inner, caller, body)
                if id_ is None
                else update(inner, caller, id_, body, if_match)
            ),
        )
    if id_ not in (None, there.id):
        raise NotUnderstood("The body's id is not that of the resource that matches.")
    named = body if id_ else with_id(body, there.id)
    return update(site, caller, there.id, named, if_match)


def _id(body: bytes) -> str | None:
    try:
        return msgspec.json.decode(body, type=_Id).id
    except msgspec.MsgspecError:
        return None  # the use case says what is wrong with it


def _pairs(text: str) -> list[tuple[str, str]]:
    """The parameters of If-None-Exist, with or without what stands before the question mark."""
    query = text.partition("?")[2] if "?" in text else text
    try:
        return parse_qsl(query, keep_blank_values=True, strict_parsing=True, errors="strict")
    except ValueError:
        raise NotUnderstood("If-None-Exist takes search parameters: identifier=a|b") from None
