"""Cases as data: tests/cases/<family>/*.json, each with what it says, its source and its cases."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

CASES = Path(__file__).parent.parent / "cases"


def cases(family: str, pattern: str = "*.json") -> list[Any]:
    """Parameters (document, case), named "file: when"; fails when the folder holds no case.

    ``document`` is the whole file, ``case`` one entry of its ``cases``.
    """
    made = []
    for path in sorted((CASES / family).glob(pattern)):
        document = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
        missing = {"says", "source", "cases"} - set(document)
        if missing:
            raise ValueError(f"{path.name} lacks {', '.join(sorted(missing))}")
        made += [
            pytest.param(document, case, id=f"{path.stem}: {case['when']}")
            for case in document["cases"]
        ]
    if not made:
        raise ValueError(f"no cases in tests/cases/{family}/{pattern}")
    return made
