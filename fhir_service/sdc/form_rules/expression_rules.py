"""Rules of expressions: they can be read, their names are known, constraints are whole.

http://hl7.org/fhir/uv/sdc/STU4/expressions.html
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any, Final

from fhir_service.fhir.issues import Issue
from fhir_service.sdc import extensions as ext
from fhir_service.sdc.form_rules.expressions import (
    FHIRPATH,
    QUERY,
    Found,
    Scopes,
    expressions,
    has_meaning,
    holes_in,
    paths_of,
    variables_in,
)
from fhir_service.sdc.form_rules.tree import ROOT, Json, Place, Tree, finding

_QUERY_SHAPE = re.compile(r"/?[A-Z][A-Za-z]+(?:/[^\s?]+)?(?:\?\S*)?")
_SEARCH = re.compile(r"/?[A-Z][A-Za-z]+(?:\?_(?:count|sort|include|summary|elements)=[^&]*)?")


def expression_findings(tree: Tree) -> Iterator[Issue]:
    """Q21, Q22: each expression by itself, and the variables it uses."""
    scopes = Scopes(tree)
    before: set[str] = set()
    node: Place | None = None
    for found in expressions(tree):
        if found.place is not node:
            node, before = found.place, set()
        for rule in _RULES:
            yield from rule(found, scopes, before)
        name = found.expression.get("name")
        if found.url == ext.VARIABLE and found.own and isinstance(name, str):
            before.add(name)


def _tell(found: Found, key: str, says: str) -> Issue:
    if found.place is None:
        return finding(key, says, found.where)
    link_id = found.place.link_id
    return finding(key, f"“{link_id}”: {says}", found.where, link_id or None)


def _language(found: Found, _: Scopes, __: set[str]) -> Iterator[Issue]:
    """Q21: the language is one that is read here."""
    if found.language not in (FHIRPATH, QUERY):
        says = f"the language {found.language} is not read here; the expression is not checked."
        yield _tell(found, "form-expression-language", says)
    elif found.text is None:
        yield _tell(found, "form-expression-empty", "the expression has no text.")


def _reads(found: Found, _: Scopes, __: set[str]) -> Iterator[Issue]:
    """Q21: a FHIRPath expression can be compiled."""
    if found.language == FHIRPATH and found.text is not None:
        why = _broken(found.text)
        if why is not None:
            yield _tell(found, "form-expression-broken", f"the expression can not be read: {why}")


def _broken(text: str) -> str | None:
    """Why a FHIRPath expression can not be read; None when it can."""
    from fhir_service.fhir.fhirpath import (  # noqa: PLC0415  only a form with one needs it
        ExpressionError,
        compile_expression,
    )

    try:
        compile_expression(text)
    except ExpressionError as error:
        return error.says
    return None


def _query(found: Found, _: Scopes, __: set[str]) -> Iterator[Issue]:
    """Q22: a query is an address with parameters, its embedded paths can be read, it narrows.

    http://hl7.org/fhir/uv/sdc/STU4/expressions.html#x-fhir-query-enhancements
    """
    text = found.text
    if found.language != QUERY or text is None:
        return
    holes = holes_in(text)
    rest = re.sub(r"\{\{.*?\}\}", "x", text, flags=re.DOTALL)
    if "{{" in rest or "}}" in rest or not _QUERY_SHAPE.fullmatch(rest):
        yield _tell(found, "form-query-broken", "the query is no address with parameters.")
        return
    for hole in holes:
        why = _broken(hole)
        if why is not None:
            yield _tell(found, "form-query-broken", f"{{{{{hole}}}}} can not be read: {why}")
    if _SEARCH.fullmatch(rest):
        yield _tell(found, "form-query-unfiltered", "the query asks for everything of its type.")


def _variable(found: Found, scopes: Scopes, before: set[str]) -> Iterator[Issue]:
    """Q21: a variable has a name of its own.

    http://hl7.org/fhir/R4/extension-variable.html
    """
    if found.url != ext.VARIABLE or not found.own:
        return
    name = found.expression.get("name")
    if not isinstance(name, str):
        yield _tell(found, "form-variable-unnamed", "the variable has no name.")
    elif has_meaning(name):
        yield _tell(found, "form-variable-reserved", f"%{name} has a meaning already.")
    elif name in before or (found.place is None and name in scopes.launched):
        yield _tell(found, "form-variable-twice", f"%{name} is defined here already.")


def _names_known(found: Found, scopes: Scopes, before: set[str]) -> Iterator[Issue]:
    """Q21: each name is defined before: on the form, on an item around, or earlier here."""
    if found.url == ext.VARIABLE and found.own:
        outer = scopes.given if found.place is None else scopes.around(found.place)
        known = outer | before
    else:
        known = scopes.form if found.place is None else scopes.inside(found.place)
    for path in paths_of(found):
        for name in variables_in(path):
            if not has_meaning(name) and name not in known:
                says = f"%{name} is not known here."
                yield _tell(found, "form-variable-unknown", says)


_RULES: Final[tuple[Callable[[Found, Scopes, set[str]], Iterator[Issue]], ...]] = (
    _language,
    _reads,
    _query,
    _variable,
    _names_known,
)

_PARTS = ("key", "severity", "expression", "human")


def constraint_findings(tree: Tree) -> Iterator[Issue]:
    """Q23: each constraint has its own key, words, an expression and a severity that is known.

    http://hl7.org/fhir/R4/extension-questionnaire-constraint.html,
    http://hl7.org/fhir/extensions/StructureDefinition-targetConstraint.html
    """
    taken: set[Any] = set()
    nodes: list[tuple[Json, str, Place | None]] = [(tree.raw, ROOT, None)]
    nodes += [(place.raw, place.where, place) for place in tree.items]
    for raw, where, place in nodes:
        here: set[tuple[Any, str]] = set()
        for number, one in enumerate(raw.get("extension", ())):
            if one.get("url") in (ext.CONSTRAINT, ext.TARGET_CONSTRAINT):
                parts = ext.by_url(one.get("extension"))
                given = {name: ext.value(parts, name) for name in _PARTS}
                key, at = given["key"], f"{where}.extension[{number}]"
                # the old and the new extension may say the same constraint side by side
                again = key in taken or (key, one["url"]) in here
                here.add((key, one["url"]))
                yield from _constraint(given, at, place.link_id if place else None, again=again)
        taken.update(key for key, _ in here)


def _constraint(given: Json, where: str, link_id: str | None, *, again: bool) -> Iterator[Issue]:
    before = f"“{link_id}”: " if link_id else ""
    if given["key"] is None or again:
        says = f"{before}the constraint has no key of its own."
        yield finding("form-constraint-key", says, where, link_id)
    missing = [name for name in ("expression", "human") if given[name] is None]
    if missing:
        says = f"{before}the constraint has no {' and no '.join(missing)}."
        yield finding("form-constraint-incomplete", says, where, link_id)
    if given["severity"] not in ("error", "warning"):
        says = f"{before}the constraint's severity must be error or warning."
        yield finding("form-constraint-severity", says, where, link_id)


_LONGEST_PATTERN = 1_000


def regex(place: Place, _: Tree) -> Iterator[Issue]:
    """Q24: a regex can be read, and runs in linear time.

    http://hl7.org/fhir/R4/extension-regex.html, https://github.com/google/re2/wiki/Syntax
    """
    if not place.has(ext.REGEX):
        return
    from fhir_service.sdc.patterns import matcher  # noqa: PLC0415  only a form with one needs it

    for given in place.extensions[ext.REGEX]:
        pattern = ext.value_of(given)
        if not isinstance(pattern, str) or matcher(pattern) is not None:
            continue
        if _readable(pattern):
            says = "the regex may take too long on some answers; it is not checked."
            yield place.tell("form-regex-not-linear", says)
        else:
            yield place.tell("form-regex-broken", "the regex can not be read.")


def _readable(pattern: str) -> bool:
    """Whether it is a regex of another kind; one that is very long is not asked."""
    if len(pattern) > _LONGEST_PATTERN:
        return True
    with warnings.catch_warnings():  # of what a later Python may read differently
        warnings.simplefilter("ignore", FutureWarning)
        try:
            re.compile(pattern)
        except (re.error, OverflowError, RecursionError):
            return False
    return True
