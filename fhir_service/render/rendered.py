"""A summary in every way it is read, each renderer imported when it is first needed."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from fhir_service.summary.model import WHOLE, Look, Summary

if TYPE_CHECKING:
    from fhir_service.render.pdf import Printer
    from fhir_service.summary.patient_copy import PatientCopy


class Rendered:
    """Text, page and PDF; each renderer is imported when it is first needed."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._printer: Printer | None = None

    def text(self, summary: Summary) -> str:
        """Plain text, 80 columns."""
        from fhir_service.render.text import text  # noqa: PLC0415  keeps the start quick

        return text(summary)

    def html(self, summary: Summary, look: Look = WHOLE) -> str:
        """One page, self-contained where ``look`` does not say otherwise."""
        from fhir_service.render.html import html  # noqa: PLC0415  keeps the start quick

        return html(summary, look)

    def pdf(self, summary: Summary) -> bytes:
        """A tagged PDF, made by a process of its own."""
        return self._one_printer().pdf(summary)

    def patient_copy(self, copy: PatientCopy) -> bytes:
        """The patient's copy as a tagged PDF, made by the same process."""
        return self._one_printer().patient_copy(copy)

    def _one_printer(self) -> Printer:
        from fhir_service.render.pdf import Printer  # noqa: PLC0415  keeps the start quick

        with self._lock:
            if self._printer is None:
                self._printer = Printer()
        return self._printer

    def close(self) -> None:
        """End the render process, where one was started."""
        if self._printer is not None:
            self._printer.close()
