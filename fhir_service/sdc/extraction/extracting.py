"""$extract: all methods that a form asks for, into one transaction with its Provenance.

https://hl7.org/fhir/uv/sdc/STU4/extraction.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Final

from fhir_service.fhir.fhirpath import Node, ResponseIndex
from fhir_service.fhir.fhirpath.nodes import to_json
from fhir_service.fhir.issues import Issue
from fhir_service.fhir.places import objects
from fhir_service.fhir.splice import instant
from fhir_service.sdc.compiled import Form
from fhir_service.sdc.extraction.drafts import Drafts, Entry
from fhir_service.sdc.extraction.mapping import Mapping_, Rule
from fhir_service.sdc.extraction.observation import Observing, reference_of
from fhir_service.sdc.extraction.plan import REQUEST_PARTS, Marked, Plan, plan_of
from fhir_service.sdc.extraction.template_walk import TemplateWalk
from fhir_service.sdc.extraction.translating import Concepts, translate
from fhir_service.sdc.extraction.visits import Ids, Visit, visits
from fhir_service.sdc.population.evaluation import Evaluation, Frame

Json = Mapping[str, Any]

AGENT_TYPE: Final = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/provenance-participant-type",
            "code": "assembler",
            "display": "Assembler",
        }
    ]
}


@dataclass(frozen=True, slots=True)
class Extracted:
    """A transaction Bundle, ready to be sent, and what could not be extracted."""

    bundle: dict[str, Any]
    issues: tuple[Issue, ...]


def extract(
    form: Form,
    response: Json,
    *,
    recorded: datetime,
    zone: tzinfo | None = None,
    mapping: Mapping_ | None = None,
    concepts: Concepts | None = None,
    provenance: bool = True,
    conditional: bool = False,
) -> Extracted:
    """The resources of a response (R4 JSON, decimals as Decimal).

    ``recorded`` is the moment that the Provenance names and that now() gives; it carries a zone.
    ``mapping`` are our own rules for the form, ``concepts`` the map of its codes. ``conditional``
    gives each new resource an identifier and asks that it is made once (ifNoneExist). The same
    input gives the same Bundle, byte for byte. Nothing is raised: it is told in the issues.
    """
    return _Extraction(form, response, recorded, zone, mapping, concepts).extracted(
        provenance=provenance, conditional=conditional
    )


class _Extraction:
    def __init__(
        self,
        form: Form,
        response: Json,
        recorded: datetime,
        zone: tzinfo | None,
        mapping: Mapping_ | None,
        concepts: Concepts | None,
    ) -> None:
        self.plan: Plan = plan_of(form)
        self.response = response
        self.recorded = recorded
        self.mapping = mapping
        self.concepts = concepts or Concepts()
        self.drafts = Drafts()
        self.ids = Ids(response)
        self.index = ResponseIndex(response)
        self.evaluation = Evaluation(
            form.questionnaire, response, now=recorded, zone=zone, index=self.index
        )
        self.told: list[str] = []
        self.walk = TemplateWalk(self.evaluation, self.told)

    def extracted(self, *, provenance: bool, conditional: bool) -> Extracted:
        if self.plan.unread:
            self.drafts.tell("extract-structure-map", "not-supported", _NO_MAPS)
        if self.plan.marked:
            self._marked()
        if self.mapping is not None:
            self._mapped(self.mapping)
        for says in self.told:
            self.drafts.tell("extract-not-decided", "incomplete", says)
        entries = self.drafts.entries
        if conditional:
            for one in entries:
                _made_once(one)
        written = [one.written() for one in entries]
        if provenance and written:
            written.append(self._provenance(entries))
        bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "transaction"}
        if written:
            bundle["entry"] = written
        else:
            self.drafts.tell("extract-nothing", "informational", _NOTHING)
        return Extracted(bundle, tuple(self.drafts.issues))

    def _marked(self) -> None:
        root = visits(self.plan, self.index, self.ids)
        if self.plan.bundle is not None:
            self._whole_bundle(self.plan.bundle, root.frame)
        self._made(root)
        before = len(self.drafts.entries)
        Observing(self.response, self.drafts, self.ids).run(root)
        if self.mapping is not None:
            for one in self.drafts.entries[before:]:
                one.resource = self._ours(one.resource)

    def _made(self, visit: Visit) -> None:
        """What templates and definitions make here, and in what lies here."""
        place = visit.place
        if place.templates:
            for focus in _instances(visit):
                for marked in place.templates:
                    self._template(marked, visit, focus)
        for marked in (*place.definitions, *place.legacy):
            self._definition(marked, visit)
        for one in visit.below:
            self._made(one)

    def _template(self, marked: Marked, visit: Visit, focus: Any) -> None:
        template = self.plan.templates.get(marked.named)
        if template is None:
            says = f"The form contains no template #{marked.named[:60]}."
            self.drafts.tell("extract-template", "not-found", says, _link_id(visit))
            return
        frame = Frame({}, {}, visit.frame)
        frame.focus = focus
        for number, resource in enumerate(self.walk.resources(template, frame)):
            name = f"{marked.named}{visit.path}#{number}"
            self._entry(name, resource, marked, frame)

    def _definition(self, marked: Marked, visit: Visit) -> None:
        from fhir_service.sdc.extraction.definition import Defining  # noqa: PLC0415  rarely used

        resource = Defining(marked, self.walk, self.drafts).resource(visit)
        if resource is not None:
            self._entry(f"{marked.named}{visit.path}", resource, marked, visit.frame)

    def _entry(self, name: str, resource: dict[str, Any], marked: Marked, frame: Frame) -> None:
        """Add a resource with what its extension says of the entry."""
        given = {part: self._text(marked, part, frame) for part in marked.parts}
        if given.get("resourceId"):
            rest = {key: one for key, one in resource.items() if key not in _FIRST_TWO}
            type_: Any = resource["resourceType"]
            resource = {"resourceType": type_}
            resource["id"] = given["resourceId"]
            resource.update(rest)
        request = {part: given[part] for part in REQUEST_PARTS if given.get(part)}
        full_url = given.get("fullUrl") or self.ids.new(name)
        self.drafts.add(Entry(name, resource, full_url, request))

    def _text(self, marked: Marked, part: str, frame: Frame) -> str | None:
        found = self.walk.values(marked.parts[part], frame)
        value = to_json(found[0]) if found else None
        return value if isinstance(value, str) else None

    def _whole_bundle(self, named: str, frame: Frame) -> None:
        """The entries of a Bundle that is a template itself, with the requests it gives."""
        template = self.plan.templates.get(named)
        for bundle in [] if template is None else self.walk.resources(template, frame):
            for number, entry in enumerate(objects(bundle.get("entry"))):
                resource = entry.get("resource")
                if not isinstance(resource, dict) or "resourceType" not in resource:
                    continue
                name, full_url = f"{named}#{number}", entry.get("fullUrl")
                made = Entry(name, resource, self.ids.new(name))
                if isinstance(full_url, str) and full_url:
                    made.full_url = full_url
                if isinstance(entry.get("request"), dict):
                    made.given = entry["request"]
                self.drafts.add(made)

    # our own rules

    def _mapped(self, mapping: Mapping_) -> None:
        for rule in mapping.rules:
            outer = Frame({}, {})
            for number, one in enumerate(self.walk.values(rule.each, outer)):
                frame = Frame({"it": [one]}, rule.variables, outer)
                frame.focus = one
                self._ruled(rule, number, one, frame)

    def _ruled(self, rule: Rule, number: int, one: Any, frame: Frame) -> None:
        if rule.only_mapped and not self._is_mapped(rule, one):
            return
        for resource in self.walk.resources(rule.template, frame):
            name = f"{rule.key}#{number}"
            made = self._ours(resource, rule.without)
            self.drafts.add(Entry(name, made, self.ids.new(name)))

    def _is_mapped(self, rule: Rule, one: Any) -> bool:
        value = to_json(one)
        coding = value.get("valueCoding", value) if isinstance(value, Mapping) else {}
        return any(
            target.coding["code"] not in rule.without for target in self.concepts.of(coding)
        )

    def _ours(
        self, resource: dict[str, Any], without: frozenset[str] = frozenset()
    ) -> dict[str, Any]:
        """The resource with its codes translated, and with the tags of the mapping."""
        made = translate(resource, self.concepts, without)
        tags = self.mapping.tags if self.mapping is not None else ()
        if tags:
            meta = {**made.get("meta", {}), "tag": [dict(one) for one in tags]}
            rest = {key: value for key, value in made.items() if key not in _FIRST}
            first: dict[str, Any] = {
                key: made[key] for key in ("resourceType", "id") if key in made
            }
            made = {**first, "meta": meta, **rest}
        return made

    def _provenance(self, entries: list[Entry]) -> dict[str, Any]:
        """The entry that says what everything was made of.

        http://hl7.org/fhir/R4/provenance.html
        """
        what = reference_of(self.response)
        if what is None:
            identifier = self.response.get("identifier")
            what = {"identifier": identifier} if identifier else {"display": _UNSAVED}
        resource = {
            "resourceType": "Provenance",
            "target": [{"reference": one.full_url} for one in entries],
            "recorded": instant(self.recorded),
            "agent": [{"type": AGENT_TYPE, "who": {"display": "fhir_service"}}],
            "entity": [{"role": "source", "what": what}],
        }
        entry = Entry("Provenance", resource, self.ids.new("Provenance"))
        return entry.written()


_FIRST_TWO: Final = frozenset({"resourceType", "id"})
_FIRST: Final = frozenset({"resourceType", "id", "meta"})
_NO_MAPS: Final = "The form asks for a StructureMap, which is not run here."
_NOTHING: Final = "There is nothing to extract: nothing that the form marks was answered."
_UNSAVED: Final = "A QuestionnaireResponse that is not stored"


def _instances(visit: Visit) -> Iterator[Any]:
    """What a template stands on: the item, or each answer of a question that repeats."""
    item = visit.place.item
    if item is None or not item.repeats or len(visit.answers) < 2:  # noqa: PLR2004
        yield visit.node
        return
    for answer in visit.node.value["answer"]:
        yield Node({**visit.node.value, "answer": [answer]}, visit.node.kind, visit.node.parent)


def _made_once(entry: Entry) -> None:
    """Give a new resource an identifier, and ask that it is made only where none has it."""
    from fhir_service.fhir.elements import element, resource_kind  # noqa: PLC0415  on request

    resource = entry.resource
    kind = resource_kind(resource["resourceType"])
    has = None if kind is None else element(kind, "identifier")
    if resource.get("id") or entry.given or entry.request or has is None:
        return
    value = entry.full_url
    identifier = {"system": "urn:ietf:rfc:3986", "value": value}
    if has.many:
        resource.setdefault("identifier", []).append(identifier)
    else:
        resource.setdefault("identifier", identifier)
    entry.request["ifNoneExist"] = f"identifier={identifier['system']}|{value}"


def _link_id(visit: Visit) -> str | None:
    return None if visit.place.item is None else visit.place.item.link_id


__all__ = ["Extracted", "extract"]
