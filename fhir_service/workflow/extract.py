"""$extract: the answers of a response as resources, in a transaction that can be sent as it is.

Nothing is stored and nothing is sent from here.
https://hl7.org/fhir/uv/sdc/STU4/OperationDefinition-QuestionnaireResponse-extract.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from fhir_service.fhir.canonical import read_canonical
from fhir_service.fhir.issues import Issue, NotUnderstood, NotValid, operation_outcome
from fhir_service.fhir.parameters import Accepts, parameter, parameters, read_parameters
from fhir_service.fhir.places import objects
from fhir_service.fhir.reading import MOST_ITEM_LEVELS, read_stored
from fhir_service.fhir.splice import with_identity
from fhir_service.sdc.compiled import Form, compile_form
from fhir_service.sdc.extraction import Concepts, Extracted, read_concept_map
from fhir_service.sdc.extraction import extract as of_form
from fhir_service.sdc.form_rules import check_questionnaire
from fhir_service.sdc.responses import decode
from fhir_service.workflow import read
from fhir_service.workflow.caller import Caller
from fhir_service.workflow.checking import form_of
from fhir_service.workflow.ports import Reader, Stored
from fhir_service.workflow.site import Site

__all__ = ["EXTRACT", "Extracted", "extract", "extracted", "of_stored"]

EXTRACT: Final[Mapping[str, Accepts]] = {
    "questionnaire-response": Accepts("resource"),
    "questionnaire": Accepts("resource"),
    "provenance": Accepts("boolean"),
    "conditional": Accepts("boolean"),
}
"""The parameters; all but the first are our own, and may be left out."""

_NOT_FINAL: Final = frozenset({"in-progress", "stopped", "entered-in-error"})


def extract(
    site: Site,
    caller: Caller,
    id_: str,
    *,
    provenance: bool = True,
    conditional: bool = False,
) -> Extracted:
    """The transaction of the current version of a stored response.

    ``provenance`` adds the Provenance as an entry of its own; ``conditional`` gives each new
    resource an identifier and ifNoneExist, so that sending it again makes nothing twice, and
    names the patient by an identifier of hers (a conditional reference) where one is known. Raises
    NotAllowed, NotHere, Gone. What can not be extracted is told in the issues.
    """
    stored = read.read(site, caller, "QuestionnaireResponse", id_)
    made = of_stored(site, stored, provenance=provenance, conditional=conditional)
    if conditional and stored.patient is not None:
        _refer_by_identifier(site, made.bundle, stored.patient)
    return made


def of_stored(
    site: Site, stored: Stored, *, provenance: bool = True, conditional: bool = False
) -> Extracted:
    """As ``extract``, of a version that was read already, by one who may read it.

    The patient is named by her id here: who sends it on knows what she is called there.
    """
    body = with_identity(stored.body, stored.id, stored.version, stored.last_updated)
    response = read_stored(body)
    form = form_of(site, decode(stored.body, MOST_ITEM_LEVELS))
    return _extracted(
        site, response, form, stored.last_updated, provenance=provenance, conditional=conditional
    )


def _refer_by_identifier(site: Site, bundle: dict[str, Any], patient: str) -> None:
    """Name the patient by an identifier of hers, where we know one: her id may differ elsewhere.

    http://hl7.org/fhir/R4/http.html#trules: the receiver looks conditional references up.
    """
    known = site.desk.reading().read("Patient", patient)
    if known is None or known.deleted:
        return
    for one in objects(read_stored(known.body).get("identifier")):
        system, value = one.get("system"), one.get("value")
        here = site.ehr is not None and system == site.ehr.base  # our note of her id there
        if isinstance(system, str) and isinstance(value, str) and not here:
            query = f"Patient?identifier={quote(system, safe=':/')}|{quote(value, safe='')}"
            _replace(bundle, f"Patient/{patient}", query)
            return


def _replace(element: Any, reference: str, other: str) -> None:
    for inner in element.values() if isinstance(element, dict) else element:
        if isinstance(inner, dict | list):
            _replace(inner, reference, other)
    if isinstance(element, dict) and element.get("reference") == reference:
        element["reference"] = other


def extracted(
    site: Site, caller: Caller, sent: Mapping[str, Any], id_: str | None = None
) -> dict[str, Any]:
    """The Parameters with ``return``, and ``issues`` where there are some.

    ``id_`` is that of the stored response that the operation was called on; without it the
    response is given as ``questionnaire-response``, with its form beside it or stored here.
    Raises NotUnderstood, NotValid for a response or form that is not sound, NotAllowed, NotHere.
    """
    if sent.get("resourceType") == "QuestionnaireResponse":  # the one parameter of the standard
        sent = parameters(parameter("questionnaire-response", "resource", sent))
    given = read_parameters(sent, EXTRACT)
    flags = {
        "provenance": given.get("provenance", True),
        "conditional": given.get("conditional", False),
    }
    if id_ is not None:
        if "questionnaire-response" in given:
            raise NotUnderstood(
                "The response is named by the address; leave the parameter out.",
                expression="Parameters.parameter",
            )
        made = extract(site, caller, id_, **flags)
    else:
        made = _given(site, caller, given, flags)
    return parameters(
        parameter("return", "resource", made.bundle),
        parameter("issues", "resource", operation_outcome(made.issues)) if made.issues else None,
    )


def _given(
    site: Site, caller: Caller, given: Mapping[str, Any], flags: Mapping[str, bool]
) -> Extracted:
    """The transaction of a response that was sent along."""
    caller.must("QuestionnaireResponse", "r", "s")
    if "questionnaire-response" not in given:
        raise NotUnderstood(
            "The parameter questionnaire-response holds the response.",
            expression="Parameters.parameter",
        )
    sent = given["questionnaire-response"]
    decoded = decode(_encoded(sent), site.max_item_depth)
    response = decoded.plain()
    form: Form | Issue
    if "questionnaire" in given:
        form = _inline(site, given["questionnaire"])
    else:
        caller.must("Questionnaire", "r", "s")
        form = form_of(site, decoded)
    return _extracted(site, response, form, _written(site, response), **flags)


def _encoded(resource: Mapping[str, Any]) -> bytes:
    import msgspec  # noqa: PLC0415  keeps the start quick

    return msgspec.json.Encoder(decimal_format="number").encode(resource)


def _inline(site: Site, resource: Any) -> Form:
    if not isinstance(resource, Mapping) or resource.get("resourceType") != "Questionnaire":
        raise NotUnderstood("questionnaire holds a Questionnaire.", expression="Parameters")
    found = check_questionnaire(dict(resource), item_levels=site.max_item_depth)
    errors = [one for one in found if one.severity in ("error", "fatal")]
    if errors:
        raise NotValid("The questionnaire that was given breaks rules.", *errors)
    return compile_form(resource)


def _written(site: Site, response: Mapping[str, Any]) -> datetime:
    """When a response that is not stored was written; now, where it does not say it exactly."""
    try:
        moment = datetime.fromisoformat(str(response.get("authored")))
    except ValueError:
        return site.clock.now()
    return site.clock.now() if moment.tzinfo is None else moment.astimezone(UTC)


def _extracted(
    site: Site,
    response: Mapping[str, Any],
    form: Form | Issue,
    recorded: datetime,
    *,
    provenance: bool,
    conditional: bool,
) -> Extracted:
    if isinstance(form, Issue):
        raise NotValid(form.says, form)
    mapping = site.extraction(form.url)
    concepts = None
    if mapping is not None and mapping.concept_map is not None:
        concepts = concepts_of(site.desk.reading(), mapping.concept_map)
    made = of_form(
        form,
        response,
        recorded=recorded,
        zone=site.zone,
        mapping=mapping,
        concepts=concepts,
        provenance=provenance,
        conditional=conditional,
    )
    status = response.get("status")
    if status in _NOT_FINAL and "entry" in made.bundle:
        says = f"The response is {status}: what is extracted of it is not the last word."
        told = Issue("extract-not-final", "business-rule", says, severity="warning")
        return Extracted(made.bundle, (told, *made.issues))
    return made


def concepts_of(reader: Reader, canonical: str) -> Concepts | None:
    """The map of this canonical (url, or url|version), as it is stored here; None for none."""
    named = read_canonical(canonical)
    stored = None
    if named is not None and named.url:
        stored = reader.canonical("ConceptMap", named.url, named.version)
    return None if stored is None else read_concept_map(read_stored(stored.body))
