"""HL7's own example forms and responses: its SDC package, which the test set-up unpacks.

http://hl7.org/fhir/uv/sdc/
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Json = dict[str, Any]

PACKAGE = Path(__file__).resolve().parents[2] / ".cache" / "hl7-sdc" / "package"
_HOLDERS = {"Bundle": "entry", "Parameters": "parameter"}


def resources(type_: str) -> dict[str, Json]:
    """Every resource of this type in the package, by file name and place in it; in order."""
    found: dict[str, Json] = {}
    for path in sorted(PACKAGE.rglob("*.json")):
        read = json.loads(path.read_bytes())
        if isinstance(read, dict):
            for place, one in _inside(read):
                if one.get("resourceType") == type_:
                    found[path.stem + place] = one
    return found


def _inside(resource: Json) -> Iterator[tuple[str, Json]]:
    yield "", resource
    holder = _HOLDERS.get(resource.get("resourceType", ""), "")
    for number, entry in enumerate(resource.get(holder, ())):
        if "resource" in entry:
            for place, one in _inside(entry["resource"]):
                yield f"#{number}{place}", one
