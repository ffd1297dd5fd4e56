"""Observation-based extraction: an answer with a code becomes an Observation.

https://hl7.org/fhir/uv/sdc/STU4/extraction.html#observation-based-extraction
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from fhir_service.fhir.primitives import CHECKS
from fhir_service.sdc import extensions as ext
from fhir_service.sdc.extraction.drafts import Drafts, Entry
from fhir_service.sdc.extraction.plan import OBSERVATION_EXTRACT
from fhir_service.sdc.extraction.visits import Ids, Visit
from fhir_service.sdc.item_reading import choice

Json = Mapping[str, Any]

_PART_OF: Final = frozenset(
    {
        "MedicationAdministration", "MedicationDispense", "MedicationStatement", "Procedure",
        "Immunization", "ImagingStudy",
    }
)  # fmt: skip
_BASED_ON: Final = frozenset(
    {
        "CarePlan", "DeviceRequest", "ImmunizationRecommendation", "MedicationRequest",
        "NutritionOrder", "ServiceRequest",
    }
)  # fmt: skip
_PERFORMERS: Final = frozenset(
    {"Practitioner", "PractitionerRole", "Organization", "CareTeam", "Patient", "RelatedPerson"}
)
_RELATED: Final = ("member", "component")


class Observing:
    """Makes the Observations of one response."""

    def __init__(self, response: Json, drafts: Drafts, ids: Ids) -> None:
        self._drafts = drafts
        self._ids = ids
        self._shared = _shared(response)
        self._after = _after(response)

    def run(self, root: Visit) -> None:
        """Add an entry for each answer that is asked for; a panel before its members."""
        place = root.place
        self._below(root, place.observed is True, place.categories, None)

    def _below(
        self,
        visit: Visit,
        on: bool,
        categories: tuple[Json, ...],
        parent: Entry | None,
    ) -> None:
        for one in visit.below:
            self._visit(one, on, categories, parent)

    def _visit(
        self,
        visit: Visit,
        on: bool,
        categories: tuple[Json, ...],
        parent: Entry | None,
    ) -> None:
        place = visit.place
        if place.observed is False or place.item is None:
            return
        related = place.observed if place.observed in _RELATED else None
        on = on or place.observed is True or related is not None
        categories = place.categories or categories
        codes = _codes(place.item.codes, on=on)
        if not codes:
            self._below(visit, on, categories, parent)
        elif place.item.type == "group":
            self._panel(visit, codes, on, categories, parent if related else None)
        else:
            made = self._question(visit, codes, categories, related, parent)
            self._below(visit, on, categories, made or parent)

    def _panel(
        self,
        visit: Visit,
        codes: list[Json],
        on: bool,
        categories: tuple[Json, ...],
        parent: Entry | None,
    ) -> None:
        """The Observation that a group stands for, where something belongs to it."""
        entry = self._entry(visit, codes, categories, 0)
        place_of = len(self._drafts.entries)
        self._below(visit, on, categories, entry)
        resource = entry.resource
        if "hasMember" in resource or "component" in resource:
            _derived_last(resource)
            self._drafts.entries.insert(place_of, entry)
            if parent is not None:
                _member(parent, entry)

    def _question(
        self,
        visit: Visit,
        codes: list[Json],
        categories: tuple[Json, ...],
        related: Any,
        parent: Entry | None,
    ) -> Entry | None:
        """An entry for each answer; the last one, for what lies in it."""
        made: Entry | None = None
        for number, answer in enumerate(visit.answers):
            value = self._value(visit, answer.value)
            if value is None:
                continue
            if related == "component" and parent is not None:
                name, found = value
                component = {"code": {"coding": codes}, name: found}
                parent.resource.setdefault("component", []).append(component)
                continue
            made = self._entry(visit, codes, categories, number)
            name, found = value
            made.resource[name] = found
            _derived_last(made.resource)
            self._drafts.add(made)
            if related == "member" and parent is not None:
                _member(parent, made)
        return made

    def _entry(
        self, visit: Visit, codes: list[Json], categories: tuple[Json, ...], number: int
    ) -> Entry:
        resource: dict[str, Any] = {
            "resourceType": "Observation",
            **{name: self._shared[name] for name in ("basedOn", "partOf") if name in self._shared},
            "status": "final",
        }
        if categories:
            resource["category"] = [dict(one) for one in categories]
        resource["code"] = {"coding": codes}
        resource |= self._after
        name = f"Observation{visit.path}#{number}"
        return Entry(name, resource, self._ids.new(name))

    def _value(self, visit: Visit, answer: Json) -> tuple[str, Any] | None:
        """(JSON name, value) of Observation.value[x] for an answer; None, and told, for none."""
        found = choice(answer, "value")
        item = visit.place.item
        if found is None or item is None:
            return None
        kind, value = found
        unit = ext.value(item.extensions, ext.UNIT)
        made = _as_value(kind, value, unit if isinstance(unit, Mapping) else None)
        if made is None:
            says = f"An answer of type {kind} is no value of an Observation."
            self._drafts.tell("extract-type", "not-supported", says, item.link_id)
        return made


def _codes(codes: tuple[Json, ...], *, on: bool) -> list[Json]:
    """The codes that are taken: those that say so themselves, else all where the item does."""
    marked = [
        one
        for one in codes
        if any(
            given.get("url") == OBSERVATION_EXTRACT and given.get("valueBoolean") is True
            for given in one.get("extension", ())
        )
    ]
    taken = marked or (codes if on else ())
    return [{name: value for name, value in one.items() if name != "extension"} for one in taken]


def _as_value(kind: str, value: Any, unit: Json | None) -> tuple[str, Any] | None:
    if kind in ("integer", "decimal"):
        return _number(kind, value, unit)
    if kind == "Coding":
        plain = {name: one for name, one in value.items() if name != "extension"}
        return "valueCodeableConcept", {"coding": [plain]}
    if kind in ("date", "dateTime"):
        return "valueDateTime", value
    if kind in ("string", "uri"):
        return "valueString", value
    if kind in ("boolean", "time", "Quantity"):
        return f"value{kind[0].upper()}{kind[1:]}", value
    return None


def _number(kind: str, value: Any, unit: Json | None) -> tuple[str, Any] | None:
    if unit is not None:
        shown = unit.get("display", unit.get("code"))
        parts = {"unit": shown, "system": unit.get("system"), "code": unit.get("code")}
        given = {name: one for name, one in parts.items() if one is not None}
        return "valueQuantity", {"value": value, **given}
    if kind == "integer":
        return "valueInteger", value
    return ("valueQuantity", {"value": value}) if isinstance(value, int | Decimal) else None


def _shared(response: Json) -> dict[str, Any]:
    """BasedOn and partOf of the response, as far as an Observation takes them."""
    made = {}
    for name, types in (("basedOn", _BASED_ON), ("partOf", _PART_OF)):
        kept = [one for one in response.get(name, ()) if type_of(one) in types]
        if kept:
            made[name] = kept
    return made


def _after(response: Json) -> dict[str, Any]:
    """What every Observation takes over from the response, after its code."""
    made: dict[str, Any] = {}
    for name in ("subject", "encounter"):
        if isinstance(response.get(name), Mapping):
            made[name] = response[name]
    authored = response.get("authored")
    if isinstance(authored, str):
        made["effectiveDateTime"] = authored
        if CHECKS["instant"](authored):
            made["issued"] = authored
    performers = list(_performers(response))
    if performers:
        made["performer"] = performers
    reference = reference_of(response)
    if reference is not None:
        made["derivedFrom"] = [reference]
    return made


def _performers(response: Json) -> Iterator[Json]:
    """The author, else who answered."""
    for name in ("author", "source"):
        one = response.get(name)
        if isinstance(one, Mapping) and type_of(one) in _PERFORMERS:
            yield one
            return


def reference_of(response: Json) -> dict[str, Any] | None:
    """A reference to a response; None for one that has no id yet."""
    id_ = response.get("id")
    return {"reference": f"QuestionnaireResponse/{id_}"} if isinstance(id_, str) else None


def type_of(reference: Any) -> str | None:
    """The type of resource that a reference names."""
    if not isinstance(reference, Mapping):
        return None
    text = reference.get("reference")
    parts = text.partition("/_history/")[0].split("/") if isinstance(text, str) else []
    return parts[-2] if len(parts) > 1 else reference.get("type")


def _member(parent: Entry, entry: Entry) -> None:
    parent.resource.setdefault("hasMember", []).append({"reference": entry.full_url})


def _derived_last(resource: dict[str, Any]) -> None:
    """Put derivedFrom after the value and the members, where FHIR has it."""
    for name in ("derivedFrom", "component"):
        if name in resource:
            resource[name] = resource.pop(name)
