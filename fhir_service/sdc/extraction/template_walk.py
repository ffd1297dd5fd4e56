"""The walk through one template: what comes out for one instance of an item.

https://hl7.org/fhir/uv/sdc/STU4/extraction.html#template-based-extraction
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from fhir_service.fhir.fhirpath.nodes import to_json
from fhir_service.fhir.fhirpath.types import Kind
from fhir_service.sdc.expressions import Formula, NotDecided
from fhir_service.sdc.extraction.template import Node_
from fhir_service.sdc.population.evaluation import Evaluation, Frame


class TemplateWalk:
    """Evaluates templates on one response. ``told`` collects what could not be decided."""

    def __init__(self, evaluation: Evaluation, told: list[str]) -> None:
        self._evaluation = evaluation
        self._told = told

    def resources(self, template: Node_, frame: Frame) -> list[dict[str, Any]]:
        """The resources that a template gives here: one, or one for each thing of its context."""
        return [one for one in self._made(template, frame) if isinstance(one, dict)]

    def values(self, formula: Formula, frame: Frame) -> list[Any]:
        """What an expression gives, as the engine's items; nothing, and told, if undecided."""
        try:
            return self._evaluation.evaluated(formula, frame)
        except NotDecided as why:
            says = f"{formula.rule}: {why.says}"
            if says not in self._told:
                self._told.append(says)
            return []

    def _made(self, node: Node_, frame: Frame) -> Iterator[Any]:
        """Each value of an element; none where there is nothing to say."""
        if node.fixed:
            if node.literal is not None:
                yield copy.deepcopy(node.literal)
            return
        if node.context is None:
            yield from self._inside(node, frame)
            return
        for one in self.values(node.context, frame):
            inner = Frame({node.name: [one]} if node.name else {}, {}, frame)
            inner.focus = one
            yield from self._inside(node, inner)

    def _inside(self, node: Node_, frame: Frame) -> Iterator[Any]:
        if node.value is not None:
            for one in self.values(node.value, frame):
                yield from self._fitted(node, to_json(one), frame)
            return
        if node.many is not None:
            made = [one for inner in node.many for one in self._made(inner, frame)]
            if made:
                yield made
            return
        if not node.fields:
            if node.literal is not None:
                yield copy.deepcopy(node.literal)
            return
        fields = self._fields(node, frame)
        if fields.keys() - {"resourceType"}:
            yield fields

    def _fields(self, node: Node_, frame: Frame) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for name, inner in node.fields:
            found = list(self._made(inner, frame))
            if not found:
                continue
            if inner.many is None and len(found) > 1:
                self._tell(f"{name}: several values stand where one is taken; the first is kept.")
            made[name] = found[0]
            if inner.beside is not None:
                made["_" + name] = copy.deepcopy(inner.beside)
        return made

    def _fitted(self, node: Node_, value: Any, frame: Frame) -> Iterator[Any]:
        """A value where the template puts it: beside what is fixed there, in the type it takes."""
        fitted = fitted_to(node.kind, value)
        if isinstance(fitted, Mapping) and node.fields:
            fitted = {**self._fields(node, frame), **fitted}
        if fitted is not None:
            yield copy.deepcopy(fitted)

    def _tell(self, says: str) -> None:
        if says not in self._told:
            self._told.append(says)


def fitted_to(kind: Kind, value: Any) -> Any:
    """A JSON value as an element of this type, where there is one plain way to write it.

    A Coding as CodeableConcept or as code, a text as Reference or CodeableConcept, a day as the
    dateTime it is; all else as it is.
    """
    name = kind.name
    if isinstance(value, Mapping):
        return _object(name, value)
    if isinstance(value, str):
        if name == "Reference":
            return {"reference": value}
        if name == "CodeableConcept":
            return {"text": value}
        if name == "Annotation":
            return {"text": value}
    if name == "Quantity" and not isinstance(value, bool) and not isinstance(value, list | str):
        return {"value": value}
    return value


def _object(name: str, value: Mapping[str, Any]) -> Any:
    coding = "code" in value and "coding" not in value and "value" not in value
    if name == "CodeableConcept" and (coding or "display" in value):
        return {"coding": [dict(value)]}
    if name == "code" and coding:
        return value["code"]
    if name in ("string", "markdown") and isinstance(value.get("display"), str):
        return value["display"]
    return dict(value)
