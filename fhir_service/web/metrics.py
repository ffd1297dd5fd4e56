"""Figures for Prometheus: requests, their time, findings by rule, and how the store stands.

Works in one process and, with PROMETHEUS_MULTIPROC_DIR set, in several.
https://prometheus.io/docs/practices/naming/
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_SEVERAL = "PROMETHEUS_MULTIPROC_DIR"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

Figures = Callable[[], Mapping[str, float]]


class Metrics:
    """What this process has counted. ``figures`` asks the store, at each look."""

    def __init__(self, figures: Figures) -> None:
        self._registry = CollectorRegistry()
        self._store = _Store(figures)
        self._requests = Counter(
            "fhir_service_requests",
            "Requests answered.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "fhir_service_request_seconds",
            "Time from request to answer, in seconds.",
            ("method", "route"),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._findings = Counter(
            "fhir_service_findings",
            "Findings told to senders, by the key of the rule.",
            ("key",),
            registry=self._registry,
        )
        self._known: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request; ``route`` is the template, never the path."""
        found = self._known.get((method, route, status))
        if found is None:
            found = (
                self._requests.labels(method, route, str(status)),
                self._seconds.labels(method, route),
            )
            self._known[method, route, status] = found
        found[0].inc()
        found[1].observe(seconds)

    def findings(self, keys: Iterable[str]) -> None:
        """Count findings."""
        for key in keys:
            self._findings.labels(key).inc()

    def text(self) -> bytes:
        """All figures in Prometheus' text format."""
        registry = self._registry
        if _SEVERAL in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # theirs
        asked = CollectorRegistry()
        asked.register(self._store)
        return generate_latest(registry) + generate_latest(asked)


class _Store(Collector):
    """The store's own figures, asked for when somebody looks."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:  # type: ignore[explicit-override]  # from 3.12 on
        for name, value in self._figures().items():
            yield GaugeMetricFamily(
                f"fhir_service_{name}", f"{name.replace('_', ' ').capitalize()}.", value=value
            )

    def describe(self) -> Iterator[Metric]:
        """Nothing beforehand: registering must not ask the store."""
        return iter(())
