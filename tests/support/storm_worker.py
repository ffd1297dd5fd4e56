"""A delivery worker with quick waits, to be killed: ``python -m tests.support.storm_worker``.

The service's own courier on the environment's settings; only the waits are shorter.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace

from fhir_service.settings import read_settings
from fhir_service.wiring import build
from fhir_service.workflow.deliver import Waits

QUICK = Waits(again=0.1, longest=0.5, looks=(0.3, 0.6, 1.2), encounter=0.5, before=0.2, lease=8.0)


def main(base_url: str) -> None:
    """Deliver until killed, or until the parent is gone."""
    parent = os.getppid()
    service = build(read_settings(os.environ), base_url)
    courier = replace(service.courier(f"storm:{os.getpid()}", lambda _: None), waits=QUICK)
    while os.getppid() == parent:
        if not courier.work(3):
            time.sleep(0.05)
    service.close()


if __name__ == "__main__":
    main(sys.argv[1])
