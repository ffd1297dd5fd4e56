"""All that is kept of one patient: given out, or erased.

Erasing removes versions, search values, deliveries, links and sessions; the audit keeps who did
what and when. It never held an answer. https://gdpr-info.eu/art-17-gdpr/ and https://gdpr-info.eu/art-20-gdpr/
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fhir_service.fhir.dates import moment
from fhir_service.store.database import Connection
from fhir_service.store.opening import StoreDesk
from fhir_service.store.record import Recording
from fhir_service.store.rows import stored
from fhir_service.store.statements import AUDIT_COLUMNS, STORED_COLUMNS
from fhir_service.workflow.ports import Stored, Told

_COLUMNS = ", ".join(f"v.{column}" for column in STORED_COLUMNS)
_IDS = "SELECT resource_type, id FROM resource WHERE patient = ? ORDER BY resource_type, id"
_VERSIONS = (
    f"SELECT {_COLUMNS} FROM resource_version v "  # noqa: S608  our own names
    "WHERE v.resource_type = ? AND v.id = ? AND v.patient = ? ORDER BY v.version"
)
_AUDIT = (
    f"SELECT {', '.join(AUDIT_COLUMNS)} FROM audit "  # noqa: S608  our own names
    "WHERE patient = ? ORDER BY id"
)
_ERASE = (
    ("search_values", "DELETE FROM search_value WHERE resource_type = ? AND id = ?"),
    ("resources", "DELETE FROM resource WHERE resource_type = ? AND id = ?"),
    ("versions", "DELETE FROM resource_version WHERE resource_type = ? AND id = ?"),
)
_ERASE_ATTEMPTS = (
    "DELETE FROM attempt WHERE outbox_id IN (SELECT id FROM outbox WHERE patient = ?)"
)
_ERASE_OWED = "DELETE FROM outbox WHERE patient = ?"
_ERASE_WAYS = (
    "DELETE FROM browser_session WHERE patient = ?",
    "DELETE FROM link WHERE patient = ?",
    ("DELETE FROM oauth_refresh WHERE grant_id IN (SELECT id FROM oauth_grant WHERE patient = ?)"),
    "DELETE FROM oauth_grant WHERE patient = ?",
)


@dataclass(frozen=True, slots=True)
class Erased:
    """How many of each were removed, and how many audit lines stay."""

    resources: int
    versions: int
    search_values: int
    outbox: int
    audit_lines_kept: int


def export_patient(desk: StoreDesk, patient: str) -> Iterator[Stored | Told]:
    """Every version of all that lies in the patient's compartment, then every audit line of them.

    Versions by type, id and number, bodies as received; deletions too. Read piece by piece, so
    that a long record needs no more memory than its longest part. Raises Unavailable.
    """
    rows = desk.database.rows
    for resource_type, id_ in rows(_IDS, (patient,)):
        for row in rows(_VERSIONS, (resource_type, id_, patient)):
            yield stored(row)
    for row in rows(_AUDIT, (patient,)):
        recorded, *rest = row
        yield Told(moment(recorded), *rest)


def erase_patient(desk: StoreDesk, patient: str, told: Told | None = None) -> Erased:
    """Remove every version of all that lies in the patient's compartment, in one transaction.

    ``told`` is the audit line of the erasure itself. Afterwards freed pages are overwritten or
    given back, so that the files do not hold the answers any more; backups made before still
    do. Raises Unavailable, and then nothing was removed.
    """

    def work(connection: Connection) -> Erased:
        found = connection.run(_IDS, (patient,)).fetchall()
        gone = dict.fromkeys((name for name, _ in _ERASE), 0)
        for resource_type, id_ in found:
            for name, statement in _ERASE:
                gone[name] += connection.run(statement, (resource_type, id_)).rowcount
        connection.run(_ERASE_ATTEMPTS, (patient,))
        owed = connection.run(_ERASE_OWED, (patient,)).rowcount
        for statement in _ERASE_WAYS:
            connection.run(statement, (patient,))
        if told is not None:
            Recording(connection, lambda: desk.database.dialect).tell(told)
        lines = len(connection.run(_AUDIT, (patient,)).fetchall())
        return Erased(outbox=owed, audit_lines_kept=lines, **gone)

    erased = desk.database.write(work)
    desk.database.shrink()
    return erased
