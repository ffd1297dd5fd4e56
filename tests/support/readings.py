"""Renderings of a summary, read back from their bytes by parsers that are not ours.

Each gives all that can be read, without white space: a line may break anywhere.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from html.parser import HTMLParser
from typing import Any, Final
from xml.etree import ElementTree

from typing_extensions import override

_FOOT: Final = re.compile(
    r"Patient-reported\. Not reviewed before this visit\. Gives no.*\d+ / \d+"
)
_BREAKABLE: Final = "\u200b"


def close(words: str) -> str:
    """Words without white space."""
    return re.sub(r"\s+", "", words)


class Page(HTMLParser):
    """What stands on a page, and the elements, ids and links that it has."""

    def __init__(self, made: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: set[str] = set()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.handlers: list[str] = []
        self._unread = 0
        self.feed(made)

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        named = dict(attrs)
        self.ids += [one] if (one := named.get("id")) else []
        self.links += [one] if (one := named.get("href")) else []
        self.handlers += [name for name in named if name.startswith("on")]
        self._unread += tag in {"style", "svg"}

    @override
    def handle_endtag(self, tag: str) -> None:
        self._unread -= tag in {"style", "svg"}

    @override
    def handle_data(self, data: str) -> None:
        if not self._unread:
            self.words.append(data)


def of_page(made: str) -> str:
    """The words of a page, its drawings and numbered links aside."""
    made = re.sub(r'<a class="why"[^>]*>\d+</a>', "", made)
    return " ".join(Page(made).words)


def of_pdf(pdf: bytes) -> list[str]:
    """The words of each page in the order of its content, by poppler; page feet left out."""
    ran = subprocess.run(
        ["pdftotext", "-raw", "-enc", "UTF-8", "-", "-"],
        input=pdf,
        capture_output=True,
        check=True,
    )
    pages = ran.stdout.decode("utf-8").removesuffix("\f").split("\f")
    return [_FOOT.sub("", page).replace(_BREAKABLE, "") for page in pages]


def of_document(bundle: Mapping[str, Any]) -> str:
    """The words of all narratives of a document, in the order of its sections."""
    return " ".join(_narratives(bundle["entry"][0]["resource"]))


def _narratives(element: Mapping[str, Any]) -> Iterator[str]:
    if "text" in element:
        root = ElementTree.fromstring(element["text"]["div"])  # noqa: S314  our own
        yield " ".join(root.itertext())
    for one in element.get("section", ()):
        yield one.get("title", "")
        yield from _narratives(one)


def follow(haystack: str, needles: Iterable[str]) -> str | None:
    """The first of these that does not stand behind the one before it; None when all do."""
    at = 0
    for needle in needles:
        found = haystack.find(close(needle), at)
        if found < 0:
            return needle
        at = found + len(close(needle))
    return None
