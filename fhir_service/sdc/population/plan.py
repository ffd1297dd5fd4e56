"""What a form says of its own population, read once for each version.

https://hl7.org/fhir/uv/sdc/STU4/populate.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from fhir_service.fhir.places import objects
from fhir_service.sdc import extensions as ext
from fhir_service.sdc.expressions import LAUNCH_CONTEXT, RESERVED, Formula, Scope
from fhir_service.sdc.item_reading import choice
from fhir_service.sdc.items import Item
from fhir_service.sdc.population.queries import X_FHIR_QUERY, Query

if TYPE_CHECKING:
    from fhir_service.sdc.compiled import Form

Json = Mapping[str, Any]

ITEM_POPULATION_CONTEXT: Final = ext.SDC + "itemPopulationContext"
OBSERVATION_LINK_PERIOD: Final = ext.SDC + "observationLinkPeriod"
SOURCE_QUERIES: Final = ext.SDC + "sourceQueries"
SOURCE_STRUCTURE_MAP: Final = ext.SDC + "sourceStructureMap"


class Asked:
    """One expression: FHIRPath in ``formula``, or a query where ``query`` is set."""

    __slots__ = ("formula", "query")

    def __init__(self, rule: str, raw: Any, element: Json) -> None:
        self.formula = Formula(rule, raw, Scope({}), element)
        self.query: Query | None = None
        if isinstance(raw, Mapping) and raw.get("language") == X_FHIR_QUERY:
            self.query = Query(str(raw.get("expression", "")), element)


class Batch:
    """The queries of a sourceQueries extension, by the id of the Bundle that holds them."""

    __slots__ = ("name", "queries")

    def __init__(self, name: str, queries: tuple[Query, ...]) -> None:
        self.name = name
        self.queries = queries


class Spot:
    """One item and how it is filled. ``fills`` when it, or anything in it, may be.

    ``context`` is the name and expression of itemPopulationContext. ``fixed`` are initial values
    and options selected at first, as (type, value). ``period`` is observationLinkPeriod, that of
    an item around it where it has none.
    """

    __slots__ = (
        "below", "context", "fills", "fixed", "initial", "item", "period", "raw", "variables",
    )  # fmt: skip

    def __init__(self, item: Item, raw: Json, period: Json | None) -> None:
        self.item = item
        self.raw = raw
        own = ext.value(item.extensions, OBSERVATION_LINK_PERIOD)
        self.period: Json | None = own if isinstance(own, Mapping) else period
        self.variables = variables_of(raw)
        self.context = _context(item, raw)
        given = item.extensions.get(ext.INITIAL_EXPRESSION, ())
        self.initial = (
            Asked("initialExpression", ext.value_of(given[0]), raw)
            if given and item.type not in ("group", "display")
            else None
        )
        self.fixed = tuple(_fixed(item, raw))
        self.below = tuple(
            Spot(inner, inner_raw, self.period)
            for inner, inner_raw in zip(item.items, raw.get("item", ()), strict=True)
        )
        observed = self.period is not None and bool(item.codes)
        self.fills: bool = (
            self.initial is not None
            or bool(self.fixed)
            or (observed and item.type not in ("group", "display"))
            or any(one.fills for one in self.below)
        )


class Plan:
    """How a form is filled. ``launched`` are its launch contexts with the types each takes."""

    __slots__ = ("batches", "launched", "spots", "unread", "variables")

    def __init__(self, form: Form) -> None:
        raw = form.questionnaire
        self.launched = dict(_launched(raw))
        self.variables = variables_of(raw)
        self.batches = tuple(_batches(raw))
        self.spots = tuple(
            Spot(item, inner, None)
            for item, inner in zip(form.items, raw.get("item", ()), strict=True)
        )
        urls = {one.get("url") for one in raw.get("extension", ())}
        self.unread = SOURCE_STRUCTURE_MAP in urls

    @property
    def names(self) -> frozenset[str]:
        """Every name that a context may be given under."""
        batches = {one.name for one in self.batches}
        more = {"sourceQueries"} if batches else set()
        return frozenset(self.launched) | frozenset(self.variables) | batches | more


def plan_of(form: Form) -> Plan:
    """The plan of a form, made when it is first asked for and kept with the form."""
    kept = form.__dict__.get("population")
    if not isinstance(kept, Plan):
        kept = form.__dict__["population"] = Plan(form)
    return kept


def variables_of(element: Json) -> dict[str, Asked]:
    """The variables that an element defines, in order; of two with one name the first."""
    found: dict[str, Asked] = {}
    for one in element.get("extension", ()):
        raw = one.get("valueExpression") if one.get("url") == ext.VARIABLE else None
        name = raw.get("name") if isinstance(raw, Mapping) else None
        if isinstance(name, str) and name not in RESERVED and name not in found:
            found[name] = Asked("variable", raw, element)
    return found


def _context(item: Item, raw: Json) -> tuple[str, Asked] | None:
    given = ext.value(item.extensions, ITEM_POPULATION_CONTEXT)
    if not isinstance(given, Mapping) or not isinstance(given.get("name"), str):
        return None
    return given["name"], Asked("itemPopulationContext", given, raw)


def _fixed(item: Item, raw: Json) -> Iterator[tuple[str, Any]]:
    for one in raw.get("initial", ()):
        found = choice(one, "value")
        if found is not None:
            yield found
    if "initial" not in raw:
        yield from ((one.kind, one.value) for one in item.options if one.initial)


def _launched(raw: Json) -> Iterator[tuple[str, tuple[str, ...]]]:
    for one in raw.get("extension", ()):
        if one.get("url") == LAUNCH_CONTEXT:
            parts = ext.by_url(one.get("extension"))
            name = ext.value(parts, "name")
            code = name.get("code") if isinstance(name, Mapping) else name
            if isinstance(code, str):
                yield code, tuple(str(type_) for type_ in ext.values(parts, "type"))


def _batches(raw: Json) -> Iterator[Batch]:
    for one in raw.get("extension", ()):
        reference = one.get("valueReference") if one.get("url") == SOURCE_QUERIES else None
        target = reference.get("reference") if isinstance(reference, Mapping) else None
        if not isinstance(target, str) or not target.startswith("#"):
            continue
        for inside in objects(raw.get("contained")):
            if inside.get("id") == target[1:] and inside.get("resourceType") == "Bundle":
                asked = (entry.get("request") for entry in objects(inside.get("entry")))
                urls = (one.get("url") for one in asked if isinstance(one, Mapping))
                queries = tuple(Query(url, raw) for url in urls if isinstance(url, str))
                yield Batch(target[1:], queries)
