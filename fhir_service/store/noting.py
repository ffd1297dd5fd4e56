"""Audit lines of what changed nothing, written together by a thread of its own.

A reading request does not wait for the disk: its lines are there within a fifth of a second, with
those of its neighbours in one commit. Only a machine that stops in that moment loses them. When
they can not be written they wait, and when too many wait nothing more is given out.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from threading import Event, Lock, Thread
from typing import Final

from fhir_service.fhir.issues import Unavailable
from fhir_service.store import statements
from fhir_service.store.database import Connection, Database, StoreFault
from fhir_service.store.record import audit_row
from fhir_service.workflow.ports import Told

GATHER_SECONDS: Final = 0.2
MOST_WAITING: Final = 20_000
_TOGETHER = 1_000
_AGAIN_SECONDS = 1.0
_WHOSE = "SELECT patient FROM resource WHERE resource_type = ? AND id = ?"


class Noting:
    """The lines that wait, and the thread that writes them; it begins with the first line."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: deque[Told] = deque()
        self._some = Event()
        self._closing = Event()
        self._writing = Lock()
        self._starting = Lock()
        self._thread: Thread | None = None

    def note(self, *told: Told) -> None:
        """Let these be written soon. Raises Unavailable when too many wait already."""
        self.must_have_room()
        self._waiting.extend(told)
        if self._thread is None:
            self._start()
        if not self._some.is_set():
            self._some.set()

    def must_have_room(self) -> None:
        """Refuse what would be given out without a line in the audit. Raises Unavailable."""
        if len(self._waiting) >= MOST_WAITING:
            raise Unavailable("The audit can not be written just now, so nothing is given out.")

    def flush(self) -> None:
        """Write all that waits, now. Raises Unavailable, and then they still wait."""
        with self._writing:  # also until the thread has written what it took before
            while self._waiting:
                self._write()

    def close(self) -> None:
        """Write what waits and end the thread."""
        self._closing.set()
        self._some.set()
        if self._thread is not None:
            self._thread.join()
        self.flush()

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = Thread(target=self._run, name="audit-lines", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while not self._closing.is_set():
            self._some.wait()
            self._closing.wait(GATHER_SECONDS)
            self._some.clear()
            try:
                self.flush()
            except (Unavailable, StoreFault):
                self._closing.wait(_AGAIN_SECONDS)
                self._some.set()

    def _write(self) -> None:
        taken: list[Told] = []
        while self._waiting and len(taken) < _TOGETHER:
            taken.append(self._waiting.popleft())

        def work(connection: Connection) -> None:
            rows = [audit_row(_owned(connection, told)) for told in taken]
            connection.run_many(statements.INSERT_AUDIT, rows)

        try:
            self._database.write(work)
        except BaseException:
            self._waiting.extendleft(reversed(taken))
            raise


def _owned(connection: Connection, told: Told) -> Told:
    """A refused access with the patient whose resource it was after.

    What stands in an address can be anything, a name too: an id that nothing has is left out.
    """
    if told.outcome == "0" or told.resource_id is None:
        return told
    rows = connection.run(_WHOSE, (told.resource_type, told.resource_id)).fetchall()
    if not rows:
        return replace(told, resource_id=None, resource_version=None)
    return replace(told, patient=rows[0][0])
