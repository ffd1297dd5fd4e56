"""What a form says of its own extraction, read once for each version.

https://hl7.org/fhir/uv/sdc/STU4/extraction.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from fhir_service.sdc import extensions as ext
from fhir_service.sdc.expressions import Formula, Scope
from fhir_service.sdc.items import Item
from fhir_service.sdc.population.plan import Asked, variables_of

if TYPE_CHECKING:
    from fhir_service.sdc.compiled import Form
    from fhir_service.sdc.extraction.template import Node_

Json = Mapping[str, Any]

OBSERVATION_EXTRACT: Final = ext.SDC + "observationExtract"
OBSERVATION_CATEGORY: Final = ext.SDC + "observation-extract-category"
TEMPLATE_EXTRACT: Final = ext.SDC + "templateExtract"
TEMPLATE_BUNDLE: Final = ext.SDC + "templateExtractBundle"
DEFINITION_EXTRACT: Final = ext.SDC + "definitionExtract"
DEFINITION_VALUE: Final = ext.SDC + "definitionExtractValue"
ITEM_EXTRACTION_CONTEXT: Final = ext.SDC + "itemExtractionContext"
ALLOCATE_ID: Final = ext.SDC + "extractAllocateId"
TARGET_STRUCTURE_MAP: Final = ext.SDC + "targetStructureMap"

REQUEST_PARTS: Final = ("ifNoneMatch", "ifModifiedSince", "ifMatch", "ifNoneExist")
_FROM_EXPRESSION: Final = ("fullUrl", "resourceId", *REQUEST_PARTS)


class Marked:
    """A resource that is to be made: of a template (its id), or by definition (its canonical).

    ``parts`` are the expressions of fullUrl, resourceId and of the request.
    """

    __slots__ = ("named", "parts")

    def __init__(self, named: str, parts: Mapping[str, Formula]) -> None:
        self.named = named
        self.parts = parts


class DefinedValue:
    """A definitionExtractValue: an element, and the value or expression that it takes."""

    __slots__ = ("definition", "fixed", "formula")

    def __init__(self, definition: str, fixed: Any, formula: Formula | None) -> None:
        self.definition = definition
        self.fixed = fixed
        self.formula = formula


class Place:
    """One item of a form (the form itself has no ``item``), and what is made of its answers.

    ``observed`` is what observationExtract says here: true, false, member or component; None for
    nothing. ``marked`` when anything is made here, or in what lies in it.
    """

    __slots__ = (
        "allocated", "below", "categories", "definitions", "item", "legacy", "marked", "observed",
        "raw", "templates", "values", "variables",
    )  # fmt: skip

    def __init__(self, raw: Json, item: Item | None, inner: tuple[Item, ...]) -> None:
        given = ext.by_url(raw.get("extension"))
        self.raw = raw
        self.item = item
        self.variables: dict[str, Asked] = variables_of(raw)
        self.allocated = tuple(one for one in ext.values(given, ALLOCATE_ID) if _is_name(one))
        self.observed = ext.value(given, OBSERVATION_EXTRACT)
        self.categories = tuple(
            one for one in ext.values(given, OBSERVATION_CATEGORY) if isinstance(one, Mapping)
        )
        self.templates = tuple(_marked(given.get(TEMPLATE_EXTRACT, ()), "template", raw))
        self.definitions = tuple(_marked(given.get(DEFINITION_EXTRACT, ()), "definition", raw))
        self.legacy = tuple(_legacy(given)) if not self.definitions else ()
        self.values = tuple(_values(given.get(DEFINITION_VALUE, ()), raw))
        self.below = tuple(
            Place(one, of, of.items) for one, of in zip(raw.get("item", ()), inner, strict=True)
        )
        self.marked: bool = bool(
            self.observed not in (None, False)
            or any(ext.value_of(one) for one in _of_codes(raw))
            or self.templates
            or self.definitions
            or self.legacy
            or any(one.marked for one in self.below)
        )


class Plan:
    """How a form is extracted: the ``root`` place, and its templates, compiled when asked for."""

    def __init__(self, form: Form) -> None:
        self.questionnaire = form.questionnaire
        self.root = Place(form.questionnaire, None, form.items)
        given = ext.by_url(form.questionnaire.get("extension"))
        bundle = ext.value(given, TEMPLATE_BUNDLE)
        target = bundle.get("reference") if isinstance(bundle, Mapping) else None
        self.bundle = target[1:] if isinstance(target, str) and target[:1] == "#" else None
        self.unread = TARGET_STRUCTURE_MAP in given

    @cached_property
    def templates(self) -> Mapping[str, Node_]:
        """The contained resources that templates are, by id, compiled."""
        from fhir_service.sdc.extraction.template import compile_template  # noqa: PLC0415

        return {
            str(one.get("id")): compile_template(one)
            for one in self.questionnaire.get("contained", ())
            if isinstance(one, Mapping) and isinstance(one.get("resourceType"), str)
        }

    @property
    def marked(self) -> bool:
        """Whether the form asks for anything to be extracted."""
        return self.root.marked or self.bundle is not None


def plan_of(form: Form) -> Plan:
    """The plan of a form, made when it is first asked for and kept with the form."""
    kept = form.__dict__.get("extraction")
    if not isinstance(kept, Plan):
        kept = form.__dict__["extraction"] = Plan(form)
    return kept


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and value.strip() != ""


def _of_codes(raw: Json) -> Iterator[Json]:
    """The observationExtract extensions on the codes of an item."""
    for code in raw.get("code", ()):
        for one in code.get("extension", ()):
            if one.get("url") == OBSERVATION_EXTRACT:
                yield one


def _marked(given: tuple[Json, ...], part: str, raw: Json) -> Iterator[Marked]:
    for one in given:
        parts = ext.by_url(one.get("extension"))
        named = ext.value(parts, part)
        if isinstance(named, Mapping):
            named = str(named.get("reference", "")).removeprefix("#")
        if isinstance(named, str) and named:
            formulas = {
                name: Formula(f"{part} {name}", ext.value(parts, name), Scope({}), raw)
                for name in _FROM_EXPRESSION
                if name in parts
            }
            yield Marked(named, formulas)


def _legacy(given: ext.Extensions) -> Iterator[Marked]:
    """itemExtractionContext, where it names a type: a resource of it is to be made."""
    context = ext.value(given, ITEM_EXTRACTION_CONTEXT)
    text = context.get("expression") if isinstance(context, Mapping) else context
    if isinstance(text, str) and text.isalpha():
        yield Marked(f"http://hl7.org/fhir/StructureDefinition/{text}", {})


def _values(given: tuple[Json, ...], raw: Json) -> Iterator[DefinedValue]:
    for one in given:
        parts = ext.by_url(one.get("extension"))
        definition = ext.value(parts, "definition")
        if isinstance(definition, str):
            expression = ext.value(parts, "expression")
            formula = None
            if expression is not None:
                formula = Formula("definitionExtractValue", expression, Scope({}), raw)
            fixed = parts["fixed-value"][0] if "fixed-value" in parts else None
            yield DefinedValue(definition, fixed, formula)
