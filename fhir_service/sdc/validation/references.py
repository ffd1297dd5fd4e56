"""Rules of references: a sound address, a type that is allowed, a target that is there.

http://hl7.org/fhir/R4/references.html#Reference,
http://hl7.org/fhir/R4/extension-questionnaire-referenceresource.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from fhir_service.fhir.resource_types import is_reference, type_named
from fhir_service.sdc import extensions as ext
from fhir_service.sdc.validation.context import Answered, Check, Place
from fhir_service.sdc.validation.wording import OneOf


def well_formed(check: Check, answered: Answered, place: Place) -> None:
    """F15: the address is ``#id``, ``Type/id`` of a known type, or absolute."""
    address = _address(answered)
    if address is not None and not is_reference(address):
        check.tell("reference-malformed", place, answered.plan)


def contained_target(check: Check, answered: Answered, place: Place) -> None:
    """F16: what ``#id`` names is contained in the response."""
    address = _address(answered)
    if address is None or not address.startswith("#") or len(address) == 1:
        return
    if _contained(check, address) is None:
        check.tell("reference-not-contained", place, answered.plan)


def type_agrees(check: Check, answered: Answered, place: Place) -> None:
    """F16: the type that is stated is that of the address."""
    address, stated = _address(answered), _stated(answered)
    if address is None or stated is None:
        return
    named = _named(check, address)
    if named is not None and named != stated:
        check.tell("reference-type-differs", place, answered.plan)


def type_allowed(check: Check, answered: Answered, place: Place) -> None:
    """F15: the target is of one of the types in referenceResource."""
    allowed = [str(one) for one in _asked(answered, ext.REFERENCE_RESOURCE)]
    if not allowed:
        return
    address = _address(answered)
    named = (None if address is None else _named(check, address)) or _stated(answered)
    types = OneOf(tuple(allowed))
    if named is None:
        check.tell("reference-resource-unknown", place, answered.plan, types=types)
    elif named not in allowed and "Resource" not in allowed:
        check.tell("reference-resource", place, answered.plan, types=types)


def profile_kept(check: Check, answered: Answered, place: Place) -> None:
    """F17: whether the target keeps the profile is not looked at here, and this is told."""
    asked = [str(one) for one in _asked(answered, ext.REFERENCE_PROFILE)]
    if asked:
        check.tell("reference-profile-unknown", place, answered.plan, profiles=", ".join(asked))


def _asked(answered: Answered, url: str) -> tuple[Any, ...]:
    return ext.values(answered.plan.item.extensions, url)


def _address(answered: Answered) -> str | None:
    address = answered.value.get("reference")
    return address if isinstance(address, str) else None


def _stated(answered: Answered) -> str | None:
    """Reference.type: a name, or the address of the type's definition."""
    stated = answered.value.get("type")
    return stated.rpartition("/")[2] if isinstance(stated, str) else None


def _named(check: Check, address: str) -> str | None:
    if not address.startswith("#"):
        return type_named(address)
    return (_contained(check, address) or {}).get("resourceType")


def _contained(check: Check, address: str) -> Mapping[str, Any] | None:
    contained = check.response.body.contained or ()
    return next((one for one in contained if one.get("id") == address[1:]), None)


RULES: Final[tuple[Callable[[Check, Answered, Place], None], ...]] = (
    well_formed,
    contained_target,
    type_agrees,
    type_allowed,
    profile_kept,
)
