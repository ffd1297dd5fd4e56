"""Where in a resource something stands, as a FHIRPath.

http://hl7.org/fhir/R4/json.html, http://hl7.org/fhir/R4/fhirpath.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

_CHOICE = re.compile(r"(value|answer|defaultValue|deceased|multipleBirth|effective)(?=[A-Z])")


@lru_cache(1024)
def step(name: str) -> str:
    """A JSON name as FHIRPath says it: ``valueCoding`` is ``value``, ``_text`` is ``text``."""
    plain = name.removeprefix("_")
    match = _CHOICE.match(plain)
    found = match.group(1) if match and plain not in _WHOLE else plain
    return found if found.isidentifier() else f"`{found}`"


_WHOLE = frozenset({"valueSet", "answerOption", "answerValueSet"})
"""Names that begin like a choice element and are none."""


def place(root: str, steps: Iterable[str | int]) -> str:
    """The FHIRPath of these steps (JSON names and indexes) from a resource of type ``root``."""
    path = root
    for each in steps:
        path += f"[{each}]" if isinstance(each, int) else f".{step(each)}"
    return path


def objects(value: Any) -> list[Mapping[str, Any]]:
    """The objects of a list in JSON that nobody has checked; none of anything else."""
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []
