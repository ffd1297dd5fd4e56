"""Works out the Plans of a form, once per form version.

For this package alone. http://hl7.org/fhir/R4/questionnaire.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fhir_service.sdc import extensions as ext
from fhir_service.sdc.conditions import Asked, asked_of
from fhir_service.sdc.expressions import ItemExpressions, Scope
from fhir_service.sdc.items import Condition, Item
from fhir_service.sdc.plainly import test_for
from fhir_service.sdc.plans import Entry, Plan, Source


def _computed_texts(items: Sequence[Mapping[str, Any]]) -> set[str]:
    """The linkIds of the items whose text is computed."""
    found = set()
    for item in items:
        extensions = ext.by_url(item.get("_text", {}).get("extension"))
        if ext.CQF_EXPRESSION in extensions or ext.CQF_CALCULATED_VALUE in extensions:
            found.add(item["linkId"])
        found |= _computed_texts(item.get("item", ()))
    return found


def plan_items(
    questionnaire: Mapping[str, Any], items: tuple[Item, ...]
) -> tuple[Plan, Mapping[str, Plan]]:
    """The Plan of a form (its children are the root items), and all Plans by linkId."""
    root_item = Item(
        link_id="",
        type="group",
        texts={},
        items=items,
        extensions=ext.by_url(questionnaire.get("extension")),
    )
    root = Plan(root_item, 0, None)
    known: dict[str, Plan] = {}
    _grow(root, known)
    order = {link_id: number for number, link_id in enumerate(known)}
    for plan in known.values():
        plan.sources = tuple(
            _source(plan, condition, known, order) for condition in plan.item.enable_when
        )
    computed = _computed_texts(questionnaire.get("item", ()))
    for link_id in computed & known.keys():
        known[link_id].computed_text = True
    root.weighed = tuple(plan for plan in known.values() if _weighs(plan))
    if root.unresolved or any(plan.unresolved for plan in known.values()):
        root.expressive = True
        _attach(root, questionnaire, Scope({}), 0)
    _settle(root)
    for plan in known.values():
        plan.tested = test_for(plan)
        plan.test = plan.tested if plan.expressions is None else None
        plan.plain_group = plan.is_group and not plan.watched and plan.expressions is None
    for plan in (root, *known.values()):
        plan.flat = plan.plain_group and not any(one.is_group for one in plan.children.values())
    sources = {source.condition.question for plan in known.values() for source in plan.sources}
    for link_id in sources & known.keys():
        known[link_id].sought = True
    alike: dict[Entry, Entry] = {}
    for plan in (root, *known.values()):
        plan.table = {
            link_id: alike.setdefault(entry := _entry(child), entry)
            for link_id, child in plan.children.items()
            if child.test is not None and not child.children
        }
    return root, known


def _entry(plan: Plan) -> Entry:
    if plan.test is None:
        raise ValueError("an item without a test has no entry")
    kept = plan if plan.sought or plan.sources else None
    return plan.index, plan.test, plan.wanted, _asks(plan.sources), kept


def _asks(sources: Sequence[Source]) -> tuple[str, Asked] | tuple[()] | None:
    """What an Entry says of the conditions."""
    if not sources:
        return None
    plan, asked = sources[0].plan, sources[0].asked
    if len(sources) > 1 or asked is None or plan is None or plan.conditional:
        return ()
    return sources[0].condition.question, asked


def _weighs(plan: Plan) -> bool:
    """Whether it hangs on a quantity, outside all that repeats."""
    around = any(one.repeats for one in plan.ancestors)
    return not around and any(source.condition.kind == "Quantity" for source in plan.sources)


def _grow(plan: Plan, known: dict[str, Plan]) -> None:
    for index, item in enumerate(plan.item.items):
        child = Plan(item, index, plan)
        plan.children[item.link_id] = child
        known[item.link_id] = child
        _grow(child, known)


def _attach(plan: Plan, raw: Mapping[str, Any], scope: Scope, level: int) -> None:
    """Give each item its expressions, with the variables that they know."""
    inner = scope.with_variables(raw, level)
    if plan.unresolved:
        plan.expressions = ItemExpressions(raw, inner)
    for item in raw.get("item", ()):
        _attach(plan.children[item["linkId"]], item, inner, level + 1)


def _settle(plan: Plan) -> None:
    """Work out what asks for something even where nothing was sent, and what is plain."""
    line = (*plan.ancestors, plan)
    plan.conditional = tuple(one for one in line if has_condition(one))
    for child in plan.children.values():
        _settle(child)
    plan.demanding = tuple(child for child in plan.children.values() if child.wanted)
    plan.quick = plan.quick_but_for(())
    plan.plain = not (plan.limits or plan.unresolved or plan.item.answer_value_set)


def has_condition(plan: Plan) -> bool:
    """Whether the item itself is shown only under conditions that can be decided."""
    return bool(plan.sources) or plan.asking


def _source(
    plan: Plan, condition: Condition, known: Mapping[str, Plan], order: Mapping[str, int]
) -> Source:
    source = known.get(condition.question)
    if source is None:
        return Source(condition, None, None, (), flat=False, own=False)
    around = [one for one in plan.ancestors if one in (*source.ancestors, source)]
    base = next((one for one in reversed(around) if one.repeats), None)
    own = base is source
    way = (*source.ancestors, source)
    path = way[way.index(base) + 1 :] if base is not None else way[1:]
    flat = base is None and not any(one.repeats for one in path[:-1])
    asked = asked_of(condition) if flat else None
    earlier = order[source.link_id] < order[plan.link_id]
    return Source(condition, source, base, path, flat=flat, own=own, asked=asked, earlier=earlier)


def plans(root: Plan) -> Iterator[Plan]:
    """Every plan under this one, in the order of the form."""
    for child in root.children.values():
        yield child
        yield from plans(child)
