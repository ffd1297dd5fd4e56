"""The words of the patient's page: a folder for each language, of which a test compares the keys.

A new language is a folder here, and translations in the forms.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Final

FALLBACK: Final = "en"


@cache
def languages() -> tuple[str, ...]:
    """The languages that there are words for, English first."""
    found = {
        one.name for one in files(__package__).iterdir() if one.joinpath("page.toml").is_file()
    }
    return (FALLBACK, *sorted(found - {FALLBACK}))


@cache
def words(language: str) -> dict[str, str]:
    """The words of the page in this language, by key. Raises FileNotFoundError for no language."""
    text = files(__package__).joinpath(language, "page.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
