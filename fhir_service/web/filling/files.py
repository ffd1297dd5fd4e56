"""Pictures and files that a patient adds: kept in the response itself, of the kinds asked for.

http://hl7.org/fhir/R4/datatypes.html#Attachment
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from fhir_service.sdc import extensions as ext
from fhir_service.sdc.items import Item
from fhir_service.web.filling import fields
from fhir_service.web.filling.fields import Entries

Json = dict[str, Any]

MOST_BYTES: Final = 10 * 1024 * 1024
"""How large one file may be, in bytes."""

PICTURES: Final = ("image/jpeg", "image/png", "image/gif", "image/webp", "application/pdf")
"""What is taken where the form does not say."""

_BEGINNINGS: Final = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF8", "image/gif"),
    (b"%PDF-", "application/pdf"),
)
_LONGEST_TITLE: Final = 200


@dataclass(frozen=True, slots=True)
class Sent:
    """A file as the browser sent it."""

    title: str
    body: bytes


@dataclass
class Files:
    """The files of one page, by the name of their input; ``refused`` those that are not taken."""

    sent: Mapping[str, Sequence[Sent]]
    refused: dict[str, str] = field(default_factory=dict)

    def answers(self, item: Item, name: str, entries: Entries, old: Sequence[Json]) -> list[Json]:
        """The attachments of a question: those that stay, and the new ones."""
        gone = set(entries.posted.get(name + fields.REMOVE_FILE, ()))
        kept = [dict(one) for number, one in enumerate(old) if str(number) not in gone]
        added = [made for one in self.sent.get(name, ()) if (made := self._read(item, name, one))]
        if added and not item.repeats:
            return added[-1:]
        return kept + added

    def _read(self, item: Item, name: str, sent: Sent) -> Json | None:
        if not sent.body:
            return None
        kind = kind_of(sent.body)
        if kind is None or kind not in kinds_taken(item):
            self.refused[name] = "file-kind"
            return None
        if len(sent.body) > MOST_BYTES:
            self.refused[name] = "file-size"
            return None
        attachment: Json = {"contentType": kind, "data": b64encode(sent.body).decode()}
        attachment["size"] = len(sent.body)
        title = "".join(sign for sign in sent.title if sign.isprintable()).strip()
        if title:
            attachment["title"] = title[-_LONGEST_TITLE:]
        return {"valueAttachment": attachment}


def kinds_taken(item: Item) -> tuple[str, ...]:
    """The media types that a question takes, as the form says, else pictures and PDF."""
    said = ext.values(item.extensions, ext.MIME_TYPE)
    return tuple(str(one) for one in said) or PICTURES


def kind_of(body: bytes) -> str | None:
    """What a file is by its first bytes, whatever it is called; None for what is not taken."""
    for beginning, kind in _BEGINNINGS:
        if body.startswith(beginning):
            return kind
    return "image/webp" if body[:4] == b"RIFF" and body[8:12] == b"WEBP" else None
