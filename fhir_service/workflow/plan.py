"""Which route of a target can be taken at this EHR, as its CapabilityStatement says.

A route that the EHR does not declare is not taken; what it does not declare beside it
(conditional create, search by identifier, update) is left out of the route.
http://hl7.org/fhir/R4/capabilitystatement.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fhir_service.workflow.targets import Route, Target

_R4 = ("4.0", "4.3")


@dataclass(frozen=True, slots=True)
class Planned:
    """One route against one EHR: as it would be taken, or why it can not be.

    ``fields`` names each element that is sent, with its value where that is fixed; ``lost`` says
    what would not arrive.
    """

    route: Route
    possible: bool
    because: tuple[str, ...]
    fields: tuple[str, ...]
    lost: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """All routes of a target, and the first that is possible; None where none is."""

    target: Target
    planned: tuple[Planned, ...]

    @property
    def chosen(self) -> Planned | None:
        """The first possible route."""
        return next((one for one in self.planned if one.possible), None)


@dataclass(frozen=True, slots=True)
class Declared:
    """What a CapabilityStatement says of one resource type."""

    interactions: frozenset[str] = frozenset()
    parameters: frozenset[str] = frozenset()
    conditional_create: bool = False


def declared(statement: Mapping[str, Any], resource_type: str) -> Declared:
    """What the EHR says it does with this type; nothing where it does not name it."""
    for rest in _dicts(statement.get("rest")):
        if rest.get("mode", "server") != "server":
            continue
        for resource in _dicts(rest.get("resource")):
            if resource.get("type") == resource_type:
                return Declared(
                    frozenset(str(i.get("code")) for i in _dicts(resource.get("interaction"))),
                    frozenset(str(p.get("name")) for p in _dicts(resource.get("searchParam"))),
                    resource.get("conditionalCreate") is True,
                )
    return Declared()


def plan(target: Target, statement: Mapping[str, Any] | None) -> Plan:
    """Every route of the target against this statement; None: there is no EHR, folders alone."""
    return Plan(target, tuple(_planned(route, statement) for route in target.routes))


def _planned(route: Route, statement: Mapping[str, Any] | None) -> Planned:
    if route.kind == "folder":
        return Planned(route, True, (), _fields(route), route.lost)
    if statement is None:
        return Planned(route, False, ("no EHR is configured (EHR_BASE)",), (), ())
    reasons = _reasons(route, statement)
    able, lost = _able(route, statement)
    return Planned(able, not reasons, reasons, _fields(able), (*route.lost, *lost))


def _reasons(route: Route, statement: Mapping[str, Any]) -> tuple[str, ...]:
    """Why the route can not be taken; nothing where it can."""
    reasons = []
    version = str(statement.get("fhirVersion", ""))
    if not version.startswith(_R4):
        reasons.append(f"the EHR speaks FHIR {version or 'of no version'}, not R4")
    if "create" not in declared(statement, route.resource_type).interactions:
        reasons.append(f"{route.resource_type} can not be created")
    if route.encounter == "required":
        visits = declared(statement, "Encounter").interactions
        if not visits & {"read", "search-type"}:
            reasons.append("an Encounter is needed, and none can be read")
    return tuple(reasons)


def _able(route: Route, statement: Mapping[str, Any]) -> tuple[Route, tuple[str, ...]]:
    """The route without what this EHR does not declare, and what that costs."""
    there = declared(statement, route.resource_type)
    lost = []
    searched = {"search-type"} <= there.interactions and "identifier" in there.parameters
    conditional = route.conditional_create and route.identifier and there.conditional_create
    read_back = route.read_back and route.identifier and searched
    if not read_back:
        lost.append("a lost answer can not be looked up: a person decides")
    withdrawal = route.withdrawal
    if withdrawal == "update" and not {"update", "read"} <= there.interactions:
        withdrawal = "by-hand"
    if withdrawal == "by-hand":
        lost.append("a response entered in error is withdrawn by hand")
    if route.replacement != "relates-to":
        lost.append(
            "an amended response makes another note beside the first"
            if route.replacement == "new-note"
            else "an amended response is filed by hand"
        )
    able = replace(
        route, conditional_create=conditional, read_back=read_back, withdrawal=withdrawal
    )
    return able, tuple(lost)


def _fields(route: Route) -> tuple[str, ...]:
    if route.kind == "folder":
        return tuple(f"file {one.rendering} ({one.content_type})" for one in route.contents)
    if route.kind == "response":
        return _response_fields(route)
    if route.kind == "document":
        return ("identifier", "type = document", "entry = Composition and what it names")
    return _note_fields(route)


def _response_fields(route: Route) -> tuple[str, ...]:
    found = ["questionnaire", "status", "subject = Patient/{id at the EHR}", "authored", "item"]
    if route.identifier:
        found.insert(0, "identifier")
    if route.encounter != "never":
        found.append(f"encounter ({route.encounter})")
    return tuple(found)


def _note_fields(route: Route) -> tuple[str, ...]:
    types = " ".join(f"{one.system}|{one.code}" for one in route.type_codes)
    found = [
        "status = current",
        f"type = {types}",
        "subject = Patient/{id at the EHR}",
        "date",
        "description",
    ]
    if route.identifier:
        found.insert(0, "identifier")
    if route.doc_status:
        found.append(f"docStatus = {route.doc_status}")
    found += [f"category = {one.system}|{one.code}" for one in route.categories]
    if route.author == "patient":
        found.append("author = Patient/{id at the EHR}")
    if route.patient_asserted:
        found.append("meta.security = PATAST")
    if route.encounter != "never":
        found.append(f"context.encounter ({route.encounter})")
    if route.period != "never":
        found.append(f"context.period ({route.period})")
    found += [
        f"content: {one.rendering} as {one.content_type}, at most {one.most_bytes} bytes"
        for one in route.contents
    ]
    if route.conditional_create:
        found.append("header If-None-Exist")
    return tuple(found)


def _dicts(value: Any) -> Sequence[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
