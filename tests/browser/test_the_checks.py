"""What checks our pages must itself find what is wrong: each fault is planted, and found."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.browser.judged import must_be_sound, must_have_axe
from tests.support.chromium import Address, Watched, new_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SOUND = (
    '<!DOCTYPE html><html lang="en"><head><title>Sound</title></head><body><main><h1>Sound</h1>'
    "<p>Text</p>{}</main></body></html>"
)
FAULTS = {
    "small": '<button style="min-width:60px;height:40px">Go</button>',
    "faint": '<p style="color:#777">Hardly seen</p>',
    "wider": '<p style="width:2000px">Wide</p>',
    "axe: label": '<input style="width:99px;height:50px">',
    "console": '<script>console.error("planted")</script>',
    "asked elsewhere": '<img alt="" src="http://127.0.0.1:9/x.png">',
}


@pytest.fixture
def watched(chromium: Browser, address: Address) -> Iterator[Watched]:
    made = new_page(chromium, address)
    made.page.goto(f"{address.base_url}/healthz")
    yield made
    made.page.context.close()


def test_a_sound_page_passes(watched: Watched) -> None:
    watched.page.set_content(SOUND.format(""))
    must_be_sound(watched)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(watched: Watched, fault: str) -> None:
    must_have_axe(fault)
    watched.page.set_content(SOUND.format(FAULTS[fault]))
    with pytest.raises(AssertionError, match=fault):
        must_be_sound(watched)
