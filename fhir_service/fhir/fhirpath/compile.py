"""From the tree of an expression to closures over collections.

http://hl7.org/fhirpath/N1/
"""

from __future__ import annotations

from functools import partial

from fhir_service.fhir.fhirpath import (
    functions_collections,
    functions_conversion,
    functions_existence,
    functions_fhir,
    functions_math,
    functions_strings,
    functions_time,
    functions_types,
)
from fhir_service.fhir.fhirpath.arithmetic import negated
from fhir_service.fhir.fhirpath.comparing import distinct
from fhir_service.fhir.fhirpath.environment import Run
from fhir_service.fhir.fhirpath.errors import ExpressionError
from fhir_service.fhir.fhirpath.functions_types import is_just, is_of, must_be_type
from fhir_service.fhir.fhirpath.limits import COST_OF_OPERATOR
from fhir_service.fhir.fhirpath.nodes import Collection, Node, members
from fhir_service.fhir.fhirpath.operators import OPERATORS, Operator
from fhir_service.fhir.fhirpath.registry import FUNCTIONS, Term, build, integer
from fhir_service.fhir.fhirpath.registry import Step as StepOf
from fhir_service.fhir.fhirpath.shapes import Shape, member_is_text, shape
from fhir_service.fhir.fhirpath.sorting import sorted_by
from fhir_service.fhir.fhirpath.syntax import (
    Call,
    Chain,
    Constant,
    Indexer,
    Member,
    Part,
    Path,
    Sign,
    Special,
    Step,
    TypeTest,
    Variable,
)
from fhir_service.fhir.fhirpath.types import UNKNOWN, Choice, Kind, choice_names, plain_names

FAMILIES = (
    functions_collections,
    functions_conversion,
    functions_existence,
    functions_fhir,
    functions_math,
    functions_strings,
    functions_time,
    functions_types,
)
"""The modules that enter functions; importing them fills the table."""

_TRUE, _FALSE = [True], [False]
_TYPE_FUNCTIONS = ("is", "as", "ofType")


def compiled(part: Part) -> Term:  # noqa: PLR0911 (one line for each kind of part)
    """The closure of a part. Raises ExpressionError for unknown functions, types and elements."""
    if isinstance(part, Constant):
        return _constant(part)
    if isinstance(part, Path):
        return _path(part)
    if isinstance(part, Chain):
        return _chain(part)
    if isinstance(part, Variable):
        return lambda run: run.named(part.name, part.position)
    if isinstance(part, Special):
        return _special(part)
    if isinstance(part, Sign):
        of = compiled(part.of)
        return (lambda run: negated(of(run))) if part.minus else of
    return _type_test(part)


def _constant(part: Constant) -> Term:
    value = part.value
    if value is None:
        return lambda _run: []
    return lambda _run: [value]


def _special(part: Special) -> Term:
    if part.name == "$this":
        return lambda run: run.focus
    if part.name == "$total":
        return lambda run: run.total

    def number(run: Run) -> Collection:
        return [] if run.number is None else [run.number]

    return number


def _type_test(part: TypeTest) -> Term:
    of = compiled(part.of)
    step = _typed(part.operator, part.type_name, part.position)
    return lambda run: step(run, of(run))


def _typed(operator: str, type_name: str, position: int) -> StepOf:
    namespace, name = must_be_type(type_name, position)

    def step(run: Run, items: Collection) -> Collection:
        run.spend(len(items))
        if operator == "ofType":
            return [item for item in items if is_just(item, namespace, name)]
        if len(items) > 1:
            raise ExpressionError(f"Several items stand where “{operator}” allows one.", position)
        if operator == "is":
            return [is_of(item, namespace, name) for item in items]
        return [item for item in items if is_just(item, namespace, name)]

    return step


def _chain(part: Chain) -> Term:
    if part.rest[0][0] == "|":
        return _union(part)
    quick = member_is_text(part)
    first = compiled(part.first)
    rest = [(OPERATORS[sign], compiled(right), position) for sign, right, position in part.rest]
    if len(rest) > 1:
        return _row(first, rest)
    made = _binary(first, *rest[0])
    return made if quick is None else _quick_equality(*quick, made)


def _binary(left: Term, operation: Operator, right: Term, position: int) -> Term:
    def term(run: Run) -> Collection:
        run.spend(COST_OF_OPERATOR)
        try:
            return operation(run, left, right)
        except ExpressionError as error:
            raise error.at(position) from None

    return term


def _row(first: Term, rest: list[tuple[Operator, Term, int]]) -> Term:
    """Many operators of one rank, from the left, without a call in a call for each."""

    def term(run: Run) -> Collection:
        made = first(run)
        for operation, right, position in rest:
            made = _binary(partial(_kept, made), operation, right, position)(run)
        return made

    return term


def _kept(items: Collection, _run: Run) -> Collection:
    return items


def _union(part: Chain) -> Term:
    parts = [compiled(one) for one in (part.first, *(one for _, one, _ in part.rest))]
    return lambda run: distinct(run, [item for one in parts for item in one(run)])


def _quick_equality(name: str, text: str, general: Term) -> Term:
    """``name = 'text'`` where the run stands on one object with a plain text of this name."""

    def term(run: Run) -> Collection:
        focus = run.focus
        if len(focus) == 1 and type(focus[0]) is Node:
            item = focus[0]
            value = item.value
            if type(value) is dict and type(value.get(name)) is str:
                kind = item.kind.children.get(name)
                if type(kind) is Kind and kind.family == "string":
                    return _TRUE if value[name] == text else _FALSE
        return general(run)

    return term


def _path(part: Path) -> Term:
    found = shape(part)
    if found is not None:
        return _indexed(part, found)
    return _walked(part.start, part.steps)


def _walked(start: Part | None, parts: tuple[Step, ...]) -> Term:
    begin = None if start is None else compiled(start)
    if begin is None and isinstance(parts[0], Member):
        begin, parts = _first_member(parts[0]), parts[1:]
    steps = [_step(one) for one in parts]

    def term(run: Run) -> Collection:
        items = run.focus if begin is None else begin(run)
        for step in steps:
            items = step(run, items)
        return items

    return term


def _indexed(part: Path, found: Shape) -> Term:
    walked = _walked(part.start, part.steps)
    steps = [_step(one) for one in part.steps[2:]]
    link_ids = found.link_ids

    def term(run: Run) -> Collection:
        index = run.environment.usable_index()
        if index is None:
            return walked(run)
        if found.reach == "anywhere":
            items: Collection = list(index.anywhere(link_ids))
        elif found.reach == "top":
            items = list(index.on_top(link_ids))
        else:
            items = distinct(run, index.through_items(link_ids))
        run.spend(1 + len(items))
        for step in steps:
            items = step(run, items)
        return items

    asks_values = found.reach == "anywhere" and _names(part.steps[2:4]) == _VALUES
    return _of_answers(link_ids, steps[2:], term) if asks_values else term


_VALUES = ["answer", "value"]


def _names(steps: tuple[Step, ...]) -> list[str]:
    return [step.name for step in steps if isinstance(step, Member)]


def _of_answers(link_ids: tuple[str, ...], rest: list[StepOf], general: Term) -> Term:
    """The values of the answers to these linkIds, which the environment may know at once."""

    def term(run: Run) -> Collection:
        ask = run.environment.answers
        found = None if ask is None else ask(link_ids)
        if found is None:
            return general(run)
        run.spend(1 + 3 * len(found))
        items = found
        for step in rest:
            items = step(run, items)
        return items

    return term


def _step(part: Step) -> StepOf:
    if isinstance(part, Member):
        return _member(part)
    if isinstance(part, Indexer):
        return _indexer(part)
    return _call(part)


def _first_member(part: Member) -> Term:
    """The first step of a path, which may also be the type of what it stands on."""
    step = _member(part)
    name = part.name
    if not name[:1].isupper():
        return lambda run: step(run, run.focus)

    def term(run: Run) -> Collection:
        focus = run.focus
        if focus and all(type(item) is Node and item.kind.is_a(name) for item in focus):
            return focus
        return step(run, focus)

    return term


def _member(part: Member) -> StepOf:
    name = part.name
    choice = choice_names().get(name)
    if choice is not None and name not in plain_names():
        raise _written(name, choice, part.position)

    def step(run: Run, items: Collection) -> Collection:
        made: Collection = []
        for item in items:
            if type(item) is Node:
                members(item, name, made)
        run.spend(len(items) + len(made))
        if not made and (choice is not None or run.environment.strict):
            _must_have(items, part, choice, run.environment.strict)
        return made

    return step


def _written(name: str, choice: str, position: int) -> ExpressionError:
    says = f"“{name}” is written “{choice}” in FHIRPath, with ofType() for the type."
    return ExpressionError(says, position)


def _must_have(items: Collection, part: Member, choice: str | None, strict: bool) -> None:
    """Raise ExpressionError for an element that a type does not have.

    A JSON name of a choice is always refused; nothing else is found wrong unless ``strict``.
    """
    for item in items:
        kind = item.kind if type(item) is Node else UNKNOWN
        of = None if choice is None else kind.children.get(choice)
        if choice is not None and isinstance(of, Choice) and part.name in of:
            raise _written(part.name, choice, part.position)
        if strict and kind is not UNKNOWN and part.name not in kind.children:
            says = f"{kind.name} has no element “{part.name[:40]}”."
            raise ExpressionError(says, part.position)


def _indexer(part: Indexer) -> StepOf:
    number = compiled(part.place)

    def step(run: Run, items: Collection) -> Collection:
        try:
            place = integer(number(run))
        except ExpressionError as error:
            raise error.at(part.position) from None
        return [] if place is None or place < 0 else items[place : place + 1]

    return step


def _call(part: Call) -> StepOf:
    name, arguments = part.name, part.arguments
    if name in _TYPE_FUNCTIONS:
        return _typed(name, _type_argument(part), part.position)
    if name == "sort":
        return sorted_by(
            [_sort_key(one) for one in arguments],
            part.position,
        )
    found = FUNCTIONS.get(name)
    if found is None:
        raise ExpressionError(f"There is no function {name[:40]}().", part.position)
    if not found.least <= len(arguments) <= found.most:
        says = f"{name}() takes {_so_many(found.least, found.most)}, not {len(arguments)}."
        raise ExpressionError(says, part.position)
    return build(found, [compiled(one) for one in arguments], part.position)


def _sort_key(part: Part) -> tuple[Term, bool]:
    """A key to sort by; a minus before it makes it fall, also where it is no number."""
    if isinstance(part, Sign) and part.minus:
        return compiled(part.of), True
    return compiled(part), False


def _so_many(least: int, most: int) -> str:
    told = f"{least} to {most}" if least != most else str(least)
    return f"{told} argument{'' if told == '1' else 's'}"


def _type_argument(part: Call) -> str:
    if len(part.arguments) == 1 and isinstance(part.arguments[0], Path):
        path = part.arguments[0]
        names = [step.name for step in path.steps if isinstance(step, Member)]
        if path.start is None and len(names) == len(path.steps) <= 2:  # noqa: PLR2004 (space.name)
            return ".".join(names)
    raise ExpressionError(f"{part.name}() takes the name of a type.", part.position)
