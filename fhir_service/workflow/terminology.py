"""$expand, $validate-code and $lookup over the value sets and code systems that are stored here.

http://hl7.org/fhir/R4/terminology-service.html
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from fhir_service.fhir import code_checks, expansion
from fhir_service.fhir.code_systems import CodeSystem, read_code_system
from fhir_service.fhir.issues import Issue, NotHere, NotUnderstood
from fhir_service.fhir.parameters import read_parameters
from fhir_service.fhir.reading import read_stored
from fhir_service.fhir.resources import check_resource
from fhir_service.fhir.terminology import Json, Sources
from fhir_service.fhir.value_sets import Composer
from fhir_service.sdc.codes import FoundCodes, Terminology
from fhir_service.workflow.caller import Caller
from fhir_service.workflow.ports import Reader, Stored
from fhir_service.workflow.read import read
from fhir_service.workflow.site import Site

EXPAND = expansion.EXPAND
VALIDATE_CODE = code_checks.VALIDATE_CODE
LOOKUP = code_checks.LOOKUP

_WORTH_KEEPING_BYTES = 512 * 1024


def expand(
    site: Site, caller: Caller, parameters: Mapping[str, Any], id_: str | None = None
) -> dict[str, Any]:
    """The ValueSet with its expansion; ``id_`` is the stored one that the operation was called on.

    ``parameters`` is a Parameters resource. Raises NotAllowed, NotUnderstood, NotHere (value set
    not stored), and NotValid when the value set can not be computed whole.
    """
    caller.must("ValueSet", "r", "s")
    given = read_parameters(parameters, EXPAND)
    ask = expansion.asked(given)
    sources = _sources(site)
    value_set = _value_set(site, caller, given, id_, sources)
    return expansion.expand(value_set, ask, Composer(sources), site.clock.now())


def validate_code(
    site: Site, caller: Caller, parameters: Mapping[str, Any], id_: str | None = None
) -> dict[str, Any]:
    """The Parameters with result, message and display; refusals as those of ``expand``."""
    caller.must("ValueSet", "r", "s")
    given = read_parameters(parameters, VALIDATE_CODE)
    sources = _sources(site)
    value_set = _value_set(site, caller, given, id_, sources)
    return code_checks.validate_code(value_set, given, Composer(sources))


def lookup(site: Site, caller: Caller, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The Parameters with name, display, designations and properties of one code.

    Raises NotAllowed, NotUnderstood, and NotHere for an unknown code system or code.
    """
    caller.must("CodeSystem", "r", "s")
    return code_checks.lookup(read_parameters(parameters, LOOKUP), _sources(site))


class StoredCodes(FoundCodes):
    """Answers, for the length of one check, whether a Coding is of a value set stored here.

    It is what ``sdc.validation`` asks for as Codes; of what is not known here ``terminology``
    is asked, where there is one.
    """

    def __init__(self, reader: Reader, terminology: Terminology | None = None) -> None:
        super().__init__(_sources_of(reader), terminology)


def _value_set(
    site: Site, caller: Caller, given: Mapping[str, Any], id_: str | None, sources: Sources
) -> Json:
    """The one value set that is meant: that of the address, of ``url``, or the one sent along."""
    meant = [name for name in ("url", "valueSet") if name in given] + ([id_] if id_ else [])
    if len(meant) != 1:
        says = "Exactly one value set is named: by the address with an id, by url, or by valueSet."
        raise NotUnderstood(says, Issue(key="parameter", code="required", says=says))
    if id_:
        return _parsed(read(site, caller, "ValueSet", id_))
    if "valueSet" in given:
        return _must_be_value_set(given["valueSet"])
    url, version = given["url"], given.get("valueSetVersion")
    found = sources.value_set(f"{url}|{version}" if version and "|" not in url else url)
    if found is None:
        raise NotHere(f"The value set {url} is not stored here.")
    return found


def _must_be_value_set(resource: Json) -> Json:
    if resource.get("resourceType") != "ValueSet":
        raise NotUnderstood("valueSet holds a ValueSet.", expression="Parameters.parameter")
    errors = [one for one in check_resource(dict(resource)) if one.severity in {"error", "fatal"}]
    if errors:
        raise NotUnderstood("The ValueSet that was sent along is not sound.", *errors)
    return resource


def _sources(site: Site) -> Sources:
    return _sources_of(site.desk.reading())


def _sources_of(reader: Reader) -> Sources:
    def find(resource_type: str, canonical: str) -> Json | None:
        stored = _stored(reader, resource_type, canonical)
        return None if stored is None else _parsed(stored)

    def find_system(canonical: str) -> CodeSystem | None:
        stored = _stored(reader, "CodeSystem", canonical)
        return None if stored is None else _compiled(stored)

    return Sources(find, find_system)


def _stored(reader: Reader, resource_type: str, canonical: str) -> Stored | None:
    url, _, version = canonical.partition("#")[0].partition("|")
    return reader.canonical(resource_type, url, version or None)


def _parsed(stored: Stored) -> Json:
    if len(stored.body) > _WORTH_KEEPING_BYTES:
        return read_stored(stored.body)
    return _parsed_bytes(stored.body)


def _compiled(stored: Stored) -> CodeSystem:
    if len(stored.body) > _WORTH_KEEPING_BYTES:
        return read_code_system(read_stored(stored.body))
    return _compiled_bytes(stored.body)


# The bytes are the key: what is remembered is true of them wherever and whenever they are stored.


@lru_cache(maxsize=32)
def _parsed_bytes(body: bytes) -> Json:
    return read_stored(body)


@lru_cache(maxsize=16)
def _compiled_bytes(body: bytes) -> CodeSystem:
    return read_code_system(read_stored(body))
