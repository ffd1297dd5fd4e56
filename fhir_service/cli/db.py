"""db: upgrades, checks, backs up and restores the database, also while the service runs.

https://www.sqlite.org/backup.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from fhir_service.cli import installation
from fhir_service.cli.main import Failed
from fhir_service.cli.progress import progress
from fhir_service.settings import Settings

Tell = Callable[[int, int], None]


@click.group("db")
def command() -> None:
    """Upgrade, check, back up or restore the database."""


@command.command("upgrade")
def upgrade() -> None:
    """Make the database, or bring its tables up to this release. `serve` does it by itself."""
    from fhir_service.store import migrating, opening  # noqa: PLC0415  costs CPU

    with _stored():
        database = opening.open_database(_made().database_url)
        try:
            there = migrating.is_current(database)
            if not there:
                with progress("Upgrading the database"):
                    migrating.upgrade(database)
        finally:
            database.close()
    click.echo("up to date" if there else "upgraded")


@command.command("check")
def check() -> None:
    """Look for damage, every stored body too; exit status 1 when there is some."""
    from fhir_service.store.checking import check_database  # noqa: PLC0415  costs CPU

    chosen = _there()
    with _stored(), progress("Checking the database") as tell:
        wrong = check_database(chosen.database_url, tell)
    for sentence in wrong:
        click.echo(sentence)
    if wrong:
        raise click.exceptions.Exit(1)
    click.echo("good")


@command.command("backup")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup(file: Path) -> None:
    """Write everything into a new FILE, while the service goes on.

    The file holds patients' answers and the signing keys: keep it as well as the database.
    """
    from fhir_service.store import backup as backups  # noqa: PLC0415  costs CPU

    chosen = _there()
    with _stored(), progress("Backing up") as tell:
        copied = backups.backup(chosen.database_url, file, tell)
    click.echo(
        f"{file}: {sum(copied.rows.values())} rows, {copied.bodies_verified} bodies verified"
    )


@command.command("restore")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def restore(file: Path) -> None:
    """Fill an empty database from the backup FILE: all of it, or nothing."""
    from fhir_service.store import backup as backups  # noqa: PLC0415  costs CPU

    with _stored(), progress("Restoring") as tell:
        copied = backups.restore(_made().database_url, file, tell)
    rows = sum(copied.rows.values())
    click.echo(f"restored {rows} rows, {copied.bodies_verified} bodies verified")


def _made() -> Settings:
    chosen = installation.settings()
    if chosen.on_sqlite:
        chosen.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    return chosen


def _there() -> Settings:
    """The settings, when their SQLite file is there; reading must not make an empty one."""
    chosen = installation.settings()
    if chosen.on_sqlite:
        file = Path(chosen.database_url.removeprefix("sqlite:///"))
        if not file.is_file():
            raise Failed(f"there is no database {file}")
    return chosen


@contextmanager
def _stored() -> Iterator[None]:
    """Tell a fault of the store in one line."""
    from fhir_service.store.database import StoreFault  # noqa: PLC0415  costs CPU

    try:
        yield
    except StoreFault as fault:
        raise Failed(str(fault)) from None
