"""The settings: environment variables that begin with FHIR_SERVICE_.

One file for each group of them; ``reading.py`` puts them together.
"""

from __future__ import annotations

from fhir_service.settings.reading import SETTINGS, read_settings, shown
from fhir_service.settings.setting import PREFIX, BadSettings, Setting
from fhir_service.settings.values import Settings

__all__ = ["PREFIX", "SETTINGS", "BadSettings", "Setting", "Settings", "read_settings", "shown"]
