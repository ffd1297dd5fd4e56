"""How soon a patient can fill a page on a slow phone: Chromium, four times slower, on slow 4G.

Slow 4G as Lighthouse has it: 150 ms there and back, 1.6 Mbit/s. Seconds of this machine: on a busy
one they say little. https://github.com/GoogleChrome/lighthouse/blob/main/docs/throttling.md
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.benchmarks.reporting import Report
from tests.support import patient
from tests.support.chromium import Watched, launched, new_page, served, why_not
from tests.support.ways import a_patient

if TYPE_CHECKING:
    from playwright.sync_api import Page

READY_SECONDS: Final = 1.0
SLOWER: Final = 4
SLOW_4G: Final = {
    "offline": False,
    "latency": 150,
    "downloadThroughput": 1_600_000 / 8,
    "uploadThroughput": 750_000 / 8,
}
_STEPS: Final = (1, 3, 6)
_TIMES: Final = 3

_WATCH: Final = """
window.seen = {shift: 0, blocked: 0};
new PerformanceObserver(list => {
  for (const one of list.getEntries()) window.seen.shift += one.value;
}).observe({type: 'layout-shift', buffered: true});
new PerformanceObserver(list => {
  for (const one of list.getEntries()) window.seen.blocked += Math.max(0, one.duration - 50);
}).observe({type: 'longtask', buffered: true});
"""
_TOLD: Final = """() => {
  const page = performance.getEntriesByType('navigation')[0];
  const paint = performance.getEntriesByName('first-contentful-paint')[0];
  return {...window.seen, ready: Math.max(page.domContentLoadedEventEnd, paint.startTime)};
}"""


def run(report: Report) -> None:
    """Open steps of the pre-visit form, each with an empty cache, and report the medians."""
    missing = why_not()
    if missing is not None:
        report.note(f"not run: {missing}")
        return
    with (
        tempfile.TemporaryDirectory() as folder,
        served(Path(folder), TRIES_PER_ADDRESS="10000") as address,
        launched() as browser,
    ):
        address.running.service.publish_shipped()
        a_patient(address.running)
        watched = new_page(browser, address)
        patient.come_in(watched.page, patient.link_to(address))
        patient.start(watched.page)
        _report(report, watched)
        watched.page.context.close()


def _report(report: Report, watched: Watched) -> None:
    page = watched.page
    page.add_init_script(_WATCH)
    there = page.url.rpartition("/")[0]
    slow = page.context.new_cdp_session(page)
    slow.send("Network.enable")
    slow.send("Network.setCacheDisabled", {"cacheDisabled": True})
    slow.send("Network.emulateNetworkConditions", SLOW_4G)
    slow.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    for step in _STEPS:
        told = [_told(page, f"{there}/{step}") for _ in range(_TIMES)]
        ready = statistics.median(one["ready"] for one in told) / 1000
        name = f"step {step} of the pre-visit form"
        report.figure(f"{name}, ready to fill", ready, READY_SECONDS, "s")
        report.figure(f"{name}, layout shift", max(one["shift"] for one in told), 0.0, "")
        blocked = statistics.median(one["blocked"] for one in told)
        report.figure(f"{name}, main thread blocked", blocked, 0.0, "ms")


def _told(page: Page, address: str) -> dict[str, Any]:
    page.goto(address, wait_until="load")
    page.wait_for_timeout(500)
    found: dict[str, Any] = page.evaluate(_TOLD)
    return found
