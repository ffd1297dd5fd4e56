"""Rules of forms made from forms: derived ones, and those to be assembled.

http://hl7.org/fhir/uv/sdc/STU4/modular.html,
http://hl7.org/fhir/extensions/StructureDefinition-questionnaire-derivationType.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from fhir_service.fhir.issues import Issue
from fhir_service.sdc import extensions as ext
from fhir_service.sdc.form_rules.tree import ROOT, Json, Place, Tree, finding, plant
from fhir_service.sdc.item_reading import choice
from fhir_service.sdc.plans import value_key

DERIVATION_TYPE = ext.CORE + "questionnaire-derivationType"
SUB_QUESTIONNAIRE = ext.SDC + "subQuestionnaire"
ASSEMBLE_EXPECTATION = ext.SDC + "assemble-expectation"

_STRICT = ("compliesWith", "extends")


def derivation(tree: Tree) -> Iterator[Issue]:
    """Q29: what extends another form takes its answers; what complies with one is taken by it."""
    kind = _kind(tree)
    for number, canonical in enumerate(tree.raw.get("derivedFrom", ())):
        where = f"{ROOT}.derivedFrom[{number}]"
        if kind not in _STRICT:
            continue
        base = tree.known.questionnaire(canonical) if tree.known else None
        if base is None:
            says = f"{canonical} is not known here; what it asks for is not compared."
            yield finding("form-base-unknown", says, where)
            continue
        yield from _compared(tree, plant(base), kind, where)


def _kind(tree: Tree) -> str:
    """How the form is derived; "" where it does not say."""
    sibling = ext.by_url(tree.raw.get("extension"))
    found = ext.value(sibling, DERIVATION_TYPE)
    for one in tree.raw.get("_derivedFrom", ()):
        found = found or ext.value(ext.by_url((one or {}).get("extension")), DERIVATION_TYPE)
    code = found.get("code") if isinstance(found, dict) else found
    return str(code or "")


def _compared(tree: Tree, base: Tree, kind: str, where: str) -> Iterator[Issue]:
    """compliesWith: its responses keep the other's rules. extends: the other's keep its own."""
    extends = kind == "extends"
    for place in tree.items:
        other = base.by_link_id.get(place.link_id)
        if other is not None:
            loose, strict = (other, place) if extends else (place, other)
            for why in _looser(loose, strict):
                yield place.tell("form-derived-differs", f"{why} ({kind})")
        elif place.raw.get("required") if extends else place.type not in ("group", "display"):
            says = f"the other form has no such item, which {kind} does not allow."
            yield place.tell("form-derived-extra", says)
    for other in base.items:
        needed = other.type != "display" if extends else other.raw.get("required")
        if needed and other.link_id not in tree.by_link_id:
            says = f"The item “{other.link_id}” of the other form is missing."
            yield finding("form-derived-missing", says, where, other.link_id)


def _looser(loose: Place, strict: Place) -> Iterator[str]:
    """Why the first allows what the second does not."""
    raw, other = loose.raw, strict.raw
    if loose.type != strict.type:
        yield "the types differ."
        return
    if other.get("required") and not raw.get("required"):
        yield "one asks for an answer, the other does not."
    if raw.get("repeats") and not other.get("repeats"):
        yield "one repeats, the other does not."
    if "maxLength" in other and raw.get("maxLength", other["maxLength"] + 1) > other["maxLength"]:
        yield "the one takes longer answers than the other."
    if "answerOption" in other and not _offered(raw) <= _offered(other):
        yield "the one has options that the other has not."


def _offered(raw: Json) -> set[Any]:
    found = (choice(one, "value") for one in raw.get("answerOption", ()))
    return {value_key(*one) for one in found if one is not None}


def subforms(place: Place, tree: Tree) -> Iterator[Issue]:
    """Q30: another form is put in where a display stands, and it is known."""
    if not place.has(SUB_QUESTIONNAIRE):
        return
    if place.type != "display":
        says = "another form takes the place of a display, and this is none."
        yield place.tell("form-subform-type", says)
    canonical = place.value(SUB_QUESTIONNAIRE)
    known = isinstance(canonical, str) and tree.known is not None
    if not known or tree.known is None or tree.known.questionnaire(canonical) is None:
        yield place.tell("form-subform-unknown", f"the form {canonical} is not known here.")


def assembled(tree: Tree) -> Iterator[Issue]:
    """Q30: a form that has to be assembled first, or is a part of others, is not whole."""
    expected = ext.value(tree.extensions, ASSEMBLE_EXPECTATION)
    parts = any(place.has(SUB_QUESTIONNAIRE) for place in tree.items)
    child = isinstance(expected, str) and expected == "assemble-child"
    root = isinstance(expected, str) and expected.startswith("assemble-root")
    if parts or child or root:
        says = "The form is not whole: it is assembled from others, or a part of one."
        yield finding("form-not-assembled", says, ROOT)


FORM_RULES: Final[tuple[Callable[[Tree], Iterator[Issue]], ...]] = (derivation, assembled)
RULES: Final[tuple[Callable[[Place, Tree], Iterator[Issue]], ...]] = (subforms,)
