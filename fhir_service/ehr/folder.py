"""A folder that an interface engine watches (workflow.transport.Drop).

Each file is written under another name, brought to the disk, and only then given its own; the
index comes last. https://man7.org/linux/man-pages/man2/rename.2.html
"""

from __future__ import annotations

import os
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import orjson

from fhir_service.workflow.ehr import EhrTrouble
from fhir_service.workflow.outbox import Entry
from fhir_service.workflow.parcels import DESCRIPTION, fitting
from fhir_service.workflow.preparing import Ready
from fhir_service.workflow.targets import Content

ENDINGS: Final = {"text": "txt", "html": "html", "pdf": "pdf", "document": "fhir.json"}
_INDEX = "json"
_PRIVATE = 0o640


class FolderDrop:
    """One folder; made where it is missing, its files readable for owner and group."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, ready: Ready) -> str:
        """As Drop says."""
        name = _name(ready.entry)
        files = []
        for content in ready.route.contents:
            body = fitting(content, ready.parcel.renderings[content.rendering])
            if body is None:
                continue
            file = f"{name}.{ENDINGS[content.rendering]}"
            self._write(file, body)
            files.append(_told(file, content, body))
        index = {
            **_index(ready),
            "status": "current",
            "replaces": ready.parcel.replaces,
            "files": files,
        }
        self._write(f"{name}.{_INDEX}", _lines(index))
        return name

    def withdraw(self, ready: Ready) -> str:
        """As Drop says."""
        name = _name(ready.entry)
        index = {**_index(ready), "status": "entered-in-error", "withdraws": ready.withdraws}
        self._write(f"{name}.{_INDEX}", _lines({**index, "files": []}))
        return name

    def has(self, entry: Entry) -> str | None:
        """As Drop says."""
        name = _name(entry)
        return name if (self._folder / f"{name}.{_INDEX}").exists() else None

    def _write(self, file: str, body: bytes) -> None:
        whole, part = self._folder / file, self._folder / f".{file}.{os.getpid()}.part"
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o750)
            with os.fdopen(_opened(part), "wb") as written:
                written.write(body)
                written.flush()
                os.fsync(written.fileno())
            part.replace(whole)
            _sync(self._folder)
        except OSError:
            with suppress(OSError):
                part.unlink()
            raise EhrTrouble("unreachable", codes=("folder",)) from None


def _name(entry: Entry) -> str:
    day = entry.created.strftime("%Y%m%dT%H%M%SZ")
    return f"{day}-{entry.resource_id}-v{entry.resource_version}"


def _index(ready: Ready) -> dict[str, Any]:
    return {
        "title": DESCRIPTION,
        "identifier": ready.parcel.identifier,
        "patient": ready.parcel.patient,
        "encounter": ready.parcel.visit.encounter,
        "made": ready.parcel.made.isoformat(timespec="milliseconds"),
    }


def _told(file: str, content: Content, body: bytes) -> dict[str, Any]:
    return {
        "name": file,
        "contentType": content.content_type,
        "bytes": len(body),
        "sha256": sha256(body).hexdigest(),
    }


def _lines(index: dict[str, Any]) -> bytes:
    return orjson.dumps(index, option=orjson.OPT_INDENT_2) + b"\n"


def _opened(path: Path) -> int:
    return os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, _PRIVATE)


def _sync(folder: Path) -> None:
    """Bring the folder's own list of names to the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
