"""What comes with the results of a search: what they refer to, and their Provenance.

Only what the caller may read by itself is added; the rest is as if it were not there.
http://hl7.org/fhir/R4/search.html#include
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

from fhir_service.fhir.canonical import read_canonical
from fhir_service.fhir.indexing import local, values_of
from fhir_service.fhir.issues import NotAllowed, Refusal
from fhir_service.fhir.search_parameters import PARAMETERS, parameter_of
from fhir_service.fhir.searching import Criterion, Search, Shape
from fhir_service.workflow import read
from fhir_service.workflow.caller import Caller
from fhir_service.workflow.ports import Stored
from fhir_service.workflow.site import Site
from fhir_service.workflow.telling import saw

MOST: Final = 400
"""How many resources are added to a page at most."""


def included(site: Site, caller: Caller, found: Sequence[Stored], shape: Shape) -> list[Stored]:
    """The resources that these refer to by the parameters asked for, then their Provenances."""
    known = {(one.resource_type, one.id) for one in found}
    added: list[Stored] = []
    for one in _referred(site, caller, found, shape.include):
        if (one.resource_type, one.id) not in known and len(added) < MOST:
            known.add((one.resource_type, one.id))
            added.append(one)
    if shape.provenance:
        added += _provenances(site, caller, found)
    return added


def _referred(
    site: Site, caller: Caller, found: Iterable[Stored], follow: Sequence[tuple[str, str]]
) -> Iterator[Stored]:
    asked: set[tuple[str, str]] = set()
    for one in found:
        body = msgspec.json.decode(one.body) if follow else {}
        for name, target in follow:
            parameter = parameter_of(one.resource_type, name)
            if parameter is None:
                continue
            for value in values_of(body, parameter):
                if (value.text, target) not in asked:
                    asked.add((value.text, target))
                    named = _named(site, caller, value.text, target)
                    if named is not None:
                        yield named


def _named(site: Site, caller: Caller, reference: str, target: str) -> Stored | None:
    """What a reference, or the canonical of a form, leads to; None if not to something here.

    ``target`` is the one type that is wanted, "" for any; another is not even read.
    """
    kind, _, id_ = _relative(site, reference).rpartition("/")
    try:
        if kind in PARAMETERS:
            return read.read(site, caller, kind, id_) if target in ("", kind) else None
        return _form(site, caller, reference) if target in ("", "Questionnaire") else None
    except Refusal:
        return None


def _relative(site: Site, reference: str) -> str:
    plain = local(reference)
    bases = (f"{site.base_url}/fhir", *site.patient_bases)
    return next(
        (plain.removeprefix(f"{base}/") for base in bases if plain.startswith(f"{base}/")), plain
    )


def _form(site: Site, caller: Caller, reference: str) -> Stored | None:
    canonical = read_canonical(reference)
    if canonical is None:
        return None
    caller.must("Questionnaire", "r", "s")
    form = site.desk.reading().canonical("Questionnaire", canonical.url, canonical.version)
    if form is not None:
        saw(caller, form)
    return form


def _provenances(site: Site, caller: Caller, found: Iterable[Stored]) -> list[Stored]:
    targets = tuple(f"{one.resource_type}/{one.id}" for one in found)
    if not targets:
        return []
    search = Search("Provenance", (Criterion("target", "reference", targets),), count=MOST)
    try:
        return list(read.search(site, caller, search).found)
    except NotAllowed:
        return []
