"""Two devices, one response: what was changed on one of them is taken, what on both is asked.

``base`` is what both began with: the version that the page was made of lies in the history.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fhir_service.sdc.items import Item
from fhir_service.web.filling.drafts import is_declined, typed_in, value_alone, with_typed

Json = dict[str, Any]


def merge(items: Sequence[Item], base: Json, theirs: Json, mine: Json) -> tuple[Json, list[str]]:
    """(the response of both, the linkIds that both changed differently; there mine is kept)."""
    conflicts: list[str] = []
    made = {name: value for name, value in theirs.items() if name != "item"}
    merged = _level(
        items, base.get("item", []), theirs.get("item", []), mine.get("item", []), conflicts
    )
    if merged:
        made["item"] = merged
    before, now, own = typed_in(base), typed_in(theirs), typed_in(mine)
    typed = {
        name: texts
        for name in {*now, *own}
        if (texts := own.get(name) if own.get(name) != before.get(name) else now.get(name))
    }
    return with_typed(made, typed), conflicts


def _level(
    items: Sequence[Item],
    base: Sequence[Json],
    theirs: Sequence[Json],
    mine: Sequence[Json],
    conflicts: list[str],
) -> list[Json]:
    made: list[Json] = []
    for item in items:
        old, now, own = (
            [one for one in given if one.get("linkId") == item.link_id]
            for given in (base, theirs, mine)
        )
        if _said(own) == _said(old):
            made += now
        elif _said(now) in (_said(old), _said(own)):
            made += own
        elif item.type == "group" and not item.repeats:
            inner = _level(item.items, _inner(old), _inner(now), _inner(own), conflicts)
            if inner:
                made.append({**(now or own)[0], "item": inner})
        else:
            conflicts.append(item.link_id)
            made += own
    return made


def _inner(items: Sequence[Json]) -> Sequence[Json]:
    inner: Sequence[Json] = items[0].get("item", []) if items else []
    return inner


def _said(items: Sequence[Mapping[str, Any]]) -> list[Any]:
    """What the patient says in these items, whatever words stand around it."""
    return [
        (
            [(value_alone(a), _said(a.get("item", ()))) for a in item.get("answer", ())],
            is_declined(item),
            _said(item.get("item", ())),
        )
        for item in items
    ]
