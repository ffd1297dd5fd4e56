"""Rules that hang on an expression: constraints, calculated values, options given or taken away.

A constraint is kept when its expression is true; that nothing comes of it, and that it can not be
told, are outcomes of their own. https://hl7.org/fhir/uv/sdc/STU4/behavior.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from fhir_service.sdc import computed
from fhir_service.sdc.comparing import UnitsDiffer, equal
from fhir_service.sdc.expressions import Constraint, Formula, NotDecided, Toggle
from fhir_service.sdc.instances import Here
from fhir_service.sdc.items import ValueKind
from fhir_service.sdc.matching import is_among, is_recomputed
from fhir_service.sdc.plans import Plan
from fhir_service.sdc.response_model import ResponseItem, value_of
from fhir_service.sdc.validation.context import Check, Trail, place_of
from fhir_service.sdc.validation.occurrence import is_answered

if TYPE_CHECKING:
    from fhir_service.sdc.evaluation import Evaluation
    from fhir_service.sdc.expressions import ItemExpressions


@dataclass(slots=True)
class Instance:
    """One instance of an item that has expressions; ``item`` is None where it was not sent.

    ``trail`` is how the walk came to it, or to where it would stand.
    """

    plan: Plan
    expressions: ItemExpressions
    evaluation: Evaluation
    node: Here
    trail: Trail
    item: ResponseItem | None

    @property
    def place(self) -> str:
        """Its FHIRPath, or that of where it would stand."""
        return place_of(self.trail)

    @property
    def given(self) -> list[tuple[int, ValueKind, Any]]:
        """(number, type, value) of its answers."""
        answers = (self.item.answers or ()) if self.item is not None else ()
        return [
            (number, *found)
            for number, answer in enumerate(answers)
            if (found := value_of(answer)) is not None
        ]


def constraints(check: Check, here: Instance) -> None:
    """H1, H2, H3, H5: the invariants of an item, once for each instance.

    http://hl7.org/fhir/extensions/StructureDefinition-targetConstraint.html
    """
    for constraint in here.expressions.constraints:
        try:
            kept = here.evaluation.truth(constraint.formula, here.node)
        except NotDecided as why:
            here.evaluation.doubt(here.plan, constraint.formula.rule, why, here.node)
            continue
        if kept is None and _says_something(check, here):
            check.tell("constraint-open", here.place, here.plan, rule=constraint.key)
        elif kept is False:
            _broken(check, here, constraint)


def _says_something(check: Check, here: Instance) -> bool:
    """Whether anything was answered of which a constraint could be expected to tell."""
    if here.item is not None:
        return is_answered(here.item)
    return not here.plan.link_id and any(is_answered(item) for item in check.response.items)


def _broken(check: Check, here: Instance, constraint: Constraint) -> None:
    key = "constraint-broken" if constraint.grave else "constraint-warning"
    human = _in_language(constraint.human, check.language) or constraint.key
    form_key = (check.form.canonical or "", constraint.key)
    for place in _locations(here, constraint):
        check.tell(key, place, here.plan, form_key=form_key, human=human)


def _in_language(words: Mapping[str, str], language: str | None) -> str:
    for tag in (language, (language or "").partition("-")[0], ""):
        if tag is not None and tag in words:
            return words[tag]
    return ""


def _locations(here: Instance, constraint: Constraint) -> list[str]:
    """Where a constraint says that it is broken; the instance itself where it says nothing."""
    found: list[str] = []
    for formula in constraint.locations:
        try:
            nodes = here.evaluation.values(formula, here.node.real)
        except NotDecided as why:
            here.evaluation.doubt(here.plan, formula.rule, why, here.node)
            continue
        found += [
            place
            for one in nodes
            if (place := here.evaluation.instances.place_of(one)) is not None
        ]
    return list(dict.fromkeys(found)) or [here.place]


def calculated(check: Check, here: Instance) -> None:
    """H8: a value that was sent is the one that the form calculates.

    Another one is read as an override; where patients can not edit it, as an odd one.
    https://hl7.org/fhir/uv/sdc/STU4/StructureDefinition-sdc-questionnaire-calculatedExpression.html
    """
    given = [(kind, value) for _, kind, value in here.given]
    if not given:
        return
    for formula in here.expressions.calculated:
        found = _values(here, formula)
        if found is not None and not is_recomputed(given, found):
            read_only = here.plan.item.read_only
            key = "calculated-value-changed" if read_only else "calculated-value-differs"
            check.tell(key, here.place, here.plan)


def from_expression(check: Check, here: Instance) -> None:
    """G8: a coded answer is among those that answerExpression gives; open choices take words too.

    https://hl7.org/fhir/uv/sdc/STU4/StructureDefinition-sdc-questionnaire-answerExpression.html
    """
    for formula in here.expressions.answers:
        free = here.plan.item.type == "open-choice"
        asked = [one for one in here.given if not (free and one[1] == "string")]
        found = _values(here, formula) if asked else None
        if found is None:
            continue
        for number, kind, value in asked:
            among = is_among(kind, value, found)
            if among is None:
                why = NotDecided("The expression gives something else than answers.")
                here.evaluation.doubt(here.plan, formula.rule, why, here.node)
                break
            if not among:
                place = f"{here.place}.answer[{number}]"
                check.tell("answer-not-from-expression", place, here.plan)


def switched_off(check: Check, here: Instance) -> None:
    """G7: an option is chosen only while an expression that names it is true; empty is false.

    https://hl7.org/fhir/uv/sdc/STU4/StructureDefinition-sdc-questionnaire-answerOptionsToggleExpression.html
    """
    known: dict[int, bool | None] = {}
    for number, kind, value in here.given:
        naming = [one for one in here.expressions.toggles if _names(one, kind, value)]
        if not naming:
            continue
        for toggle in naming:
            if id(toggle) not in known:
                known[id(toggle)] = _on(here, toggle)
        verdicts = [known[id(toggle)] for toggle in naming]
        if True not in verdicts and None not in verdicts:
            check.tell("option-switched-off", f"{here.place}.answer[{number}]", here.plan)


def _on(here: Instance, toggle: Toggle) -> bool | None:
    try:
        return here.evaluation.truth(toggle.formula, here.node) is True
    except NotDecided as why:
        here.evaluation.doubt(here.plan, toggle.formula.rule, why, here.node)
        return None


def _names(toggle: Toggle, kind: ValueKind, value: Any) -> bool:
    try:
        return any(equal(kind, value, *option) for option in toggle.options)
    except UnitsDiffer:
        return False


def unread(check: Check, here: Instance) -> None:
    """C16: expressions that no rule here evaluates are told of."""
    del check
    for name in here.expressions.unread:
        why = NotDecided("Such an expression is not evaluated here.")
        here.evaluation.doubt(here.plan, name, why, here.node)


def _values(here: Instance, formula: Formula) -> list[Any] | None:
    try:
        return here.evaluation.json(formula, here.node)
    except NotDecided as why:
        here.evaluation.doubt(here.plan, formula.rule, why, here.node)
        return None


Rule = Callable[[Check, Instance], None]

RULES: Final[Mapping[str, Rule]] = {
    "answers": from_expression,
    "toggles": switched_off,
    "calculated": calculated,
    "constraints": constraints,
    "unread": unread,
}
"""The rules of an item that was sent, by the expressions of it that they evaluate."""

RULES_WITHOUT_ITEM: Final[tuple[Rule, ...]] = (constraints, unread)
"""Those of an item that was not."""


def enabled(check: Check, plan: Plan, here: Here) -> bool:
    """C15: what enableWhenExpression says of an item that was sent; what it can not say is yes."""
    evaluation = check.evaluation
    if evaluation is None or not plan.asking:
        return True
    verdict = evaluation.enabled(plan, here)
    if evaluation.doubts:
        _tell_doubts(check, evaluation)
    return verdict is not False


def effective(check: Check, plan: Plan, here: Here) -> Plan:
    """D8, F6, G16: the item as its computed elements make it for this instance."""
    evaluation = check.evaluation
    if evaluation is None or plan.expressions is None or not plan.expressions.computed:
        return plan
    made = computed.effective(plan, evaluation, here)
    if evaluation.doubts:
        _tell_doubts(check, evaluation)
    return made


def of_item(check: Check, plan: Plan, item: ResponseItem, here: Here, trail: Trail) -> None:
    """All rules of an enabled item that was sent."""
    evaluation, expressions = check.evaluation, plan.expressions
    if evaluation is not None and expressions is not None and expressions.told:
        instance = Instance(plan, expressions, evaluation, here, trail, item)
        for name in expressions.told:
            RULES[name](check, instance)
        if evaluation.doubts:
            _tell_doubts(check, evaluation)


def of_form(check: Check) -> None:
    """The rules that stand at the root of the form."""
    evaluation, root = check.evaluation, check.form.plan
    if evaluation is not None and root.expressions is not None:
        node = Here(lambda: evaluation.instances.index.root)
        here = Instance(root, root.expressions, evaluation, node, None, None)
        for rule in RULES_WITHOUT_ITEM:
            rule(check, here)
        _tell_doubts(check, evaluation)


def demanded(check: Check, plan: Plan, place: Trail, *, sent: bool) -> Plan | None:
    """The item as it is asked for at this place, where ``place`` is its own or what is around it.

    None where it is not asked for, or where this can not be told: nothing is demanded then. Of an
    item that was not sent, the rules are asked too: it means the same as one without answers.
    """
    evaluation, expressions = check.evaluation, plan.expressions
    if evaluation is None or expressions is None:
        return plan
    instances = evaluation.instances
    node = Here(partial(instances.at if sent else instances.below, plan, place))
    shown = evaluation.enabled(plan, node) if plan.asking else True
    made = computed.effective(plan, evaluation, node) if shown else plan
    if shown and not sent:
        here = Instance(made, expressions, evaluation, node, place, None)
        for rule in RULES_WITHOUT_ITEM:
            rule(check, here)
    _tell_doubts(check, evaluation)
    return made if shown else None


def _tell_doubts(check: Check, evaluation: Evaluation) -> None:
    """C16, H4, H11, H12: what could not be decided, once for each rule of an item."""
    while evaluation.doubts:
        doubt = evaluation.doubts.pop(0)
        key = "expression-too-costly" if doubt.costly else "expression-not-decided"
        place = evaluation.instances.place_of(doubt.node)
        check.tell(key, place, doubt.plan, rule=doubt.rule, why=doubt.says)
