"""How the text of a setting becomes its value, by the kind of the setting."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from fhir_service.settings.setting import Kind, Setting

LONGEST: Final = 200
LEAST_KEY: Final = 32
LANGUAGES: Final = ("en", "es")
LEVELS: Final = ("debug", "info", "warning", "error")
SWITCH: Final = {"on": True, "true": True, "1": True, "off": False, "false": False, "0": False}


def field(setting: Setting) -> Any:
    """The marshmallow field that reads this setting's text."""
    from marshmallow import ValidationError, validate  # noqa: PLC0415
    from marshmallow import fields as kinds  # noqa: PLC0415  its import costs CPU

    if setting.kind == "count":
        between = (
            f"must be a whole number from {setting.least} to {setting.most} ({setting.unit})."
        )
        return kinds.Integer(
            error_messages={"invalid": between},
            validate=validate.Range(setting.least, setting.most, error=between),
        )

    def read(text: str) -> Any:
        try:
            return _READ[setting.kind](text)
        except ValueError as wrong:
            raise ValidationError(str(wrong)) from None

    return kinds.Function(deserialize=read)


def _text(text: str) -> str:
    if len(text) > LONGEST or not text.isprintable() or "{" in text:
        raise ValueError("must be one line of at most 200 printable characters and no brace.")
    return text


def _folder(text: str) -> Path:
    return Path(text).expanduser().absolute()


def _file(text: str) -> Path:
    path = _folder(text)
    if not path.is_file():
        raise ValueError("must be a file that is there.")
    return path


def _networks(text: str) -> tuple[str, ...]:
    try:
        return tuple(str(ip_network(one.strip(), strict=False)) for one in text.split(","))
    except ValueError:
        raise ValueError(
            "must be networks in CIDR notation with commas between, such as 10.0.0.0/8."
        ) from None


def _origins(text: str) -> tuple[str, ...]:
    """Origins as a browser writes them; https, but for those on this machine."""
    found = []
    for word in text.replace(",", " ").split():
        parts = urlsplit(word)
        local = parts.hostname in {"127.0.0.1", "localhost", "::1"}
        if parts.scheme != "https" and not (local and parts.scheme == "http"):
            raise ValueError("must be https origins such as https://portal.example.org.")
        if word != f"{parts.scheme}://{parts.netloc}" or not re.fullmatch(
            r"[a-z0-9.\-\[\]:]+", parts.netloc
        ):
            raise ValueError("must be origins alone: scheme, host and port, in lower case.")
        found.append(word)
    return tuple(found)


def _key(text: str) -> str:
    if len(text) < LEAST_KEY:
        raise ValueError(f"must be a random text of at least {LEAST_KEY} characters.")
    return text


def _url(text: str) -> str:
    parts = urlsplit(text)
    if (
        parts.scheme not in {"http", "https"}
        or not parts.hostname
        or parts.query
        or parts.fragment
    ):
        raise ValueError("must be an http or https address without query and fragment.")
    if parts.username or parts.password:
        raise ValueError("must not carry a user name or a password.")
    return text.rstrip("/")


def _database(text: str) -> str:
    if not re.match(r"(sqlite:///.|postgres(ql)?(\+psycopg)?://.)", text):
        raise ValueError("must be sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME.")
    return text


def _zone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (ValueError, OSError, KeyError):
        raise ValueError("must be a time zone by its IANA name, such as Europe/Madrid.") from None


def _language(text: str) -> str:
    return _one_of(LANGUAGES, text)


def _level(text: str) -> str:
    return _one_of(LEVELS, text.lower())


def _switch(text: str) -> bool:
    return SWITCH[_one_of(tuple(SWITCH), text.lower())]


def _client_key(text: str) -> str:
    from fhir_service.smart.assertions import read_client_key  # noqa: PLC0415  where one is set

    read_client_key(text)
    return text


def _algorithm(text: str) -> str:
    return _one_of(("ES384", "RS384"), text.upper())


def _words(text: str) -> str:
    words = text.split()
    if not all(word.isascii() and word.isprintable() for word in words):
        raise ValueError("must be words of printable ASCII with a space between them.")
    return " ".join(words)


def _one_of(allowed: tuple[str, ...], text: str) -> str:
    if text not in allowed:
        raise ValueError(f"must be one of {', '.join(allowed)}.")
    return text


_READ: Final[Mapping[Kind, Callable[[str], Any]]] = {
    "text": _text,
    "folder": _folder,
    "file": _file,
    "url": _url,
    "origins": _origins,
    "database": _database,
    "zone": _zone,
    "language": _language,
    "level": _level,
    "switch": _switch,
    "networks": _networks,
    "key": _key,
    "client-key": _client_key,
    "algorithm": _algorithm,
    "words": _words,
}
