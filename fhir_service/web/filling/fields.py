"""What the inputs of a page are called, and what came back in them.

A name is the way to the item by linkIds, each instance of a repeating group with its number. It is
never taken apart again: form and page are walked the same way, and each name is made anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fhir_service.sdc.items import Item

COUNT: Final = "~count"
OWN_WORDS: Final = "~own"
DECLINED: Final = "~declined"
UNIT: Final = "~unit"
DAY, MONTH, YEAR, CLOCK = "~day", "~month", "~year", "~clock"
REMOVE_FILE: Final = "~drop"
CONFIRM: Final = "~confirm"

Posted = Mapping[str, Sequence[str]]
"""What a browser sent, by name: each a list of texts."""


def name_of(around: str, item: Item, instance: int | None = None) -> str:
    """The name of an item's input within what lies around it; of that instance of a group."""
    own = item.link_id if instance is None else f"{item.link_id}#{instance}"
    return f"{around}/{own}" if around else own


@dataclass(frozen=True, slots=True)
class Entries:
    """What was typed, by name. A name that is not there was not on the page."""

    posted: Posted

    def one(self, name: str) -> str:
        """The text of an input, blanks at its ends cut off; "" where there is none."""
        given = self.posted.get(name, ())
        return given[0].strip() if given else ""

    def text(self, name: str) -> str:
        """The text of an input of several lines: as it is, line ends as FHIR has them."""
        given = self.posted.get(name, ())
        text = given[0] if given else ""
        return text.replace("\r\n", "\n").replace("\r", "\n")

    def all(self, name: str) -> list[str]:
        """What is ticked, or the lines of a list; empty ones left out."""
        return [text.strip() for text in self.posted.get(name, ()) if text.strip()]

    def count(self, name: str, most: int) -> int | None:
        """How many instances a page said it shows; None where it said nothing."""
        given = self.one(name + COUNT)
        return min(int(given), most) if given.isascii() and given.isdigit() else None

    def some(self, names: Sequence[str]) -> dict[str, list[str]]:
        """What was typed under these names, for keeping as it is."""
        return {name: list(self.posted[name]) for name in names if any(self.posted.get(name, ()))}
