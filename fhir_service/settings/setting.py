"""What one setting is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

PREFIX: Final = "FHIR_SERVICE_"

Kind = Literal[
    "text",
    "folder",
    "file",
    "url",
    "origins",
    "database",
    "zone",
    "language",
    "count",
    "switch",
    "level",
    "networks",
    "key",
    "client-key",
    "algorithm",
    "words",
]


class BadSettings(Exception):
    """A setting is unknown, or its value can not be used; the message is one line to the operator.

    It names the variable, what is wrong and what is allowed, and never a secret's value.
    """


@dataclass(frozen=True, slots=True)
class Setting:
    """One environment variable: what it is called, its default as text, its unit, what it means.

    ``least`` and ``most`` bound a count, both inclusive. A ``secret`` is never shown, and can be
    given as a file: its variable with ``_FILE`` behind it names the file.
    """

    name: str
    kind: Kind
    default: str | None
    unit: str
    meaning: str
    least: int = 1
    most: int = 1_000_000
    secret: bool = False

    @property
    def variable(self) -> str:
        """The environment variable."""
        return PREFIX + self.name

    @property
    def field(self) -> str:
        """The field of Settings."""
        return self.name.lower()
