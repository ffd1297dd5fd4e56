"""The server is killed between two steps: what she wrote is there when it is up again."""

from __future__ import annotations

import json
import os
import random
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.support import patient
from tests.support.chromium import PHONE
from tests.support.serving import Served, environment, free_port, run

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.long

ROUNDS: Final = 6
ADA: Final = {
    "resourceType": "Patient",
    "id": "ada",
    "name": [{"family": "Example", "given": ["Ada"]}],
    "birthDate": "1951-03-27",
}


def a_link(env: dict[str, str]) -> str:
    made = run("link", "create", "--patient", "ada", "--form", patient.QUESTIONS, env=env)
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


def test_a_killed_server_loses_nothing_that_was_saved(chromium: Browser, tmp_path: Path) -> None:
    port, dice = free_port(), random.Random(os.getpid())
    env = environment(DATA_DIR=str(tmp_path / "var"), BASE_URL=f"http://127.0.0.1:{port}")
    served = Served(port, tmp_path / "log", env)
    served.await_ready()
    token = run("token", "--scope", "system/*.cruds", env=env).stdout.strip()
    context = chromium.new_context(viewport={"width": PHONE[0], "height": PHONE[1]})
    reply = context.request.put(
        f"http://127.0.0.1:{port}/fhir/Patient/ada",
        data=json.dumps(ADA),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/fhir+json"},
    )
    assert reply.ok, reply.text()
    page = context.new_page()
    patient.come_in(page, a_link(env))
    patient.start(page)
    patient.go(page)
    own = page.locator("[name='question-list/own-question']").first
    own_step = page.url
    for _ in range(10):
        if own.count():
            break
        patient.go(page)
        own_step = page.url
    for number in range(ROUNDS):
        words = f"Question {number} of {dice.random()}"
        own.fill(words)
        page.get_by_text("Saved", exact=True).wait_for()
        time.sleep(dice.random() / 5)
        served.kill()
        own.fill(f"{words}, and what was typed while it was down")
        page.get_by_text("Not saved yet").wait_for(timeout=20_000)
        served = Served(port, tmp_path / "log", env)
        served.await_ready()
        page.get_by_text("Saved", exact=True).wait_for(timeout=30_000)
        page.goto(own_step)
        assert own.input_value() == f"{words}, and what was typed while it was down"
    served.stop()
    context.close()
