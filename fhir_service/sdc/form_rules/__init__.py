"""Rules of a form: what R4 forbids is an error, what only bars an offer a warning.

http://hl7.org/fhir/R4/questionnaire.html#invs, http://hl7.org/fhir/uv/sdc/STU4/
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any, Final

from fhir_service.fhir.issues import Issue
from fhir_service.fhir.reading import ITEM_LEVELS
from fhir_service.fhir.resources import check_resource
from fhir_service.sdc.form_rules import (
    conditions,
    derivation,
    envelope,
    expression_rules,
    extension_rules,
    options,
    showing,
    structure,
    values,
)
from fhir_service.sdc.form_rules.circles import circles
from fhir_service.sdc.form_rules.translations import translations
from fhir_service.sdc.form_rules.tree import Known, Place, Tree, finding, plant

__all__ = ["MOST_FINDINGS", "MOST_ITEMS", "Known", "check_questionnaire"]

MOST_ITEMS: Final = 3_000
"""How many items a form may have; more would take over a second of CPU to look into."""

MOST_PARTS: Final = 6_000
"""How many options, conditions and extensions its items may have together."""

MOST_FINDINGS: Final = 500
"""A form with more is told of these, and that there are more."""

FORM_RULES: Final[tuple[Callable[[Tree], Iterator[Issue]], ...]] = (
    *envelope.RULES,
    *derivation.FORM_RULES,
    *extension_rules.FORM_RULES,
    *showing.FORM_RULES,
    circles,
    expression_rules.expression_findings,
    expression_rules.constraint_findings,
    translations,
)
"""Rules of the form as a whole."""

ITEM_RULES: Final[tuple[Callable[[Place, Tree], Iterator[Issue]], ...]] = (
    *structure.RULES,
    *options.RULES,
    *conditions.RULES,
    *values.RULES,
    *derivation.RULES,
    *extension_rules.RULES,
    *showing.RULES,
    expression_rules.regex,
)
"""Rules of one item."""


def check_questionnaire(
    questionnaire: Mapping[str, Any],
    known: Known | None = None,
    *,
    item_levels: int = ITEM_LEVELS,
) -> tuple[Issue, ...]:
    """Every finding on a Questionnaire as read_json gives it: of the form, then item by item.

    An ``error`` bars it from being stored; a finding that ``blocks_offer`` only from being offered
    to patients. ``known`` is asked for other forms and value sets; without it what needs them is
    told as not verified. Its items may lie ``item_levels`` deep in each other. Where its
    structure is wrong, only that is told.
    """
    if questionnaire.get("resourceType") not in ("Questionnaire", None):
        says = "The resource must be a Questionnaire."
        return (Issue("resource-type", "structure", says, expression="resourceType"),)
    large = _too_large(questionnaire, item_levels)
    if large is not None:
        return (large,)
    found = check_resource(questionnaire)
    if found:
        return found
    kept = list(islice(_found(plant(questionnaire, known)), MOST_FINDINGS + 1))
    if len(kept) > MOST_FINDINGS:
        says = f"Only the first {MOST_FINDINGS} findings are told."
        kept[-1] = Issue("more-findings", "too-costly", says, severity="information")
    return tuple(kept)


def _found(tree: Tree) -> Iterator[Issue]:
    """Those of the form, then item by item; errors first where not all of them are told."""
    whole = [issue for rule in FORM_RULES for issue in rule(tree)]
    items = [issue for one in tree.items for rule in ITEM_RULES for issue in rule(one, tree)]
    everything = sorted([*whole, *items], key=_place_in_form)
    if len(everything) > MOST_FINDINGS:
        everything.sort(key=lambda issue: issue.severity != "error")
    yield from everything


_NUMBERS: Final = re.compile(r"\.item\[(\d+)\]")


def _place_in_form(issue: Issue) -> list[int]:
    """The numbers of the items down to the one that a finding is on; none for the form itself."""
    return [int(number) for number in _NUMBERS.findall(issue.expression or "")]


def _too_large(questionnaire: Mapping[str, Any], levels: int) -> Issue | None:
    """Q36: the finding on a form with too many items, or with items too deep; None for others."""
    level: list[Any] = [questionnaire]
    count = parts = 0
    for _ in range(levels + 1):
        level = [inner for one in level for inner in _items(one)]
        count += len(level)
        parts += sum(_length(one, name) for one in level for name in _PARTS)
        if count > MOST_ITEMS:
            says = f"The form has more than {MOST_ITEMS} items."
            return finding("form-too-many-items", says, "Questionnaire.item")
        if parts > MOST_PARTS:
            says = f"The items have more than {MOST_PARTS} options, conditions and extensions."
            return finding("form-too-many-options", says, "Questionnaire.item")
        if not level:
            return None
    says = f"Items lie in each other deeper than {levels} levels."
    return finding("items-too-deep", says, "Questionnaire.item")


_PARTS = ("answerOption", "enableWhen", "extension")


def _length(element: Any, name: str) -> int:
    found = element.get(name) if isinstance(element, Mapping) else None
    return len(found) if isinstance(found, list) else 0


def _items(element: Any) -> list[Any]:
    found = element.get("item") if isinstance(element, Mapping) else None
    return found if isinstance(found, list) else []
