"""ConceptMap/$translate over the maps that are stored here.

http://hl7.org/fhir/R4/conceptmap-operation-translate.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fhir_service.fhir.canonical import read_canonical
from fhir_service.fhir.issues import Issue, NotHere, NotUnderstood
from fhir_service.fhir.parameters import parameter, parameters, parts
from fhir_service.fhir.places import objects
from fhir_service.fhir.reading import read_stored
from fhir_service.fhir.searching import read_search
from fhir_service.sdc.extraction.translating import Concepts, Target, read_concept_map
from fhir_service.workflow import read
from fhir_service.workflow.caller import Caller
from fhir_service.workflow.site import Site

Json = Mapping[str, Any]

_NOT_FOUND = frozenset({"unmatched", "disjoint"})
_MOST_MAPS = 50


def translated(
    site: Site, caller: Caller, given: Mapping[str, Any], id_: str | None = None
) -> dict[str, Any]:
    """The Parameters with ``result`` and every ``match``, in the order of the maps.

    ``given`` are the parameters by name; ``id_`` is that of the map that the operation was called
    on. Without a map all stored ones are looked through. Raises NotAllowed, NotHere (no such
    map), NotUnderstood where it is not said what is to be translated.
    """
    caller.must("ConceptMap", "r", "s")
    codings = _asked(given)
    reverse = given.get("reverse", False)
    wanted = given.get("targetsystem")
    matches: list[dict[str, Any]] = []
    found = False
    for resource in _maps(site, caller, given, id_):
        if not _fits(resource, given, reverse=reverse):
            continue
        concepts = _backwards(resource) if reverse else read_concept_map(resource)
        for coding in codings:
            for target in concepts.targets.get((coding.get("system"), coding["code"]), ()):
                if wanted in (None, target.coding.get("system")):
                    found = found or target.equivalence not in _NOT_FOUND
                    matches.append(_match(target, resource))
    says = None if matches else "No map that is stored here translates it."
    return parameters(
        parameter("result", "boolean", found),
        parameter("message", "string", says) if says else None,
        *matches,
    )


def _asked(given: Mapping[str, Any]) -> list[Json]:
    """The Codings to translate; raises NotUnderstood for none, or for more than one way."""
    ways = [name for name in ("code", "coding", "codeableConcept") if name in given]
    if len(ways) != 1:
        raise _bad("Exactly one of code (with system), coding and codeableConcept is given.")
    if ways == ["code"]:
        if "system" not in given:
            raise _bad("A code is given with its system.")
        return [{"system": given["system"], "code": given["code"]}]
    listed = [given["coding"]] if ways == ["coding"] else given["codeableConcept"].get("coding")
    codings = [one for one in objects(listed) if isinstance(one.get("code"), str)]
    if not codings:
        raise _bad("There is no code in what is to be translated.")
    return codings


def _maps(site: Site, caller: Caller, given: Mapping[str, Any], id_: str | None) -> Iterator[Json]:
    """The one map that is named, or all of them."""
    if id_ is not None:
        yield read_stored(read.read(site, caller, "ConceptMap", id_).body)
    elif "conceptMap" in given:
        if given["conceptMap"].get("resourceType") != "ConceptMap":
            raise _bad("conceptMap holds a ConceptMap.")
        yield given["conceptMap"]
    elif "url" in given:
        named = read_canonical(given["url"])
        version = given.get("conceptMapVersion") or (named.version if named else None)
        stored = None
        if named is not None and named.url:
            stored = site.desk.reading().canonical("ConceptMap", named.url, version)
        if stored is None:
            raise NotHere(f"The concept map {given['url']} is not stored here.")
        yield read_stored(stored.body)
    else:
        search, _ = read_search("ConceptMap", [("status", "active")], default_count=_MOST_MAPS)
        for one in read.search(site, caller, search).found:
            yield read_stored(one.body)


def _fits(resource: Json, given: Mapping[str, Any], *, reverse: bool) -> bool:
    """Whether a map leads from ``source`` to ``target``, where these value sets are named."""
    ends = [_end(resource, "source"), _end(resource, "target")]
    if reverse:
        ends.reverse()
    return all(
        name not in given or end is None or given[name].partition("|")[0] == end
        for name, end in zip(("source", "target"), ends, strict=True)
    )


def _end(resource: Json, name: str) -> str | None:
    text = resource.get(f"{name}Canonical", resource.get(f"{name}Uri"))
    return text.partition("|")[0] if isinstance(text, str) else None


_TURNED = {
    "wider": "narrower",
    "subsumes": "specializes",
    "narrower": "wider",
    "specializes": "subsumes",
}


def _backwards(resource: Json) -> Concepts:
    """The map read from its targets to its sources."""
    targets: dict[tuple[str | None, str], list[Target]] = {}
    for (system, code), each in read_concept_map(resource).targets.items():
        for one in each:
            key = one.coding.get("system"), one.coding["code"]
            coding = {"system": system, "code": code} if system else {"code": code}
            turned = _TURNED.get(one.equivalence, one.equivalence)
            targets.setdefault(key, []).append(Target(coding, turned))
    return Concepts(resource.get("url"), {key: tuple(each) for key, each in targets.items()})


def _match(target: Target, resource: Json) -> dict[str, Any]:
    source = resource.get("url")
    return parts(
        "match",
        parameter("equivalence", "code", target.equivalence),
        parameter("concept", "Coding", target.coding),
        *(_product(one) for one in target.products),
        parameter("source", "uri", source) if isinstance(source, str) else None,
    )


def _product(one: Json) -> dict[str, Any]:
    coding = {"system": one.get("system"), "code": one.get("value"), "display": one.get("display")}
    plain = {name: value for name, value in coding.items() if value is not None}
    return parts(
        "product",
        parameter("element", "uri", one.get("property")),
        parameter("concept", "Coding", plain),
    )


def _bad(says: str) -> NotUnderstood:
    return NotUnderstood(says, Issue("parameter", "required", says, expression="Parameters"))
