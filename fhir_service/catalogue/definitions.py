"""The definitions of this service's own operations and search parameters, ready to be published.

They say the same on every site, whatever its canonical base.
http://hl7.org/fhir/R4/operationdefinition.html
"""

from __future__ import annotations

from fhir_service.catalogue.shipped import folder
from fhir_service.workflow.install import Shipped

TYPES = ("OperationDefinition", "SearchParameter")


def definitions() -> tuple[Shipped, ...]:
    """Every definition that ships, by type and id."""
    root = folder("mappings") / "definitions"
    return tuple(
        Shipped(kind, path.stem.removeprefix(f"{kind}-"), path.read_bytes())
        for kind in TYPES
        for path in sorted(root.glob(f"{kind}-*.json"))
    )
