"""What population is given: resources under a name, and a way to ask for more.

https://hl7.org/fhir/uv/sdc/STU4/OperationDefinition-Questionnaire-populate.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Json = Mapping[str, Any]


class NotFetched(Exception):
    """A query was not answered. ``says`` is why, without anything of what was asked."""

    def __init__(self, says: str) -> None:
        super().__init__(says)
        self.says = says


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a query gave: a Bundle, or the resource that was read.

    ``base`` is the FHIR base under which its relative references are meant; None for our own.
    ``says`` tells what of it could not be had.
    """

    resource: Json
    base: str | None = None
    says: tuple[str, ...] = ()


Fetch = Callable[[str], Fetched]
"""Answers ``Type?search`` or ``Type/id``. Raises NotFetched."""


@dataclass(frozen=True, slots=True)
class Context:
    """Resources under the name of a launchContext, variable or query of the form.

    ``base`` is the FHIR base that they were read from; None for what was given.
    """

    name: str
    content: tuple[Json, ...]
    base: str | None = None
