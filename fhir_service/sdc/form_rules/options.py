"""Rules of options: where they may stand, of which type they are, where they come from.

http://hl7.org/fhir/R4/questionnaire-definitions.html#Questionnaire.item.answerOption
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from fhir_service.fhir.canonical import read_canonical
from fhir_service.fhir.issues import Issue
from fhir_service.sdc import extensions as ext
from fhir_service.sdc.form_rules.tree import Place, Tree
from fhir_service.sdc.item_reading import choice

BINDING_PARAMETER = "http://hl7.org/fhir/tools/StructureDefinition/binding-parameter"
PREFERRED = "http://hl7.org/fhir/StructureDefinition/preferredTerminologyServer"

_OPTION_TYPES = frozenset(
    {
        "choice",
        "open-choice",
        "decimal",
        "integer",
        "date",
        "dateTime",
        "time",
        "string",
        "quantity",
    }
)
_OPTION_KINDS: Mapping[str, frozenset[str]] = {
    "integer": frozenset({"integer"}),
    "date": frozenset({"date"}),
    "time": frozenset({"time"}),
    "string": frozenset({"string"}),
}


def options(place: Place, _: Tree) -> Iterator[Issue]:
    """Q3, Q17, que-4, que-5: where options may stand, and of which type they are."""
    given, value_set = place.raw.get("answerOption"), place.raw.get("answerValueSet")
    if given and value_set:
        says = "options and a value set exclude each other."
        yield place.tell("form-options-and-value-set", says, "answerValueSet")
    if (given or value_set) and place.type not in _OPTION_TYPES:
        yield place.tell("form-options-type", f"an item of type {place.type} has no options.")
    expected = _OPTION_KINDS.get(place.type)
    for number, option in enumerate(given or ()):
        found = choice(option, "value")
        where = f"answerOption[{number}]"
        if found is not None and expected is not None and found[0] not in expected:
            says = f"the option must be of type {place.type}."
            yield place.tell("form-option-kind", says, f"{where}.value")


def answer_expression(place: Place, _: Tree) -> Iterator[Issue]:
    """Q4: answerExpression takes the place of options and of a value set.

    http://hl7.org/fhir/uv/sdc/STU4/StructureDefinition-sdc-questionnaire.html
    """
    raw = place.raw
    if place.has(ext.ANSWER_EXPRESSION) and (raw.get("answerOption") or "answerValueSet" in raw):
        says = "answerExpression stands beside other options."
        yield place.tell("form-answer-expression-with-options", says)


def source(place: Place, _: Tree) -> Iterator[Issue]:
    """Q19: there is something to choose from."""
    raw = place.raw
    given = raw.get("answerOption") or "answerValueSet" in raw or "_answerValueSet" in raw
    if place.type == "choice" and not given and "definition" not in raw:
        if place.has(ext.ANSWER_EXPRESSION, ext.CANDIDATE_EXPRESSION):
            return
        says = "nothing can be chosen here: no options, value set or expression."
        yield place.tell("form-choice-empty", says)


def option_once(place: Place, _: Tree) -> Iterator[Issue]:
    """Q17: no option twice."""
    seen = set()
    for number, option in enumerate(place.raw.get("answerOption", ())):
        found = choice(option, "value")
        key = None if found is None else _key(*found)
        if key in seen and key is not None:
            says = "the same option stands here twice."
            yield place.tell("form-option-twice", says, f"answerOption[{number}]")
        seen.add(key)


def _key(kind: str, value: Any) -> Any:
    if not isinstance(value, Mapping):
        return kind, value
    if kind == "Reference":
        return kind, value.get("reference")
    code = value.get("code")
    return kind, value.get("system"), code, value.get("display") if code is None else None


def option_codings(place: Place, _: Tree) -> Iterator[Issue]:
    """Q17: a Coding has a code or words; a code has its system and words."""
    for number, option in enumerate(place.raw.get("answerOption", ())):
        coding = option.get("valueCoding")
        if not isinstance(coding, Mapping):
            continue
        where = f"answerOption[{number}].value"
        if "code" not in coding and "display" not in coding:
            yield place.tell("form-option-empty", "the option has neither code nor words.", where)
        elif "code" in coding and "system" not in coding:
            yield place.tell("form-option-system", "the code has no system.", where)
        elif "code" in coding and "display" not in coding:
            yield place.tell("form-option-display", "the option has no words to show.", where)


def selected(place: Place, _: Tree) -> Iterator[Issue]:
    """Q7: several options are selected at first only where several may be chosen."""
    first = [one for one in place.raw.get("answerOption", ()) if one.get("initialSelected")]
    if len(first) > 1 and not place.raw.get("repeats"):
        says = "several options are selected at first; one may be chosen."
        yield place.tell("form-initial-selected-several", says, "answerOption")


def value_set(place: Place, tree: Tree) -> Iterator[Issue]:
    """Q20: the value set is there, and named with its version."""
    named = place.raw.get("answerValueSet")
    if named is None:
        return
    where = "answerValueSet"
    if named.startswith("#"):
        if not contains(tree, named[1:], "ValueSet"):
            says = f"the form contains no value set {named}."
            yield place.tell("form-contained-missing", says, where)
        return
    if tree.known is None or tree.known.value_set(named, tree.raw) is None:
        says = f"the value set {named} is not known here; its codes are not checked."
        yield place.tell("form-value-set-unknown", says, where)
    canonical = read_canonical(named)
    if canonical is None or canonical.version is None:
        says = "the value set is named without version; another answer tomorrow is possible."
        yield place.tell("form-value-set-unpinned", says, where)


def contains(tree: Tree, id_: str, type_: str | None = None) -> bool:
    """Whether the form contains a resource with this id, and of this type where given."""
    found = tree.contained.get(id_)
    return found is not None and type_ in (None, found.get("resourceType"))


def binding_parameters(place: Place, tree: Tree) -> Iterator[Issue]:
    """Q35: a parameter for the value set is one that the value set declares.

    http://hl7.org/fhir/tools/StructureDefinition-binding-parameter.html
    """
    sibling = place.raw.get("_answerValueSet", {})
    given = ext.by_url(sibling.get("extension")).get(BINDING_PARAMETER, ())
    named = place.raw.get("answerValueSet")
    if not given or named is None:
        return
    declared = _declared(tree, named)
    for extension in given:
        name = ext.value(ext.by_url(extension.get("extension")), "name")
        if declared is not None and name not in declared:
            says = f"the value set declares no parameter {name}."
            yield place.tell("form-binding-parameter", says, "answerValueSet")


def _declared(tree: Tree, named: str) -> frozenset[Any] | None:
    """The names of the parameters that a value set declares; None where it is not known."""
    if named not in tree.declared:
        if named.startswith("#"):
            found = tree.contained.get(named[1:])
        else:
            found = tree.known.value_set(named, tree.raw) if tree.known else None
        tree.declared[named] = None if found is None else _parameters(found)
    return tree.declared[named]


def _parameters(value_set_: Mapping[str, Any]) -> frozenset[Any]:
    return frozenset(
        ext.value(ext.by_url(one.get("extension")), "name")
        for element in (value_set_, value_set_.get("compose", {}))
        for one in element.get("extension", ())
        if one.get("url", "").endswith("/valueset-parameter")
    )


RULES: Final[tuple[Callable[[Place, Tree], Iterator[Issue]], ...]] = (
    options,
    answer_expression,
    source,
    option_once,
    option_codings,
    selected,
    value_set,
    binding_parameters,
)
