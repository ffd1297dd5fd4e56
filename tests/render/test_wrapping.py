"""Lines of 80 columns, held to the standard library's own breaking of lines."""

from __future__ import annotations

import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_service.render.wrapping import WIDTH, wrapped

PIECES = st.sampled_from(["a", "an", "well-known", "x" * 30, "y" * 79, "z" * 130, "é", " ", "  "])


@given(st.lists(PIECES, max_size=14), st.sampled_from([" ", ""]), st.sampled_from(["", "- "]))
def test_a_line_breaks_where_textwrap_breaks_it(
    pieces: list[str], between: str, start: str
) -> None:
    words = between.join(pieces)
    wanted = textwrap.wrap(
        words,
        WIDTH,
        initial_indent=start,
        subsequent_indent="  ",
        break_on_hyphens=False,
        expand_tabs=False,
        replace_whitespace=False,
    )
    assert list(wrapped(words, start)) == (wanted or [start.rstrip()])


@pytest.mark.parametrize("blank", ["\u00a0", "\u3000", "\u2009"])
def test_a_blank_of_another_kind_stays_with_its_word(blank: str) -> None:
    words = f"5{blank}mg " * 40
    assert "".join(wrapped(words)).count(f"5{blank}mg") == 40
