"""The TOML files of a folder, each read by its schema. https://toml.io/en/v1.0.0"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from marshmallow import Schema, ValidationError

from fhir_service.catalogue.summary_mappings import MappingFault


def read_folder(
    folder: Path, schema: Schema, shipped_base: str, canonical_base: str
) -> Iterator[Any]:
    """What the schema makes of each file, by name; canonicals of ours get ``canonical_base``.

    Numbers stay decimal. Raises MappingFault: which file, and what is wrong in it.
    """
    for path in sorted(folder.glob("*.toml")):
        text = path.read_text(encoding="utf-8")
        if shipped_base:
            text = text.replace(shipped_base, canonical_base)
        try:
            yield schema.load(tomllib.loads(text, parse_float=Decimal))
        except tomllib.TOMLDecodeError as error:
            raise MappingFault(f"{path.name}: {error}") from None
        except ValidationError as error:
            raise MappingFault(f"{path.name}: {error.messages}") from None
