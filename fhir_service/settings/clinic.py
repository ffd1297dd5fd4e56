"""The clinic: its language, time, numbers and names."""

from __future__ import annotations

from typing import Final

from fhir_service.settings.setting import Setting

CLINIC: Final[tuple[Setting, ...]] = (
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
    Setting(
        "LANGUAGE",
        "language",
        "en",
        "code",
        "Language of a form's own words in the summary: en or es.",
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
        "SUMMARY_DIR",
        "folder",
        None,
        "path",
        "Folder of the site's own summary mappings, red-flag rules and owners (owners.toml).",
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
)
