"""What the queries of a form may learn: never more than the caller might read, of this subject.

A search is narrowed to the subject before it is sent, and each resource that comes back is looked
at again. https://hl7.org/fhir/uv/sdc/STU4/populate.html: a person shall not see in a form what she
could not see in the record.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from fhir_service.fhir.issues import Refusal
from fhir_service.fhir.primitives import is_id
from fhir_service.fhir.reading import read_stored
from fhir_service.fhir.searching import read_search
from fhir_service.fhir.splice import with_identity
from fhir_service.sdc.population.fetching import Fetched, NotFetched
from fhir_service.smart.compartment import NOBODYS, SEARCHED_BY, is_of
from fhir_service.smart.scopes import Letter
from fhir_service.workflow import read
from fhir_service.workflow.caller import Caller
from fhir_service.workflow.corrections import Aside
from fhir_service.workflow.ehr import Ehr, EhrTrouble
from fhir_service.workflow.patient_there import patient_at_ehr
from fhir_service.workflow.ports import Stored
from fhir_service.workflow.site import Site

MOST_SECONDS: Final = 8.0
"""After so long nothing more is asked for one form: a person waits for it."""

MOST_RESOURCES: Final = 200
"""How many resources are taken of one search."""

OUR_OWN: Final = frozenset({"QuestionnaireResponse"})
"""Types that are asked of our own record: the answers lie here, not in the EHR."""

_DROPPED: Final = frozenset({"_format", "_pretty", "_summary", "_elements", "_total"})
_NAMES: Final = frozenset({"patient", "subject", "beneficiary", "individual"})


class RecordQueries:
    """Answers the queries of one population.

    ``subject`` is the id of the patient; None where the form is about nobody known: then nothing
    that is a patient's is asked for. ``ehr`` None: there is no EHR to ask.
    """

    def __init__(self, site: Site, caller: Caller, subject: str | None, ehr: Ehr | None) -> None:
        self._site = site
        self._caller = caller
        self._subject = subject
        self._ehr = ehr
        self._began = site.clock.now()
        self._there: str | None = None
        self._base = None if ehr is None else ehr.base

    def __call__(self, text: str) -> Fetched:
        """The answer to ``Type?search`` or ``Type/id``. Raises NotFetched."""
        if (self._site.clock.now() - self._began).total_seconds() > MOST_SECONDS:
            raise NotFetched("The record takes too long: the rest was not asked for.")
        path, _, search = self._relative(text).partition("?")
        steps = path.strip("/").split("/")
        type_ = steps[0]
        if type_ not in SEARCHED_BY and type_ not in NOBODYS:
            raise NotFetched(f"{type_[:60]} can not be limited to one patient: not asked for.")
        if type_ in SEARCHED_BY and self._subject is None:
            raise NotFetched(f"Whose {type_} is wanted is not known: there is no subject.")
        if len(steps) == 1:
            self._must(type_, "s")
            return self._searched(type_, parse_qsl(search, keep_blank_values=False))
        if len(steps) != 2 or search or not is_id(steps[1]):  # noqa: PLR2004  Type and id
            raise NotFetched("A query is Type?parameters, or Type/id.")
        if type_ == "Patient" and steps[1] != self._subject:
            raise NotFetched("A query asks for another Patient: not sent.")
        self._must(type_, "r")
        return self._read(type_, steps[1])

    def _relative(self, text: str) -> str:
        if self._base is not None and text.startswith(self._base + "/"):
            return text[len(self._base) + 1 :]
        if "://" in text.partition("?")[0]:
            raise NotFetched("A query leads to another server: not sent.")
        return text

    def _must(self, type_: str, letter: Letter) -> None:
        if not self._may(type_, letter):
            raise NotFetched(f"Who asks may not read {type_}: not asked for.")

    def _may(self, type_: str, letter: Letter) -> bool:
        access = self._caller.access
        levels = {
            one.level
            for one in access.scopes
            if one.covers(type_, letter) and (type_ in OUR_OWN or not one.query)
        }  # what a granular scope leaves out of the EHR's resources can not be told here
        if levels & {"user", "system"}:
            return True
        own = access.patient is not None and access.patient == self._subject
        return "patient" in levels and own

    def _searched(self, type_: str, pairs: list[tuple[str, str]]) -> Fetched:
        narrowed = self._narrowed(type_, pairs)
        try:
            if type_ in OUR_OWN:
                found = self._own(type_, narrowed)
            else:
                found = self._at_ehr(type_, narrowed)
        except (Refusal, EhrTrouble) as trouble:
            raise NotFetched(f"{type_}: {_why(trouble)}") from None
        kept = [one for one in found if self._may_see(one)]
        says = [] if len(kept) == len(found) else [_LEFT_OUT.format(type_)]
        if len(found) >= MOST_RESOURCES:
            says.append(f"{type_}: only the first {MOST_RESOURCES} are looked at.")
        entries = [{"resource": one, "search": {"mode": _mode(one, type_)}} for one in kept]
        bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset"}
        if entries:
            bundle["entry"] = entries
        return Fetched(bundle, self._base_of(type_), tuple(says))

    def _narrowed(self, type_: str, pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """The search with the subject in it. Raises NotFetched for one about somebody else."""
        kept = [(name, value) for name, value in pairs if name not in _DROPPED]
        if type_ not in SEARCHED_BY:
            return kept
        own = SEARCHED_BY[type_]
        for name, value in kept:
            if name.partition(":")[0] in _NAMES | ({"_id"} if own == "_id" else set()):
                ids = {one.rsplit("/", maxsplit=1)[-1] for one in value.split(",")}
                if ids != {self._subject}:
                    raise NotFetched(f"A query asks for {type_} of somebody else: not sent.")
        kept = [(name, value) for name, value in kept if name.partition(":")[0] != own]
        value = str(self._subject) if own == "_id" else f"Patient/{self._subject}"
        return [(own, value), *kept]

    def _at_ehr(self, type_: str, pairs: list[tuple[str, str]]) -> list[Mapping[str, Any]]:
        """What the EHR finds, the patient called as here."""
        ehr, there = self._must_ehr(), self._must_be_her(type_)
        asked = [(name, _called(value, self._subject, there)) for name, value in pairs]
        found = self._first(ehr.search(type_, urlencode(asked)))
        return [_renamed(one, there, self._subject) for one in found]

    def _must_be_her(self, type_: str) -> str | None:
        """The patient's id at the EHR, who was looked at there. Raises NotFetched."""
        if self._there is None and self._subject is not None and type_ in SEARCHED_BY:
            try:
                self._there = patient_at_ehr(self._site, self._subject)
            except Aside as aside:
                raise NotFetched(f"Nothing is asked of the EHR: {aside.reason}.") from None
        return self._there

    def _first(self, found: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        kept: list[Mapping[str, Any]] = []
        for one in found:
            kept.append(one)
            if len(kept) == MOST_RESOURCES:
                break
        return kept

    def _own(self, type_: str, pairs: list[tuple[str, str]]) -> list[Mapping[str, Any]]:
        search, _ = read_search(
            type_,
            pairs,
            default_count=50,
            max_count=MOST_RESOURCES,
            bases=self._site.patient_bases,
        )
        return [_resource(one) for one in read.search(self._site, self._caller, search).found]

    def _read(self, type_: str, id_: str) -> Fetched:
        try:
            if type_ in OUR_OWN:
                found: Mapping[str, Any] | None = _resource(
                    read.read(self._site, self._caller, type_, id_)
                )
            else:
                there = self._must_be_her(type_)
                id_ = str(there) if type_ == "Patient" else id_
                found = self._must_ehr().read(type_, id_)
                found = None if found is None else _renamed(found, there, self._subject)
        except (Refusal, EhrTrouble) as trouble:
            raise NotFetched(f"{type_}: {_why(trouble)}") from None
        if found is None or not self._may_see(found):
            raise NotFetched(f"There is no such {type_} that may be read for this subject.")
        return Fetched(found, self._base_of(type_))

    def _must_ehr(self) -> Ehr:
        if self._ehr is None:
            raise NotFetched("No EHR is configured here that could be asked.")
        return self._ehr

    def _may_see(self, resource: Mapping[str, Any]) -> bool:
        type_ = resource.get("resourceType")
        if not isinstance(type_, str) or not self._may(type_, "r"):
            return False
        if self._subject is None:
            return type_ in NOBODYS
        return is_of(resource, self._subject)

    def _base_of(self, type_: str) -> str | None:
        return None if type_ in OUR_OWN or type_ == "Patient" else self._base


_LEFT_OUT: Final = "{}: something that was found is not this subject's, or may not be read."


def _called(value: str, ours: str | None, there: str | None) -> str:
    """A value of a search with the patient's id at the EHR."""
    if ours == there or there is None:
        return value
    return there if value == ours else value.replace(f"Patient/{ours}", f"Patient/{there}")


def _renamed(resource: Mapping[str, Any], there: str | None, ours: str | None) -> Any:
    """The resource with the patient called as here, where she has another id at the EHR."""
    if there in (None, ours):
        return resource
    made = _with_references(resource, f"Patient/{there}", f"Patient/{ours}")
    if made.get("resourceType") == "Patient" and made.get("id") == there:
        made["id"] = ours
    return made


def _with_references(value: Any, reference: str, other: str) -> Any:
    if isinstance(value, list):
        return [_with_references(one, reference, other) for one in value]
    if not isinstance(value, dict):
        return value
    made = {name: _with_references(one, reference, other) for name, one in value.items()}
    named = made.get("reference")
    if isinstance(named, str) and (named == reference or named.endswith(f"/{reference}")):
        made["reference"] = other
    return made


def _mode(resource: Mapping[str, Any], type_: str) -> str:
    return "match" if resource.get("resourceType") == type_ else "include"


def _why(trouble: Refusal | EhrTrouble) -> str:
    """The kind of the trouble: a sentence of the EHR may quote what was asked."""
    kind = trouble.kind if isinstance(trouble, EhrTrouble) else trouble.key
    return f"no answer ({kind})."


def _resource(stored: Stored) -> Mapping[str, Any]:
    body = with_identity(stored.body, stored.id, stored.version, stored.last_updated)
    return read_stored(body)
