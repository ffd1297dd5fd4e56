"""The mappings that a start does without: each read when it is first needed, and then kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING

from fhir_service.catalogue.questionnaires import SHIPPED_BASE
from fhir_service.catalogue.shipped import folder

if TYPE_CHECKING:
    from fhir_service.sdc.extraction.mapping import Mapping_
    from fhir_service.workflow.hints import Hints


def extraction_of(canonical_base: str) -> Callable[[str | None], Mapping_ | None]:
    """What gives our own rules of extraction for a form, by its url; None where there are none."""

    @cache
    def read() -> Mapping[str, Mapping_]:
        from fhir_service.catalogue.extraction_mappings import (  # noqa: PLC0415  a quick start
            load_extraction_mappings,
        )

        rules = folder("mappings") / "extraction"
        return load_extraction_mappings(rules, SHIPPED_BASE, canonical_base)

    return lambda url: read().get(url or "")


def hints_of(canonical_base: str) -> Callable[[str | None], Hints | None]:
    """What gives the hints beside a form, by its url; None where there are none."""

    @cache
    def read() -> Mapping[str, Hints]:
        from fhir_service.catalogue.hint_files import load_hints  # noqa: PLC0415  a quick start

        return load_hints(folder("mappings") / "hints", SHIPPED_BASE, canonical_base)

    return lambda url: read().get(url or "")
