"""The forms that responses name, compiled once per version and kept at hand.

An active or retired form never changes, so what was compiled stays true; only its status is asked
for again after a moment. Drafts are read each time.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock

from fhir_service.fhir.reading import read_stored
from fhir_service.sdc.compiled import Form, compile_form
from fhir_service.workflow.ports import Clock, Reader, Stored

_TRUSTED_SECONDS = 5.0
_MOST = 256


@dataclass(frozen=True, slots=True)
class _Kept:
    form: Form
    stored: Stored
    read_at: float


class Forms:
    """Compiled forms by ``url|version``; safe to use from many threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[tuple[str, str | None], _Kept] = {}
        self._lock = Lock()

    def find(self, reader: Reader, url: str, version: str | None) -> Form | None:
        """The form of this url and version (None: the newest active one); None when unknown."""
        now = self._clock.now().timestamp()
        kept = self._kept.get((url, version))
        if kept and now - kept.read_at < _TRUSTED_SECONDS:
            return kept.form
        stored = reader.canonical("Questionnaire", url, version)
        if stored is None:
            return None
        form = self._compiled(kept, stored)
        if form.status in ("active", "retired"):
            self._keep((url, version), _Kept(form, stored, now))
        return form

    @staticmethod
    def _compiled(kept: _Kept | None, stored: Stored) -> Form:
        if kept and (kept.stored.id, kept.stored.version) == (stored.id, stored.version):
            return kept.form
        return compile_form(read_stored(stored.body))

    def _keep(self, key: tuple[str, str | None], kept: _Kept) -> None:
        with self._lock:
            if len(self._kept) >= _MOST and key not in self._kept:
                self._kept.pop(next(iter(self._kept)))
            self._kept[key] = kept
