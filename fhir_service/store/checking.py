"""Whether the record is sound: the file, the pointers, and each body by its hash."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

from sqlalchemy import Connection, and_, func, or_, select, text

from fhir_service.store.copying import Progress, silent
from fhir_service.store.migrating import HEAD, is_current
from fhir_service.store.opening import open_database
from fhir_service.store.tables import resource, version

_AT_ONCE = 200


def check_database(url: str, progress: Progress = silent) -> tuple[str, ...]:
    """What is wrong with the database, each as one sentence without any answer; empty: nothing.

    Looks at the file (SQLite), at foreign keys, at each current pointer, and compares every body
    with the SHA-256 that was stored with it. Raises Unavailable.
    """
    database = open_database(url)
    try:
        if not is_current(database):
            return (f"its tables are not those of this release ({HEAD}): run db upgrade",)
        engine = database.engine()
        try:
            with engine.connect() as connection:
                found = [*_of_the_file(connection), *_of_the_pointers(connection)]
                of = connection.scalar(select(func.count()).select_from(version)) or 0
                _, damaged = check_bodies(connection, lambda done, _: progress(done, of))
        finally:
            engine.dispose()
    finally:
        database.close()
    found += [f"the body of {name} differs from its SHA-256" for name in damaged]
    return tuple(found)


def check_bodies(
    connection: Connection, progress: Progress = silent
) -> tuple[int, tuple[str, ...]]:
    """How many bodies were compared with their hash, and the versions whose body differs."""
    c = version.c
    rows = connection.execution_options(yield_per=_AT_ONCE).execute(
        select(c.resource_type, c.id, c.version, c.sha256, c.body)
    )
    done = 0
    damaged = []
    for part in rows.partitions():
        for kind, id_, number, expected, body in part:
            if sha256(body).digest() != bytes(expected):
                damaged.append(f"{kind}/{id_}/_history/{number}")
        done += len(part)
        progress(done, 0)
    return done, tuple(damaged)


def _of_the_file(connection: Connection) -> Iterator[str]:
    if connection.dialect.name != "sqlite":
        return
    for (said,) in connection.execute(text("PRAGMA integrity_check")):
        if said != "ok":
            yield f"SQLite: {said}"
    for row in connection.execute(text("PRAGMA foreign_key_check")):
        yield f"SQLite: a row of {row[0]} points to nothing in {row[2]}"


def _of_the_pointers(connection: Connection) -> Iterator[str]:
    """Each resource points to its newest version, and says of it what that says itself."""
    newest = (
        select(version.c.resource_type, version.c.id, func.max(version.c.version).label("version"))
        .group_by(version.c.resource_type, version.c.id)
        .subquery()
    )
    same = and_(newest.c.resource_type == resource.c.resource_type, newest.c.id == resource.c.id)
    lost = select(newest).join_from(newest, resource, same, isouter=True)
    for row in connection.execute(
        lost.where(or_(resource.c.id.is_(None), resource.c.version != newest.c.version))
    ):
        yield f"{row.resource_type}/{row.id} does not point to its newest version"
    its = and_(
        version.c.resource_type == resource.c.resource_type,
        version.c.id == resource.c.id,
        version.c.version == resource.c.version,
    )
    differs = or_(
        version.c.deleted != resource.c.deleted,
        version.c.last_updated != resource.c.last_updated,
        func.coalesce(version.c.patient, "") != func.coalesce(resource.c.patient, ""),
    )
    for row in connection.execute(
        select(resource.c.resource_type, resource.c.id).join(version, its).where(differs)
    ):
        yield f"{row.resource_type}/{row.id} says otherwise than its newest version"
