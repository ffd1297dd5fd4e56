"""The files under questionnaires/, read for the tests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2] / "questionnaires"
FORMS = ("coping-support", "doctor-questions", "previsit-recurrent-breast")
CODE_SYSTEM = "https://fhir-service.example.org/fhir/CodeSystem/previsit"
CORE = "http://hl7.org/fhir/StructureDefinition/"
TRANSLATION = CORE + "translation"


def form_files() -> list[Path]:
    """Every version of every form."""
    return sorted(ROOT.glob("*/Questionnaire-*.json"))


def published_files() -> list[Path]:
    """Every FHIR artefact that is published."""
    folders = ("codesystems", "conceptmaps", "valuesets")
    return form_files() + sorted(path for one in folders for path in (ROOT / one).glob("*.json"))


def response_files() -> list[Path]:
    """Every example response."""
    return sorted(ROOT.glob("*/responses/*.json"))


def named(path: Path) -> str:
    """A path as the name of a test case."""
    return path.relative_to(ROOT).as_posix()


def read(path: Path) -> dict[str, Any]:
    """The JSON of a file."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def form(id_: str) -> dict[str, Any]:
    """The form of that id, version 1.0.0."""
    return read(ROOT / id_ / "Questionnaire-1.0.0.json")


def items(container: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every item of a form or a response, in order, those below answers too."""
    for item in container.get("item", ()):
        yield item
        yield from items(item)
        for answer in item.get("answer", ()):
            yield from items(answer)


def items_of_all_forms() -> dict[str, dict[str, Any]]:
    """Every item of the three forms by its linkId."""
    return {item["linkId"]: item for id_ in FORMS for item in items(form(id_))}


def options(item: dict[str, Any]) -> list[dict[str, Any]]:
    """The Codings that an item offers."""
    return [option["valueCoding"] for option in item.get("answerOption", ())]


def elements(value: Any) -> Iterator[dict[str, Any]]:
    """Every JSON object in a value, the outermost first."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from elements(one)


def strings(value: Any) -> Iterator[str]:
    """Every string in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from strings(one)


def spanish(element: dict[str, Any], name: str) -> str | None:
    """The Spanish words of a primitive, from its translation extension; None without one."""
    for extension in element.get("_" + name, {}).get("extension", ()):
        parts = {part["url"]: part for part in extension.get("extension", ())}
        if extension["url"] == TRANSLATION and parts["lang"]["valueCode"] == "es":
            return str(parts["content"]["valueString"])
    return None


def has_extension(element: dict[str, Any], url: str) -> bool:
    """Whether an element carries an extension of this url."""
    return any(one["url"] == url for one in element.get("extension", ()))
