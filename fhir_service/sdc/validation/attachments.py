"""Rules of attachments: size, media type, and that what is said of the data is true.

http://hl7.org/fhir/R4/datatypes.html#Attachment, http://hl7.org/fhir/R4/extension-mimetype.html
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from fhir_service.sdc import extensions as ext
from fhir_service.sdc.validation.context import Answered, Check, Place

_MEGABYTE: Final = 1024 * 1024
_LEAST_BYTES: Final = 1024


def sized(check: Check, answered: Answered, place: Place) -> None:
    """F12: no larger than maxSize, by the data, else by the size that is stated.

    R4 gives maxSize in megabytes, the extension's later versions in bytes
    (http://hl7.org/fhir/R4/extension-maxsize.html, https://hl7.org/fhir/extensions/StructureDefinition-maxSize.html).
    A number under 1024 is read as megabytes, for no picture is that small; a greater one as bytes.
    """
    limit = ext.value(answered.plan.item.extensions, ext.MAX_SIZE)
    if not isinstance(limit, int | float | Decimal) or answered.kind != "Attachment":
        return
    most = Decimal(limit) if limit >= _LEAST_BYTES else Decimal(limit) * _MEGABYTE
    data = _data(answered.value)
    size = len(data) if data is not None else answered.value.get("size")
    if size is None:
        check.tell("attachment-size-unknown", place, answered.plan)
    elif size > most:
        shown = f"{limit} bytes" if limit >= _LEAST_BYTES else f"{limit} MB"
        check.tell("attachment-too-large", place, answered.plan, limit=shown)


def media_type(check: Check, answered: Answered, place: Place) -> None:
    """F13: of one of the media types; ``image/*`` takes every image; none stated is none of them.

    Letter case makes no difference (RFC 2045 5.1). Parameters that the form names must be there.
    """
    allowed = [str(one) for one in ext.values(answered.plan.item.extensions, ext.MIME_TYPE)]
    if not allowed or answered.kind != "Attachment":
        return
    given = answered.value.get("contentType")
    if not isinstance(given, str) or not any(_is_of(given, asked) for asked in allowed):
        check.tell("attachment-type", place, answered.plan, types=", ".join(allowed))


def _is_of(given: str, asked: str) -> bool:
    name, parameters = _media(given)
    wanted, conditions = _media(asked)
    if wanted.endswith("/*"):
        fits = wanted == "*/*" or name.startswith(wanted[:-1])
    else:
        fits = name == wanted
    return fits and all(parameters.get(key) == value for key, value in conditions.items())


def _media(text: str) -> tuple[str, dict[str, str]]:
    """A media type in lower case, and its parameters; values in lower case, without quotes."""
    name, *rest = (part.strip() for part in text.lower().split(";"))
    pairs = (part.partition("=") for part in rest if "=" in part)
    return name, {key.strip(): value.strip().strip('"') for key, _, value in pairs}


def truly_described(check: Check, answered: Answered, place: Place) -> None:
    """F14: size and hash (SHA-1, base64) are those of the data."""
    data = _data(answered.value)
    if data is None:
        return
    size, digest = answered.value.get("size"), answered.value.get("hash")
    if size is not None and size != len(data):
        check.tell("attachment-size-differs", place, answered.plan)
    if isinstance(digest, str):
        found = hashlib.sha1(data, usedforsecurity=False).digest()
        if base64.b64encode(found).decode("ascii") != "".join(digest.split()):
            check.tell("attachment-hash-differs", place, answered.plan)


def _data(attachment: Mapping[str, Any]) -> bytes | None:
    """The bytes that came along; None for those that lie elsewhere."""
    given = attachment.get("data")
    return base64.b64decode(given) if isinstance(given, str) else None


RULES: Final[tuple[Callable[[Check, Answered, Place], None], ...]] = (
    sized,
    media_type,
    truly_described,
)
