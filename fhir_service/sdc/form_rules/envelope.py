"""Rules of the form as a whole: address, version, name.

http://hl7.org/fhir/R4/questionnaire-definitions.html#Questionnaire.url
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from fhir_service.fhir.issues import Issue
from fhir_service.sdc.form_rules.tree import ROOT, Json, Tree, finding

VERSION_ALGORITHM = "http://hl7.org/fhir/StructureDefinition/artifact-versionAlgorithm"

_NAME = re.compile(r"[A-Z][A-Za-z0-9_]{0,254}")
_SEMVER = re.compile(r"(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*)){2}(?:[-+][0-9A-Za-z.+\-]+)?")
_NO_CANONICAL = re.compile(r"[\s|#]")


def url(tree: Tree) -> Iterator[Issue]:
    """Q27: the form has an address that can stand in a canonical.

    http://hl7.org/fhir/R4/references.html#canonical
    """
    given = tree.raw.get("url")
    if given is None:
        says = "The form has no url; no response can name it, and it is not offered."
        yield finding("form-url-missing", says, ROOT)
    elif _NO_CANONICAL.search(given):
        says = "The url has a blank, a bar or a number sign; no response can name it."
        yield finding("form-url-shape", says, f"{ROOT}.url")


def version(tree: Tree) -> Iterator[Issue]:
    """Q27: the form has a version that can stand in a canonical, and a rule for which is newer.

    http://hl7.org/fhir/extensions/StructureDefinition-artifact-versionAlgorithm.html
    """
    given = tree.raw.get("version")
    if given is None:
        says = "The form has no version; a response can not say which one it answers."
        yield finding("form-version-missing", says, ROOT)
        return
    if _NO_CANONICAL.search(given):
        says = "The version has a blank, a bar or a number sign; no response can name it."
        yield finding("form-version-shape", says, f"{ROOT}.version")
    elif not _SEMVER.fullmatch(given):
        says = "The version is not of the kind major.minor.patch, which programs can compare."
        yield finding("form-version-style", says, f"{ROOT}.version")
    if VERSION_ALGORITHM not in tree.extensions:
        says = "Nothing says how versions of this form are compared."
        yield finding("form-version-algorithm", says, f"{ROOT}.version")


def name(tree: Tree) -> Iterator[Issue]:
    """Q27, que-0: the name can be used by programs."""
    given = tree.raw.get("name")
    if given is not None and not _NAME.fullmatch(given):
        says = "The name should begin with a capital, and hold letters, digits and _ alone."
        yield finding("form-name-style", says, f"{ROOT}.name")


def version_free(tree: Tree) -> Iterator[Issue]:
    """Q28: no other content is published under this url and version."""
    url_, version_ = tree.raw.get("url"), tree.raw.get("version")
    if tree.known is None or not isinstance(url_, str) or not version_:
        return
    other = tree.known.questionnaire(f"{url_}|{version_}")
    if other is None or other.get("status") not in ("active", "retired"):
        return
    if _content(other) != _content(tree.raw):
        says = "Other content is published under this url and version, and never changes."
        yield finding("form-version-taken", says, f"{ROOT}.version")


def _content(form: Json) -> dict[str, Any]:
    return {k: v for k, v in form.items() if k not in ("id", "meta", "status", "date")}


def modifier(tree: Tree) -> Iterator[Issue]:
    """Q33: no modifier extension is understood here, and one may change what the form asks."""
    if "modifierExtension" in tree.raw:
        says = "A modifier extension stands here that is not understood."
        yield finding("form-modifier-extension", says, f"{ROOT}.modifierExtension")


RULES: Final[tuple[Callable[[Tree], Iterator[Issue]], ...]] = (
    url,
    version,
    name,
    version_free,
    modifier,
)
