"""The oncologist's sheet is small, whatever was answered."""

from __future__ import annotations

import gzip

import pytest

from tests.support.sheets import NAMES, sheet_page


@pytest.mark.parametrize("name", NAMES)
def test_the_sheet_has_at_most_4_kb(name: str) -> None:
    made = sheet_page(name)
    assert len(gzip.compress(made.encode())) <= 4096
    assert "<script" not in made
