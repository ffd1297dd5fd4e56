"""Canonical references: url, version and fragment, read and compared.

http://hl7.org/fhir/R4/references.html#canonical
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_SHAPE = re.compile(r"([^\s|#]*)(?:\|([^\s|#]+))?(?:#([^\s|#]+))?")


@dataclass(frozen=True, slots=True)
class Canonical:
    """``url|version#fragment``; the url is "" for what the resource itself contains (``#id``)."""

    url: str
    version: str | None = None
    fragment: str | None = None

    def text(self) -> str:
        """As it is written."""
        version = "" if self.version is None else f"|{self.version}"
        fragment = "" if self.fragment is None else f"#{self.fragment}"
        return f"{self.url}{version}{fragment}"

    def names(self, url: str | None, version: str | None) -> bool:
        """Whether it may mean the resource with this url and version; without one it means any."""
        return self.url == url and self.version in (None, version)


def read_canonical(text: str) -> Canonical | None:
    """The parts of a canonical; None for what is none (blanks, two versions, nothing at all)."""
    match = _SHAPE.fullmatch(text)
    if match is None or not (match[1] or match[3]) or (match[2] and not match[1]):
        return None
    return Canonical(match[1], match[2], match[3])
