"""Rules of extensions: where each may stand, which have successors; definitions and codes.

http://hl7.org/fhir/R4/questionnaire-profiles.html, http://hl7.org/fhir/extensions/extension-registry.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from fhir_service.fhir.issues import Issue
from fhir_service.sdc import extensions as ext
from fhir_service.sdc.form_rules.options import contains
from fhir_service.sdc.form_rules.tree import ROOT, Json, Place, Tree, finding

OBSERVATION_LINK_PERIOD = ext.SDC + "observationLinkPeriod"
OBSERVATION_EXTRACT = ext.SDC + "observationExtract"

_FORM, _ITEM, _OPTION = "the form", "an item", "an option"

_PLACES: Mapping[str, tuple[str, ...]] = {
    ext.HIDDEN: (_ITEM,),
    ext.ITEM_CONTROL: (_ITEM,),
    ext.MIN_OCCURS: (_ITEM,),
    ext.MAX_OCCURS: (_ITEM,),
    ext.OPTION_EXCLUSIVE: (_OPTION,),
    ext.MIN_VALUE: (_ITEM,),
    ext.MAX_VALUE: (_ITEM,),
    ext.MIN_QUANTITY: (_ITEM,),
    ext.MAX_QUANTITY: (_ITEM,),
    ext.MIN_LENGTH: (_ITEM,),
    ext.MAX_DECIMAL_PLACES: (_ITEM,),
    ext.MAX_SIZE: (_ITEM,),
    ext.MIME_TYPE: (_ITEM,),
    ext.UNIT: (_ITEM,),
    ext.UNIT_OPTION: (_ITEM,),
    ext.UNIT_VALUE_SET: (_ITEM,),
    ext.UNIT_OPEN: (_ITEM,),
    ext.CONSTRAINT: (_FORM, _ITEM),
    ext.TARGET_CONSTRAINT: (_FORM, _ITEM),
    ext.VARIABLE: (_FORM, _ITEM),
    ext.ENABLE_WHEN_EXPRESSION: (_ITEM,),
    ext.CALCULATED_EXPRESSION: (_ITEM,),
    ext.ANSWER_EXPRESSION: (_ITEM,),
    ext.CANDIDATE_EXPRESSION: (_ITEM,),
    ext.INITIAL_EXPRESSION: (_ITEM,),
    ext.OPTIONS_TOGGLE: (_ITEM,),
    ext.SDC + "launchContext": (_FORM,),
    ext.SDC + "sourceQueries": (_FORM,),
    ext.SDC + "itemPopulationContext": (_ITEM,),
    ext.SDC + "assemble-expectation": (_FORM,),
    ext.SDC + "subQuestionnaire": (_ITEM,),
    OBSERVATION_LINK_PERIOD: (_FORM, _ITEM),
    OBSERVATION_EXTRACT: (_FORM, _ITEM),
}
"""Where each extension has its meaning, by the context that its page names."""

_SUCCESSORS: Mapping[str, str] = {
    ext.CONSTRAINT: "targetConstraint",
    ext.ORDINAL_VALUE: "itemWeight",
    ext.CQF_CALCULATED_VALUE: "cqf-expression",
    ext.CORE + "questionnaire-ordinalValue": "itemWeight",
    ext.SDC + "itemExtractionContext": "definitionExtract",
}
"""Extensions that have a successor; one that stands beside its successor is left alone."""


def form_places(tree: Tree) -> Iterator[Issue]:
    """Q33: the form's own extensions have their meaning there."""
    yield from _misplaced(tree.raw, ROOT, _FORM, None)


def places(place: Place, _: Tree) -> Iterator[Issue]:
    """Q33: extensions of an item and of its options have their meaning there."""
    yield from _misplaced(place.raw, place.where, _ITEM, place)
    for number, option in enumerate(place.raw.get("answerOption", ())):
        if "extension" in option:
            where = f"{place.where}.answerOption[{number}]"
            yield from _misplaced(option, where, _OPTION, place)


def _misplaced(element: Json, where: str, kind: str, place: Place | None) -> Iterator[Issue]:
    given: Sequence[Json] = element.get("extension", ())
    urls = {one.get("url") for one in given}
    for number, one in enumerate(given):
        url = one.get("url", "")
        may, successor = _PLACES.get(url), _SUCCESSORS.get(url)
        name, at = url.rsplit("/", maxsplit=1)[-1], f"{where}.extension[{number}]"
        if may is not None and kind not in may:
            says = f"{name} has no meaning on {kind}; it belongs on {' or '.join(may)}."
            yield _tell("form-extension-place", says, at, place)
        if successor is not None and not any((other or "").endswith(successor) for other in urls):
            yield _tell("form-extension-deprecated", f"{name} is now {successor}.", at, place)


def _tell(key: str, says: str, where: str, place: Place | None) -> Issue:
    if place is None:
        return finding(key, says, where)
    return finding(key, f"“{place.link_id}”: {says}", where, place.link_id or None)


_CORE_DEFINITION = re.compile(
    r"http://hl7\.org/fhir/StructureDefinition/([A-Za-z]+)#([A-Za-z]+)\b"
)


def definition(place: Place, _: Tree) -> Iterator[Issue]:
    """Q31: a definition names an element, that of the resource it names.

    http://hl7.org/fhir/R4/questionnaire-definitions.html#Questionnaire.item.definition
    """
    given = place.raw.get("definition")
    if given is None:
        return
    address, _sign, element = given.partition("#")
    core = _CORE_DEFINITION.match(given)
    if not element or ":" not in address:
        says = "the definition is no address with # and the element."
        yield place.tell("form-definition-shape", says, "definition")
    elif core and core[1] != core[2]:
        says = f"the definition names {core[1]}, and an element of {core[2]}."
        yield place.tell("form-definition-shape", says, "definition")


def code_there(place: Place, _: Tree) -> Iterator[Issue]:
    """Q32: what is extracted or filled in by its code has a code.

    http://hl7.org/fhir/uv/sdc/STU4/extraction.html#observation-based-extraction
    """
    if place.raw.get("code") or place.type in ("group", "display"):
        return
    extracted = place.value(OBSERVATION_EXTRACT)
    if (extracted not in (None, False)) or place.has(OBSERVATION_LINK_PERIOD):
        says = "it is extracted or filled in by its code, and has none."
        yield place.tell("form-code-missing", says)


_TEMPLATES = ("templateExtract", "sourceQueries", "templateExtractBundle")


def contained_named(tree: Tree) -> Iterator[Issue]:
    """Q20, Q31: what is named by # in templates and queries stands in contained."""
    yield from _contained(tree, tree.extensions, ROOT, None)
    for place in tree.items:
        yield from _contained(tree, place.extensions, place.where, place)


def _contained(
    tree: Tree, extensions: ext.Extensions, where: str, place: Place | None
) -> Iterator[Issue]:
    for name in _TEMPLATES:
        for one in extensions.get(ext.SDC + name, ()):
            for named in _names(one):
                if not contains(tree, named[1:]):
                    says = f"{name}: the form contains no resource {named}."
                    yield _tell("form-contained-missing", says, where, place)


def _names(extension: Json) -> Iterator[str]:
    """The references by # in an extension, its own value and those one level below."""
    below: Any = extension.get("extension", ())
    for one in (extension, *below):
        value = one.get("valueReference", {})
        reference = value.get("reference", "") if isinstance(value, Mapping) else ""
        if reference.startswith("#"):
            yield reference


RULES: Final[tuple[Callable[[Place, Tree], Iterator[Issue]], ...]] = (
    places,
    definition,
    code_there,
)
FORM_RULES: Final[tuple[Callable[[Tree], Iterator[Issue]], ...]] = (form_places, contained_named)
