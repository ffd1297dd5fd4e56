"""What the record knows of other forms and value sets, for the check of a form.

http://hl7.org/fhir/uv/sdc/STU4/modular.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fhir_service.fhir.canonical import read_canonical
from fhir_service.fhir.reading import read_stored
from fhir_service.workflow.ports import Reader


class Stored:
    """The forms and value sets that are stored, each read when it is asked for."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def value_set(self, canonical: str, within: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The value set with this canonical; None when it is not stored."""
        del within
        return self._find("ValueSet", canonical)

    def questionnaire(self, canonical: str) -> Mapping[str, Any] | None:
        """The form with this canonical; None when it is not stored."""
        return self._find("Questionnaire", canonical)

    def _find(self, type_: str, canonical: str) -> Mapping[str, Any] | None:
        named = read_canonical(canonical)
        if named is None or not named.url:
            return None
        stored = self._reader.canonical(type_, named.url, named.version)
        return None if stored is None else read_stored(stored.body)
