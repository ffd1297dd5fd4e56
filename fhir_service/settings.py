"""The settings of one installation, read from environment variables that begin with FHIR_SERVICE_.

https://12factor.net/config
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

PREFIX: Final = "FHIR_SERVICE_"
LONGEST: Final = 200

Kind = Literal["text", "folder", "url", "database", "zone", "language", "count", "switch", "level"]

LANGUAGES: Final = ("en", "es")
LEVELS: Final = ("debug", "info", "warning", "error")
SWITCH: Final = {"on": True, "true": True, "1": True, "off": False, "false": False, "0": False}


class BadSettings(Exception):
    """A setting is unknown, or its value can not be used; the message is one line to the operator.

    It names the variable, what is wrong and what is allowed, and never a secret's value.
    """


@dataclass(frozen=True, slots=True)
class Setting:
    """One environment variable: what it is called, its default as text, its unit, what it means.

    ``least`` and ``most`` bound a count, both inclusive. A ``secret`` is never shown.
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


SETTINGS: Final[tuple[Setting, ...]] = (
    Setting(
        "DATA_DIR",
        "folder",
        "./var",
        "path",
        "Folder of the SQLite file; made when it is missing.",
    ),
    Setting(
        "DATABASE_URL",
        "database",
        None,
        "URL",
        "sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME. Unset: a file in DATA_DIR.",
        secret=True,
    ),
    Setting(
        "BASE_URL",
        "url",
        None,
        "URL",
        "Public address of the service; every link is made from it. Unset: host and port.",
    ),
    Setting(
        "CANONICAL_BASE",
        "url",
        "https://fhir-service.example.org/fhir",
        "URL",
        "Begins the canonical of each shipped form; never made from BASE_URL.",
    ),
    Setting(
        "TIME_ZONE", "zone", "UTC", "IANA name", "Zone of printed times, and of today() in a form."
    ),
    Setting("LANGUAGE", "language", "en", "code", "Language of the summary: en or es."),
    Setting(
        "WORKERS",
        "count",
        "1",
        "processes",
        "Server processes; more than 1 on PostgreSQL only: SQLite has one writer.",
        most=64,
    ),
    Setting(
        "BLOCKING_THREADS",
        "count",
        "64",
        "threads",
        "Requests that one process serves at the same time; a slow client holds one.",
        most=1024,
    ),
    Setting(
        "VISIT_DAYS",
        "count",
        "14",
        "days",
        "Responses of one patient within this time belong to the same visit.",
        most=366,
    ),
    Setting(
        "CLINIC_PHONE",
        "text",
        None,
        "text",
        "Number that the forms give. Unset: they say 'the number your clinic gave you'.",
    ),
    Setting(
        "CLINICIAN_NAME",
        "text",
        None,
        "text",
        "Name that the forms give the doctor. Unset: they say 'your doctor'.",
    ),
    Setting(
        "MAX_BODY_BYTES",
        "count",
        "5242880",
        "bytes",
        "Largest body that is read; a larger one is answered 413.",
        least=1024,
        most=1_073_741_824,
    ),
    Setting(
        "MAX_ITEM_DEPTH",
        "count",
        "32",
        "levels",
        "Deepest nesting of items in a form or a response.",
        most=100,
    ),
    Setting(
        "REQUIRE_IF_MATCH",
        "switch",
        "off",
        "on or off",
        "Whether system and user clients must send If-Match with an update; patients always must.",
    ),
    Setting(
        "EHR_BASE",
        "url",
        None,
        "URL",
        "FHIR base of the EHR. Unset: no summary is owed to anybody.",
    ),
    Setting(
        "EHR_CLIENT_ID",
        "text",
        None,
        "text",
        "Our client id at the EHR; for delivery, a later part: no effect yet.",
    ),
    Setting(
        "TOKEN_LIFETIME",
        "count",
        "3600",
        "seconds",
        "How long an access token is good, where nothing else is asked.",
        least=30,
        most=31_536_000,
    ),
    Setting(
        "LOG_LEVEL", "level", "info", "word", "Least level logged: debug, info, warning, error."
    ),
)
"""Every setting, in the order of the README's table."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one installation, each of its own type, in the units of SETTINGS.

    ``base_url`` is None until host and port are known. No URL ends with a slash.
    """

    data_dir: Path
    database_url: str
    base_url: str | None
    canonical_base: str
    time_zone: ZoneInfo
    language: str
    workers: int
    blocking_threads: int
    visit_days: int
    clinic_phone: str | None
    clinician_name: str | None
    max_body_bytes: int
    max_item_depth: int
    require_if_match: bool
    ehr_base: str | None
    ehr_client_id: str | None
    token_lifetime: int
    log_level: str

    @property
    def on_sqlite(self) -> bool:
        """Whether the record is a SQLite file."""
        return self.database_url.startswith("sqlite:")


def read_settings(environ: Mapping[str, str]) -> Settings:
    """The settings that these environment variables make; what is not named has its default.

    An empty value counts as not set. Raises BadSettings for an unknown FHIR_SERVICE_ variable
    and for a value that can not be used.
    """
    known = {setting.variable: setting for setting in SETTINGS}
    given: dict[str, str] = {}
    for variable in sorted(environ):
        if not variable.startswith(PREFIX):
            continue
        if variable not in known:
            raise BadSettings(f"{variable} is not a setting. {_nearest(variable, list(known))}")
        if environ[variable].strip():
            given[variable] = environ[variable].strip()
    texts = {s.variable: s.default for s in SETTINGS if s.default is not None} | given
    values: dict[str, Any] = {setting.field: None for setting in SETTINGS}
    for variable, value in _loaded(texts).items():
        values[known[variable].field] = value
    return _settled(values)


def shown(settings: Settings) -> list[tuple[Setting, str]]:
    """Each setting beside its value in words; of a secret all but the password."""
    told = []
    for setting in SETTINGS:
        value = getattr(settings, setting.field)
        if value is None:
            words = "(not set)"
        elif isinstance(value, bool):
            words = "on" if value else "off"
        else:
            words = _without_password(str(value)) if setting.secret else str(value)
        told.append((setting, words))
    return told


def _loaded(texts: Mapping[str, str]) -> dict[str, Any]:
    """The texts as values, by a marshmallow schema that the table makes."""
    from marshmallow import RAISE, Schema, ValidationError  # noqa: PLC0415  its import costs CPU

    schema = Schema.from_dict({s.variable: _field(s) for s in SETTINGS}, name="Environment")
    try:
        loaded: dict[str, Any] = schema(unknown=RAISE).load(texts)
    except ValidationError as refused:
        variable, messages = next(iter(sorted(_by_variable(refused.messages).items())))
        raise BadSettings(f"{variable}: {messages[0]}") from None
    return loaded


def _by_variable(messages: Any) -> dict[str, list[str]]:
    """Marshmallow's messages of a schema: by field name, each a list."""
    return dict(messages)


def _field(setting: Setting) -> Any:
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


def _one_of(allowed: tuple[str, ...], text: str) -> str:
    if text not in allowed:
        raise ValueError(f"must be one of {', '.join(allowed)}.")
    return text


_READ: Final = {
    "text": _text,
    "folder": _folder,
    "url": _url,
    "database": _database,
    "zone": _zone,
    "language": _language,
    "level": _level,
    "switch": _switch,
}


def _settled(values: dict[str, Any]) -> Settings:
    """The values as Settings, after what one setting says of another."""
    if values["database_url"] is None:
        values["database_url"] = f"sqlite:///{values['data_dir'] / 'fhir_service.sqlite'}"
    settings = Settings(**{field.name: values[field.name] for field in fields(Settings)})
    if settings.on_sqlite and settings.workers > 1:
        raise BadSettings(
            f"{PREFIX}WORKERS: must be 1 on SQLite, which has one writer;"
            f" for more set {PREFIX}DATABASE_URL to a PostgreSQL database."
        )
    return settings


def _nearest(variable: str, known: list[str]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415  needed on this bad path only

    near = get_close_matches(
        variable.removeprefix(PREFIX), [one.removeprefix(PREFIX) for one in known], n=1
    )
    if near:
        return f"Is {PREFIX}{near[0]} meant? `fhir-service settings` lists them all."
    return "`fhir-service settings` lists them all."


def _without_password(url: str) -> str:
    return re.sub(r"(://[^:/@]*):.*@", r"\1:***@", url)
