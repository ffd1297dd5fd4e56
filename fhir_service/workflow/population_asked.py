"""The parameters of $populate: which form, about whom, and with which contexts.

https://hl7.org/fhir/uv/sdc/STU4/OperationDefinition-Questionnaire-populate.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fhir_service.fhir.canonical import read_canonical
from fhir_service.fhir.issues import Issue, NotHere, NotUnderstood, NotValid, operation_outcome
from fhir_service.fhir.parameters import parameter, parameters
from fhir_service.fhir.places import objects
from fhir_service.fhir.reading import read_stored
from fhir_service.fhir.searching import read_search
from fhir_service.sdc.compiled import Form, compile_form
from fhir_service.sdc.form_rules import check_questionnaire
from fhir_service.workflow import read
from fhir_service.workflow.caller import Caller
from fhir_service.workflow.populate import Context, populate, referred
from fhir_service.workflow.site import Site
from fhir_service.workflow.subjects import patient_of

_FORMS: Final = frozenset({"questionnaire", "questionnaireRef", "canonical", "identifier"})
_KNOWN: Final = _FORMS | {"subject", "context", "local"}
_WHERE: Final = "Parameters.parameter"

Json = Mapping[str, Any]


@dataclass(slots=True)
class _Given:
    """What was given, by name; ``contexts`` are the parts of each context."""

    by_name: dict[str, Json]
    contexts: list[Json]


def populated(site: Site, caller: Caller, sent: Json, id_: str | None = None) -> dict[str, Any]:
    """The Parameters with ``response``, and ``issues`` where there are some.

    ``id_`` is that of the stored form that the operation was called on. Raises NotUnderstood,
    NotAllowed, NotHere (no such form), and NotValid for a form that breaks rules or a context of
    another patient.
    """
    given = _given(sent)
    form = _form(site, caller, given.by_name, id_)
    subject = _subject(site, caller, given.by_name.get("subject"))
    local = given.by_name.get("local", {"valueBoolean": False}).get("valueBoolean")
    if not isinstance(local, bool):
        raise _bad("local is true or false.")
    found: list[Issue] = []
    contexts = [
        context
        for one in given.contexts
        if (context := _context(site, caller, one, subject, local=local, found=found))
    ]
    made = populate(site, caller, form, subject=subject, contexts=contexts, local=local)
    issues = (*found, *made.issues)
    return parameters(
        parameter("response", "resource", made.response),
        parameter("issues", "resource", operation_outcome(issues)) if issues else None,
    )


def _given(sent: Json) -> _Given:
    listed = sent.get("parameter", []) if sent.get("resourceType") == "Parameters" else None
    if not isinstance(listed, list):
        raise NotUnderstood("A Parameters resource is expected.", expression="Parameters")
    given = _Given({}, [])
    for number, one in enumerate(listed):
        name = one.get("name") if isinstance(one, Mapping) else None
        if not isinstance(name, str) or name not in _KNOWN:
            known = ", ".join(sorted(_KNOWN))
            says = f"The parameter {str(name)[:40]!r} is not supported here. Supported: {known}."
            raise NotUnderstood(
                says, Issue("parameter", "not-supported", says, expression=f"{_WHERE}[{number}]")
            )
        if name == "context":
            given.contexts.append(one)
        elif name in given.by_name:
            raise _bad(f"{name} is given more than once.")
        else:
            given.by_name[name] = one
    return given


def _form(site: Site, caller: Caller, given: Mapping[str, Json], id_: str | None) -> Form:
    """The one form that is meant. Raises NotUnderstood for none or several."""
    named = [given[name] for name in sorted(_FORMS & given.keys())]
    if id_ is not None:
        if named:
            raise _bad("The form is named by the address; leave the parameter out.")
        return _read(site, caller, id_)
    if len(named) != 1:
        raise _bad("Exactly one form is named: by questionnaire, identifier, or the address.")
    one = named[0]
    if "resource" in one:
        return _inline(site, one["resource"])
    if isinstance(one.get("valueReference"), Mapping):
        reference = str(one["valueReference"].get("reference", ""))
        kind, _, form_id = reference.rpartition("/")
        if kind == "Questionnaire" or kind.endswith("/fhir/Questionnaire"):
            return _read(site, caller, form_id)
        raise _bad("The reference names a Questionnaire of this server: Questionnaire/id.")
    if isinstance(one.get("valueIdentifier"), Mapping):
        return _identified(site, caller, one["valueIdentifier"])
    text = next((one[name] for name in _CANONICALS if isinstance(one.get(name), str)), None)
    return _published(site, caller, text)


_CANONICALS: Final = ("valueCanonical", "valueUri", "valueUrl", "valueString")


def _published(site: Site, caller: Caller, text: str | None) -> Form:
    canonical = read_canonical(text) if text else None
    if canonical is None:
        raise _bad("questionnaire is a canonical (url|version), a reference, or the resource.")
    caller.must("Questionnaire", "r", "s")
    form = site.forms.find(site.desk.reading(), canonical.url, canonical.version)
    if form is None:
        raise NotHere(f"The form {text} is not published here.")
    return form


def _read(site: Site, caller: Caller, id_: str) -> Form:
    return compile_form(read_stored(read.read(site, caller, "Questionnaire", id_).body))


def _identified(site: Site, caller: Caller, identifier: Json) -> Form:
    token = f"{identifier.get('system', '')}|{identifier.get('value', '')}"
    pairs = [("identifier", token), ("_sort", "-date")]
    search, _ = read_search("Questionnaire", pairs, default_count=2)
    found = read.search(site, caller, search).found
    if not found:
        raise NotHere("No form with this identifier is published here.")
    return compile_form(read_stored(found[0].body))


def _inline(site: Site, resource: Any) -> Form:
    if not isinstance(resource, Mapping) or resource.get("resourceType") != "Questionnaire":
        raise _bad("questionnaire holds a Questionnaire.")
    found = check_questionnaire(dict(resource), item_levels=site.max_item_depth)
    errors = [one for one in found if one.severity in ("error", "fatal")]
    if errors:
        raise NotValid("The questionnaire that was given breaks rules.", *errors)
    return compile_form(resource)


def _subject(site: Site, caller: Caller, one: Json | None) -> str | None:
    """The id of the patient; that of the token where none is named."""
    if one is None:
        return caller.access.patient
    given = one.get("valueReference")
    text = given.get("reference") if isinstance(given, Mapping) else one.get("valueString")
    patient = patient_of(text, site.patient_bases) if isinstance(text, str) else None
    if patient is None:
        raise _bad("subject is a reference to a Patient of this server, such as Patient/123.")
    return patient


def _context(
    site: Site,
    caller: Caller,
    one: Json,
    subject: str | None,
    *,
    local: bool,
    found: list[Issue],
) -> Context | None:
    """The resources of one context. Raises NotUnderstood, and NotValid for another patient's."""
    parts = objects(one.get("part"))
    names = [part for part in parts if part.get("name") == "name"]
    name = next((n[key] for n in names for key in _NAMED if isinstance(n.get(key), str)), None)
    if name is None:
        raise _bad("A context has a part “name”, and its resources in parts “content”.")
    content: list[Json] = []
    base: str | None = None
    for part in parts:
        if part.get("name") != "content":
            continue
        if isinstance(part.get("resource"), Mapping):
            content.append(part["resource"])
        elif isinstance(part.get("valueReference"), Mapping):
            reference = str(part["valueReference"].get("reference", ""))
            fetched = referred(site, caller, reference, subject, local=local, found=found)
            if fetched is not None:
                content.append(fetched.resource)
                base = fetched.base
        else:
            raise _bad("The content of a context is a resource or a reference.")
    for patient in _patients(content):
        if subject is not None and patient != subject:
            says = f"The context {name[:60]!r} holds another patient than the subject."
            raise NotValid(says, Issue("populate-other-patient", "conflict", says))
    return Context(name, tuple(content), base) if content else None


_NAMED: Final = ("valueString", "valueCode", "valueId")


def _patients(content: Iterable[Json]) -> Iterator[str]:
    for one in content:
        if one.get("resourceType") == "Patient" and isinstance(one.get("id"), str):
            yield one["id"]


def _bad(says: str) -> NotUnderstood:
    return NotUnderstood(says, Issue("parameter", "value", says, expression=_WHERE))
