"""The expressions of a form: where they stand, which names they know, which items they ask for.

http://hl7.org/fhir/uv/sdc/STU4/expressions.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fhir_service.fhir.places import place as path_of
from fhir_service.sdc import extensions as ext
from fhir_service.sdc.form_rules.tree import ROOT, Json, Place, Tree

FHIRPATH: Final = "text/fhirpath"
QUERY: Final = "application/x-fhir-query"

LAUNCH_CONTEXT = ext.SDC + "launchContext"
SOURCE_QUERIES = ext.SDC + "sourceQueries"
ALLOCATE_ID = ext.SDC + "extractAllocateId"
ASSEMBLE_CONTEXT = ext.SDC + "assembleContext"

RESERVED = frozenset(
    {"resource", "rootResource", "context", "questionnaire", "qitem", "ucum", "sct", "loinc"}
)
"""Names that FHIRPath and SDC give a meaning; beside them all that begin with vs- and ext-."""

_LITERAL = re.compile(r"'(?:[^'\\]|\\.)*'|//[^\n]*|/\*.*?\*/", re.DOTALL)
_VARIABLE = re.compile(r"%(?:`([^`]*)`|'((?:[^'\\]|\\.)*)'|([A-Za-z_][A-Za-z0-9_\-]*))")
_MARKED_TEXT = re.compile(r"%'(?:[^'\\]|\\.)*'")
_LINK_ID = re.compile(
    r"linkId\s*=\s*'((?:[^'\\]|\\.)*)'|'((?:[^'\\]|\\.)*)'\s*=\s*(?:[\w.$]+\.)?linkId"
)
_HOLE = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Found:
    """One Expression: the url of its extension, where it stands, and in which item (None: form).

    ``own`` when it stands on the item itself, not on one of its elements.
    """

    url: str
    expression: Json
    where: str
    place: Place | None
    own: bool = True

    @property
    def text(self) -> str | None:
        """The expression; None where it only refers to one."""
        found = self.expression.get("expression")
        return found if isinstance(found, str) else None

    @property
    def language(self) -> str:
        """Its language; FHIRPath where none is named."""
        return str(self.expression.get("language", FHIRPATH))


def expressions(tree: Tree) -> Iterator[Found]:
    """Every expression of the form, those of the form itself first, then item by item."""
    yield from _in_element(tree.raw, ROOT, None, ("item", "contained"))
    for place in tree.items:
        yield from _in_element(place.raw, place.where, place, ("item",))


def _in_element(
    element: Json, where: str, place: Place | None, but: Sequence[str]
) -> Iterator[Found]:
    waiting: list[tuple[Any, tuple[str | int, ...]]] = []
    for name, value in reversed(list(element.items())):
        if name not in but and isinstance(value, list | dict):
            waiting.append((value, (name,)))
    while waiting:
        value, steps = waiting.pop()
        if isinstance(value, Mapping):
            found = _expression(value)
            if found is not None:
                url = _outer(element, steps) or value["url"]
                own = steps[0] == "extension"
                yield Found(url, found, path_of(where, steps), place, own)
            inner: list[tuple[Any, tuple[str | int, ...]]] = [
                (one, (*steps, name)) for name, one in value.items()
            ]
        else:
            inner = [(one, (*steps, number)) for number, one in enumerate(value)]
        waiting.extend([one for one in inner if isinstance(one[0], list | dict)][::-1])


def _expression(value: Json) -> Json | None:
    """The Expression that an extension holds; of an old constraint the string as one."""
    found = value.get("valueExpression")
    if isinstance(found, Mapping) and "url" in value:
        return found
    if value.get("url") == "expression" and isinstance(value.get("valueString"), str):
        return {"language": FHIRPATH, "expression": value["valueString"]}
    return None


def _outer(element: Json, steps: Sequence[str | int]) -> str | None:
    """The url of the outermost extension on the way that has extensions of its own."""
    here: Any = element
    for step in steps:
        here = here[step]
        if isinstance(here, Mapping) and "url" in here and "extension" in here:
            return str(here["url"])
    return None


def variables_in(text: str) -> list[str]:
    """The names after % in a FHIRPath expression, in order, each once; literals left out."""
    kept = _MARKED_TEXT.sub(lambda match: f"%`{match[0][2:-1]}`", text)
    bare = _LITERAL.sub("''", kept)
    return list(dict.fromkeys(next(filter(None, match), "") for match in _VARIABLE.findall(bare)))


def link_ids_in(text: str) -> set[str]:
    """The linkIds whose answers an expression asks for by ``linkId = '…'``.

    What it asks of %questionnaire is the form, not an answer.
    """
    variables = [(one.start(), one[3]) for one in _VARIABLE.finditer(text)][::-1]
    found, nearest = set(), ""
    for match in _LINK_ID.finditer(text):
        while variables and variables[-1][0] < match.start():
            nearest = variables.pop()[1]
        if nearest != "questionnaire":
            found.add(match[1] or match[2])
    return found


def holes_in(text: str) -> list[str]:
    """The FHIRPath expressions inside {{ }} of an x-fhir-query."""
    return [hole.strip() for hole in _HOLE.findall(text)]


def paths_of(found: Found) -> list[str]:
    """The FHIRPath of an expression: itself, or what its query embeds; none in other languages."""
    if found.text is None:
        return []
    if found.language == FHIRPATH:
        return [found.text]
    return holes_in(found.text) if found.language == QUERY else []


def has_meaning(name: str) -> bool:
    """Whether FHIRPath or SDC gives the name a meaning of its own."""
    return name in RESERVED or name.startswith(("vs-", "ext-"))


class Scopes:
    """Which names are known where: those of the form, and of each item for all inside it.

    ``launched`` are those of the launch, ``given`` these and the results of queries; ``form``
    also has what the form itself defines.
    """

    def __init__(self, tree: Tree) -> None:
        self.launched = frozenset(_launched(tree))
        self.given = self.launched.union(_queried(tree))
        self.form = self.given.union(_names(tree.extensions))
        self._known: dict[int, frozenset[str]] = {}

    def around(self, place: Place | None) -> frozenset[str]:
        """The names that are known outside the item, and on the form."""
        if place is None or place.parent is None:
            return self.form
        return self.inside(place.parent)

    def inside(self, place: Place) -> frozenset[str]:
        """The names that are known in the item."""
        found = self._known.get(place.number)
        if found is None:
            own = _names(place.extensions)
            outer = self.around(place)
            found = self._known[place.number] = outer.union(own) if own else outer
        return found


def _names(extensions: ext.Extensions) -> list[str]:
    """The names of the expressions on one element, of ids it allocates, of what it is handed."""
    found = []
    for url, given in extensions.items():
        for one in given:
            expression = one.get("valueExpression")
            if isinstance(expression, Mapping) and "name" in expression:
                found.append(str(expression["name"]))
            elif url in (ALLOCATE_ID, ASSEMBLE_CONTEXT) and "valueString" in one:
                found.append(str(one["valueString"]))
    return found


def _launched(tree: Tree) -> Iterator[str]:
    """http://hl7.org/fhir/uv/sdc/STU4/StructureDefinition-sdc-questionnaire-launchContext.html"""
    for one in tree.extensions.get(LAUNCH_CONTEXT, ()):
        name = ext.value(ext.by_url(one.get("extension")), "name")
        code = name.get("code") if isinstance(name, Mapping) else name
        if isinstance(code, str):
            yield code


def _queried(tree: Tree) -> Iterator[str]:
    """http://hl7.org/fhir/uv/sdc/STU4/StructureDefinition-sdc-questionnaire-sourceQueries.html"""
    for one in tree.extensions.get(SOURCE_QUERIES, ()):
        reference = one.get("valueReference", {}).get("reference", "")
        if reference.startswith("#"):
            yield reference[1:]
