"""The forms that ship, with their code system, value sets and map, ready to be published.

A shipped file is a template: it names the clinic's telephone number and the doctor by
placeholders, filled once, when a site publishes it.

http://hl7.org/fhir/R4/questionnaire.html
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from fhir_service.catalogue.placeholders import Site, fill_text, placeholders_in
from fhir_service.catalogue.shipped import folder
from fhir_service.workflow.install import Shipped

TRANSLATION = "http://hl7.org/fhir/StructureDefinition/translation"

SHIPPED_BASE = "https://fhir-service.example.org/fhir"
"""Where the canonicals of the shipped files begin."""

_VERSION = re.compile(r"^Questionnaire-(\d+)\.(\d+)\.(\d+)\.json$")
_BEFORE_THE_FORMS = (
    ("CodeSystem", "codesystems"),
    ("ValueSet", "valuesets"),
    ("ConceptMap", "conceptmaps"),
)


def shipped(
    clinic_phone: str | None, doctor_name: str | None, canonical_base: str = SHIPPED_BASE
) -> tuple[Shipped, ...]:
    """All that ships, each after what it refers to: CodeSystem, ValueSets, ConceptMap, forms.

    Of each form its newest version. None, or only blanks, stands for "not set by this site".
    Each canonical begins with ``canonical_base``.
    Raises ValueError for a value that can not stand in a form (see ``placeholders.Site``).
    """
    found = _all_shipped(clinic_phone, doctor_name)
    if canonical_base == SHIPPED_BASE:
        return tuple(found)
    ours, theirs = SHIPPED_BASE.encode(), canonical_base.encode()
    return tuple(replace(one, body=one.body.replace(ours, theirs)) for one in found)


def _all_shipped(clinic_phone: str | None, doctor_name: str | None) -> Iterator[Shipped]:
    root = folder("questionnaires")
    for resource_type, place in _BEFORE_THE_FORMS:
        for path in sorted((root / place).glob(f"{resource_type}-*.json")):
            id_ = path.stem.removeprefix(f"{resource_type}-")
            yield Shipped(resource_type, id_, path.read_bytes())
    for path in form_templates():
        yield Shipped(
            "Questionnaire", path.parent.name, fill(path.read_bytes(), clinic_phone, doctor_name)
        )


def form_templates(root: Path | None = None) -> tuple[Path, ...]:
    """The template of the newest version of each form under ``root``, in the order of their ids.

    ``root`` is the folder of what ships, unless another is given. Raises ValueError for a file
    whose name tells no version.
    """
    newest: dict[str, tuple[tuple[int, ...], Path]] = {}
    for path in (root or folder("questionnaires")).glob("*/Questionnaire-*.json"):
        found = _VERSION.match(path.name)
        if found is None:
            raise ValueError(
                f"{path.name} is not named Questionnaire-<major>.<minor>.<patch>.json"
            )
        version = tuple(int(part) for part in found.groups())
        form = path.parent.name
        newest[form] = max(newest.get(form, (version, path)), (version, path))
    return tuple(path for _, (_, path) in sorted(newest.items()))


def fill(template: bytes, clinic_phone: str | None, doctor_name: str | None) -> bytes:
    """The form with every placeholder replaced, each in the language of its string.

    Where a site sets nothing, words stand in ("your doctor") and the version stays. Where it sets
    a value that this form shows, the form says something else than the one of another site, so
    its version becomes ``<version>+site.<n>``: n is the first eight hexadecimal digits of a hash
    over the values shown. Thus the same values give the same version on every machine and after
    every restart, without a counter to keep, and other values another one; a published version
    never changes. Semantic versioning ignores what follows a + in its order, as it should: no
    site's form is newer than another's. https://semver.org/#spec-item-10

    A template without placeholders comes back as it is, byte for byte.
    """
    used = placeholders_in(template)
    if not used:
        return template
    site = Site.of(clinic_phone, doctor_name)
    form: dict[str, Any] = orjson.loads(template)
    filled: dict[str, Any] = _filled(form, form.get("language", "en"), site)
    told = site.told(used)
    if told:
        n = hashlib.sha256(told.encode()).hexdigest()[:8]
        filled["version"] = f"{filled['version']}+site.{n}"
    return orjson.dumps(filled, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _filled(value: Any, language: str, site: Site) -> Any:
    """A copy of a JSON value, each string with its placeholders filled in its language."""
    if isinstance(value, str):
        return fill_text(value, language, site) if "{" in value else value
    if isinstance(value, list):
        return [_filled(one, language, site) for one in value]
    if isinstance(value, dict):
        if value.get("url") == TRANSLATION:
            language = _language_of(value, language)
        return {key: _filled(one, language, site) for key, one in value.items()}
    return value


def _language_of(translation: dict[str, Any], otherwise: str) -> str:
    """The language that a translation extension says its content is in."""
    for part in translation.get("extension", ()):
        if part.get("url") == "lang":
            return str(part["valueCode"])
    return otherwise
