"""Where a finding belongs in the order of the form, worked out from form and response as JSON."""

from __future__ import annotations

import re
from typing import Any

from fhir_service.fhir.issues import Issue

Json = dict[str, Any]
Place = tuple[tuple[int, int, int], ...]


def place_in_form(form: Json, response: Json, issue: Issue) -> Place:
    """A sort key: for each level the item's number in the form, in the response, the answer's.

    An item that the form has not comes right after the one before it; one that was not sent
    (a finding that asks for it) where it would stand, before what the form has behind it.
    """
    asked, given, made = form, response, []
    for item, answer in re.findall(r"item\[(\d+)\](?:\.answer\[(\d+)\])?", issue.expression or ""):
        siblings = given["item"]
        given = siblings[int(item)]
        made.append((number_in(asked, siblings, int(item)), int(item), int(answer or -1)))
        asked = next((one for one in below(asked) if one["linkId"] == given["linkId"]), {})
        if answer:
            given = given["answer"][int(answer)]
    if issue.link_id is not None and issue.link_id != asked.get("linkId"):
        made += [(number, -1, -1) for number in way_to(asked, issue.link_id)]
    return tuple(made)


def number_in(asked: Json, siblings: list[Json], number: int) -> int:
    """The number in the form of one of these items; of an unknown one that of the one before."""
    link_ids = [one["linkId"] for one in below(asked)]
    for one in reversed(siblings[: number + 1]):
        if one["linkId"] in link_ids:
            return link_ids.index(one["linkId"])
    return -1


def way_to(asked: Json, link_id: str) -> list[int]:
    """The numbers of the items down to this one; none where it does not lie there."""
    for number, one in enumerate(below(asked)):
        if one["linkId"] == link_id:
            return [number]
        deeper = way_to(one, link_id)
        if deeper:
            return [number, *deeper]
    return []


def below(asked: Json) -> list[Json]:
    """The items directly in an item of the form."""
    items: list[Json] = asked.get("item", [])
    return items
