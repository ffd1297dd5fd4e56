"""The environment becomes Settings, or one clear line."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from fhir_service.settings import SETTINGS, BadSettings, Settings, read_settings, shown


def test_without_any_variable_every_default_holds() -> None:
    settings = read_settings({"PATH": "/bin"})
    assert settings.visit_days == 14
    assert settings.canonical_base == "https://fhir-service.example.org/fhir"
    assert settings.database_url.startswith("sqlite:///")
    assert settings.database_url.endswith("/var/fhir_service.sqlite")
    assert settings.max_body_bytes == 5 * 1024 * 1024
    assert settings.require_if_match is False
    assert settings.clinic_phone is None


def test_the_table_names_exactly_the_fields() -> None:
    assert [s.field for s in SETTINGS] == [f.name for f in dataclasses.fields(Settings)]


def test_an_unknown_variable_stops_the_start_and_names_the_nearest() -> None:
    with pytest.raises(BadSettings) as refused:
        read_settings({"FHIR_SERVICE_VISIT_DAY": "3"})
    assert "FHIR_SERVICE_VISIT_DAY is not a setting. Is FHIR_SERVICE_VISIT_DAYS meant?" in str(
        refused.value
    )


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("VISIT_DAYS", "0", "must be a whole number from 1 to 366 (days)."),
        ("VISIT_DAYS", "two", "must be a whole number from 1 to 366 (days)."),
        ("TIME_ZONE", "Mars/Base", "must be a time zone by its IANA name"),
        ("TIME_ZONE", "../etc", "must be a time zone by its IANA name"),
        ("LANGUAGE", "fr", "must be one of en, es."),
        ("BASE_URL", "clinic.example.org", "must be an http or https address"),
        ("BASE_URL", "https://ada:secret@clinic.example.org", "must not carry a user name"),
        ("DATABASE_URL", "mysql://db", "must be sqlite:///FILE or postgresql://"),
        ("REQUIRE_IF_MATCH", "maybe", "must be one of on, true, 1, off, false, 0."),
        ("LOG_LEVEL", "loud", "must be one of debug, info, warning, error."),
        ("CLINIC_PHONE", "{clinicPhone}", "no brace"),
        ("OUTBOUND_NETWORKS", "10.0.0.0/8, clinic", "must be networks in CIDR notation"),
        ("OUTBOUND_CA_FILE", "/no/such/file.pem", "must be a file that is there."),
        ("WORKERS", "2", "must be 1 on SQLite"),
        ("EHR_TARGET", "folder", "folder needs FHIR_SERVICE_EHR_FOLDER"),
        ("EHR_KEY", "{}", "must be a private key"),
        ("EHR_KEY_ALGORITHM", "HS256", "must be one of ES384, RS384."),
    ],
)
def test_a_bad_value_is_told_in_one_line(name: str, value: str, says: str) -> None:
    with pytest.raises(BadSettings) as refused:
        read_settings({f"FHIR_SERVICE_{name}": value})
    line = str(refused.value)
    assert line.startswith(f"FHIR_SERVICE_{name}: ")
    assert says in line
    assert "\n" not in line
    assert "secret" not in line


def test_values_come_in_their_types() -> None:
    settings = read_settings(
        {
            "FHIR_SERVICE_DATA_DIR": "/srv/clinic",
            "FHIR_SERVICE_BASE_URL": "https://clinic.example.org/",
            "FHIR_SERVICE_REQUIRE_IF_MATCH": "on",
            "FHIR_SERVICE_TIME_ZONE": "Europe/Madrid",
            "FHIR_SERVICE_CLINIC_PHONE": "",
            "FHIR_SERVICE_DATABASE_URL": "postgresql://db.example.org/clinic",
            "FHIR_SERVICE_WORKERS": "4",
            "FHIR_SERVICE_OUTBOUND_NETWORKS": "10.0.0.0/8,fd00::/8",
        }
    )
    assert settings.data_dir == Path("/srv/clinic")
    assert settings.base_url == "https://clinic.example.org"
    assert settings.require_if_match is True
    assert settings.time_zone.key == "Europe/Madrid"
    assert settings.clinic_phone is None
    assert settings.workers == 4
    assert settings.outbound_networks == ("10.0.0.0/8", "fd00::/8")


def test_a_password_is_never_shown() -> None:
    settings = read_settings(
        {"FHIR_SERVICE_DATABASE_URL": "postgresql://clinic:hush@db.example.org/clinic"}
    )
    words = {setting.name: value for setting, value in shown(settings)}
    assert words["DATABASE_URL"] == "postgresql://clinic:***@db.example.org/clinic"


def test_a_secret_can_be_given_as_a_file(tmp_path: Path) -> None:
    file = tmp_path / "database-url"
    file.write_text("postgresql://clinic:hush@db.example.org/clinic\n", encoding="utf-8")
    settings = read_settings({"FHIR_SERVICE_DATABASE_URL_FILE": str(file)})
    assert settings.database_url == "postgresql://clinic:hush@db.example.org/clinic"


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"FHIR_SERVICE_DATABASE_URL_FILE": "/no/such/file"}, "the file can not be read as text"),
        ({"FHIR_SERVICE_LANGUAGE_FILE": "/etc/hostname"}, "is not a setting"),
        (
            {
                "FHIR_SERVICE_DATABASE_URL": "sqlite:///a.db",
                "FHIR_SERVICE_DATABASE_URL_FILE": "/etc/hostname",
            },
            "is given twice",
        ),
    ],
    ids=["missing", "no secret", "twice"],
)
def test_a_file_that_can_not_be_used_is_told_in_one_line(
    environ: dict[str, str], says: str
) -> None:
    with pytest.raises(BadSettings, match=says):
        read_settings(environ)
