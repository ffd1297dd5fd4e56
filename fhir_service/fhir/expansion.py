"""$expand: a value set as the flat list of its codes.

http://hl7.org/fhir/R4/valueset-operation-expand.html
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fhir_service.fhir.designations import designations, display, languages, matches
from fhir_service.fhir.issues import Issue, NotUnderstood
from fhir_service.fhir.parameters import Accepts
from fhir_service.fhir.terminology import Json
from fhir_service.fhir.value_set_filters import cannot
from fhir_service.fhir.value_sets import Composer, Member

EXPAND: Mapping[str, Accepts] = {
    "url": Accepts("uri"),
    "valueSet": Accepts("resource"),
    "valueSetVersion": Accepts("string"),
    "filter": Accepts("string"),
    "offset": Accepts("integer"),
    "count": Accepts("integer"),
    "includeDesignations": Accepts("boolean"),
    "includeDefinition": Accepts("boolean"),
    "activeOnly": Accepts("boolean"),
    "excludeNested": Accepts("boolean"),
    "excludeNotForUI": Accepts("boolean"),
    "excludePostCoordinated": Accepts("boolean"),
    "displayLanguage": Accepts("code"),
}
"""What $expand takes here. The expansion is always flat, so ``excludeNested`` changes nothing."""

MOST_AT_ONCE = 10_000
"""Codes in one answer; larger value sets are read page by page."""

_SCORES = frozenset(
    {
        "http://hl7.org/fhir/StructureDefinition/ordinalValue",
        "http://hl7.org/fhir/StructureDefinition/itemWeight",
    }
)
_NOT_REPEATED = frozenset({"text", "compose", "expansion", "contained"})


@dataclass(frozen=True, slots=True)
class Asked:
    """How the value set is to be expanded; ``count`` None is all, 0 the total alone."""

    text: str | None = None
    offset: int = 0
    count: int | None = None
    active_only: bool = False
    selectable_only: bool = False
    with_designations: bool = False
    with_definition: bool = False
    language: str | None = None
    paged: bool = False


def asked(given: Mapping[str, Any]) -> Asked:
    """What the parameters of $expand (as ``read_parameters`` gives them) ask for.

    Raises NotUnderstood for a count or offset below 0.
    """
    for name in ("count", "offset"):
        if given.get(name, 0) < 0:
            says = f"{name} is 0 or more."
            raise NotUnderstood(says, Issue(key="parameter", code="value", says=says))
    return Asked(
        text=given.get("filter"),
        offset=given.get("offset", 0),
        count=given.get("count"),
        active_only=given.get("activeOnly", False),
        selectable_only=given.get("excludeNotForUI", False),
        with_designations=given.get("includeDesignations", False),
        with_definition=given.get("includeDefinition", False),
        language=given.get("displayLanguage"),
        paged="offset" in given or "count" in given,
    )


def expand(value_set: Json, ask: Asked, composer: Composer, now: datetime) -> dict[str, Any]:
    """The ValueSet (R4 JSON) with its expansion; ``total`` counts what matches, on all pages.

    The identifier is the same for all pages of the same list. Raises NotValid when the value set
    can not be computed whole, or is too large to be given at once (``too-costly``).
    """
    chosen = [one for one in composer.members(value_set).values() if _is_asked(one, ask)]
    count = len(chosen) if ask.count is None else ask.count
    if min(count, len(chosen) - ask.offset) > MOST_AT_ONCE:
        raise cannot(
            f"{len(chosen)} codes match; ask for at most {MOST_AT_ONCE} at once (count, offset).",
            "expansion-too-costly",
            "too-costly",
        )
    page = chosen[ask.offset : ask.offset + count]
    wanted = languages(ask.language)
    expansion: dict[str, Any] = {
        "identifier": _identifier(value_set, chosen, ask),
        "timestamp": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "total": len(chosen),
        **({"offset": ask.offset} if ask.paged else {}),
        "parameter": _parameters(ask, chosen, composer.unknown_codes),
    }
    if page:
        expansion["contains"] = [_contains(one, ask, wanted) for one in page]
    kept = {key: value for key, value in value_set.items() if _is_repeated(key, ask)}
    return {**kept, "resourceType": "ValueSet", "expansion": expansion}


def _is_asked(member: Member, ask: Asked) -> bool:
    if ask.active_only and member.inactive:
        return False
    if ask.selectable_only and member.abstract:
        return False
    return ask.text is None or matches(member, ask.text)


def _is_repeated(key: str, ask: Asked) -> bool:
    if key in {"compose", "contained"}:
        return ask.with_definition
    return key not in _NOT_REPEATED


def _contains(member: Member, ask: Asked, wanted: Sequence[str]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    scores = [one for one in _extensions(member) if one.get("url") in _SCORES]
    if scores:
        made["extension"] = scores
    made["system"] = member.system
    if member.abstract:
        made["abstract"] = True
    if member.inactive:
        made["inactive"] = True
    if member.version:
        made["version"] = member.version
    made["code"] = member.code
    word = display(member, wanted)
    if word:
        made["display"] = word
    if ask.with_designations and (others := designations(member)):
        made["designation"] = others
    return made


def _extensions(member: Member) -> list[Json]:
    listed = list(member.listed.get("extension", ()))
    return listed or list(member.concept.raw.get("extension", ()) if member.concept else ())


def _parameters(
    ask: Asked, chosen: Sequence[Member], unknown_codes: Sequence[str]
) -> list[dict[str, Any]]:
    """What was used to make this list, so that a reader can tell what it is."""
    made: list[dict[str, Any]] = [{"name": "excludeNested", "valueBoolean": True}]
    if ask.text is not None:
        made.append({"name": "filter", "valueString": ask.text})
    if ask.paged:
        made.append({"name": "offset", "valueInteger": ask.offset})
    if ask.count is not None:
        made.append({"name": "count", "valueInteger": ask.count})
    if ask.active_only:
        made.append({"name": "activeOnly", "valueBoolean": True})
    if ask.selectable_only:
        made.append({"name": "excludeNotForUI", "valueBoolean": True})
    if ask.with_designations:
        made.append({"name": "includeDesignations", "valueBoolean": True})
    if ask.language:
        made.append({"name": "displayLanguage", "valueString": ask.language})
    used = dict.fromkeys(
        f"{one.system}|{one.version}" if one.version else one.system for one in chosen
    )
    made += [{"name": "used-codesystem", "valueUri": canonical} for canonical in used]
    made += [
        {"name": "warning", "valueString": f"Not a code of its code system, left out: {code}"}
        for code in dict.fromkeys(unknown_codes)
    ]
    return made


def _identifier(value_set: Json, chosen: Sequence[Member], ask: Asked) -> str:
    told = [str(value_set.get("url", "")), str(value_set.get("version", "")), str(ask.language)]
    told += [f"{one.system}|{one.version}|{one.code}" for one in chosen]
    return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, chr(0).join(told))}"
