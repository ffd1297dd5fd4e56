"""What the clock does in a serving process: closes the Tasks that nobody answered in time.

https://hl7.org/fhir/uv/sdc/STU4/workflow.html
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from fhir_service.fhir.issues import Refusal

if TYPE_CHECKING:
    from fhir_service.workflow.site import Site

EVERY_SECONDS: Final = 60.0


def sweep_beside(site: Site, every_seconds: float = EVERY_SECONDS) -> Callable[[], None]:
    """Sweep now and then in a thread of its own; what is given back ends it.

    Each process does it, so that one that hangs holds up nothing. A store that can not be used
    just now is asked again the next time.
    """
    stop = threading.Event()

    def work() -> None:
        from fhir_service.workflow.task_moves import sweep  # noqa: PLC0415  costs CPU at the start

        while not stop.wait(every_seconds):
            try:
                sweep(site)
            except Refusal:
                continue

    thread = threading.Thread(target=work, name="sweep", daemon=True)
    thread.start()

    def end() -> None:
        stop.set()
        thread.join(every_seconds)

    return end
