"""Red-flag rules: which fire on a response, on which answers.

A rule is a fixed safety net over what the patient ticked; it gives no diagnosis. Each shape of
condition means the same as its FHIRPath over all descendants of the response.
http://hl7.org/fhirpath/N1/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fhir_service.summary.answers import Answers, Given, Reading
from fhir_service.summary.mapping import Condition, Level, Rule, SummaryMapping, same_version


@dataclass(frozen=True, slots=True)
class Fired:
    """A rule that fired, its level, and the answers that it fired on, in the order of the rule."""

    rule: Rule
    level: Level
    because: tuple[Given, ...]


def fired(mapping: SummaryMapping, reading: Reading) -> tuple[Fired, ...]:
    """Every rule of this form version that fires, the most urgent first."""
    levels = {level.id: level for level in mapping.levels}
    form = reading.source.form
    found = []
    for rule in mapping.rules:
        if rule.url == form.url and same_version(rule.version, form.version):
            because = grounds(rule.when, reading.answers, reading.instances)
            if because is not None:
                found.append(Fired(rule, levels[rule.level], tuple(dict.fromkeys(because))))
    return tuple(sorted(found, key=lambda one: one.level.rank))


Grounds = tuple[Given, ...] | None


def grounds(
    condition: Condition, answers: Answers, instances: Mapping[str, list[Answers]]
) -> Grounds:
    """The answers that meet the condition, empty where it is met by an absence; None: not met.

    Where none of several may hold, the answers given instead are its grounds.
    """
    if condition.all or condition.any or condition.none:
        return _combined(condition, answers, instances)
    if condition.group is not None and condition.has is not None:
        within = instances.get(condition.group, [])
        met = [grounds(condition.has, instance, {}) for instance in within]
        return None if all(one is None for one in met) else _joined(met)
    if condition.lost is not None:
        return _lost(condition, answers)
    matching = tuple(
        given
        for given in answers.get(condition.link_id or "", ())
        if _matches(condition, given.answer.value)
    )
    return matching or None


def _combined(
    condition: Condition, answers: Answers, instances: Mapping[str, list[Answers]]
) -> Grounds:
    several = condition.all or condition.any or condition.none
    met = [grounds(one, answers, instances) for one in several]
    if condition.all:
        return None if None in met else _joined(met)
    if condition.any:
        return None if all(one is None for one in met) else _joined(met)
    if any(one is not None for one in met):
        return None
    return tuple(given for one in several for given in answers.get(one.link_id or "", ()))


def _joined(met: list[Grounds]) -> tuple[Given, ...]:
    return tuple(given for one in met if one is not None for given in one)


def _matches(condition: Condition, value: Any) -> bool:
    if condition.any_of:
        return isinstance(value, Mapping) and value.get("code") in condition.any_of
    if condition.at_least is not None:
        number = isinstance(value, int | Decimal) and not isinstance(value, bool)
        return number and value >= condition.at_least
    return isinstance(value, bool) and value is condition.is_


def _lost(condition: Condition, answers: Answers) -> Grounds:
    lost = answers.get(condition.lost or "", ())[:1]
    left = answers.get(condition.left or "", ())[:1]
    share = share_lost(lost, left)
    if share is None or condition.percent is None or share < condition.percent:
        return None
    return (*lost, *left)


def share_lost(lost: tuple[Given, ...], left: tuple[Given, ...]) -> Decimal | None:
    """How much was lost, in percent of what there was before.

    None where a quantity is missing or the two are not in the same unit code: different units are
    not compared.
    """
    if not lost or not left:
        return None
    quantities = (lost[0].answer.value, left[0].answer.value)
    if not all(isinstance(one, Mapping) and one.get("code") for one in quantities):
        return None
    if quantities[0]["code"] != quantities[1]["code"]:
        return None
    if not all(isinstance(one.get("value"), int | Decimal) for one in quantities):
        return None
    before = Decimal(quantities[0]["value"]) + Decimal(quantities[1]["value"])
    return Decimal(quantities[0]["value"]) * 100 / before if before > 0 else None
