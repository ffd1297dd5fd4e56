"""Rules of who answered, who wrote it down and who signed; and of the form in adaptive responses.

https://hl7.org/fhir/uv/sdc/STU4/StructureDefinition-sdc-questionnaireresponsecommon.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from fhir_service.fhir.resource_types import type_named
from fhir_service.sdc import extensions as ext
from fhir_service.sdc.validation.context import ROOT, Check
from fhir_service.sdc.validation.wording import OneOf

_ADAPTIVE = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaireresponse-adapt"


def claims(check: Check, profile: str) -> bool:
    """Whether the response says, in meta.profile, that it keeps this profile."""
    profiles = (check.response.body.meta or {}).get("profile", ())
    return any(one.partition("|")[0] == profile for one in profiles if one)


def performer_type(check: Check) -> None:
    """A11: who recorded the answers, else who gave them, is of a type that the form takes.

    https://hl7.org/fhir/uv/sdc/STU4/StructureDefinition-sdc-questionnaire-performerType.html
    """
    types = [str(one) for one in ext.values(check.form.plan.item.extensions, ext.PERFORMER_TYPE)]
    body = check.response.body
    name = "author" if body.author else "source"
    reference = body.author or body.source
    if not types or not reference:
        return
    given = type_named(str(reference.get("reference", ""))) or reference.get("type")
    if given is not None and given not in types:
        check.tell("performer-type", f"{ROOT}.{name}", types=OneOf(tuple(types)))


def one_source(check: Check) -> None:
    """A12 (sdcqr-3): the source stands in its element, or in the extension of R5."""
    body = check.response.body
    if body.source and _with_url(body.extension, ext.SOURCE_OF_R5):
        check.tell("source-twice", f"{ROOT}.source")


def adaptive_form(check: Check) -> None:
    """A13: an adaptive response contains its form, derived from another and without a url.

    https://hl7.org/fhir/uv/sdc/STU4/StructureDefinition-sdc-questionnaireresponse-adapt.html
    """
    if not claims(check, _ADAPTIVE):
        return
    named = check.response.questionnaire or ""
    for number, one in enumerate(check.response.body.contained or ()):
        if one.get("resourceType") == "Questionnaire" and named == f"#{one.get('id')}":
            place = f"{ROOT}.contained[{number}]"
            if not one.get("derivedFrom"):
                check.tell("adaptive-form-without-origin", place)
            if "url" in one:
                check.tell("adaptive-form-with-url", f"{place}.url")
            return
    check.tell("adaptive-form-not-contained", f"{ROOT}.questionnaire")


def signed(check: Check) -> None:
    """A14: a form that asks for a signature gets one, of the type it asks for.

    http://hl7.org/fhir/R4/extension-questionnaireresponse-signature.html
    """
    asked = check.form.plan.item.extensions.get(ext.SIGNATURE_REQUIRED, ())
    if asked and not has_signature(check.response.body.extension or (), asked):
        check.tell("signature-missing", ROOT)


def has_signature(
    extensions: Sequence[Mapping[str, Any]], asked: Sequence[Mapping[str, Any]]
) -> bool:
    """Whether one of these extensions is a signature of each type that is asked for."""
    given = [ext.value_of(one) for one in _with_url(extensions, ext.SIGNATURE)]
    found = [set(_codes(one.get("type", ()))) for one in given if isinstance(one, Mapping)]
    concepts = [ext.value_of(one) or {} for one in asked]
    wanted = [set(_codes(concept.get("coding", ()))) for concept in concepts]
    return all(any(not types or types & have for have in found) for types in wanted)


def _codes(codings: Iterable[Mapping[str, Any]]) -> Iterable[tuple[Any, Any]]:
    return ((coding.get("system"), coding.get("code")) for coding in codings)


def _with_url(extensions: Any, url: str) -> list[Mapping[str, Any]]:
    return [one for one in extensions or () if one.get("url") == url]


RULES: Final[tuple[Callable[[Check], None], ...]] = (
    performer_type,
    one_source,
    adaptive_form,
    signed,
)
