"""Progress of long work, on standard error: a bar on a terminal, a line elsewhere.

https://rich.readthedocs.io/en/stable/progress.html
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

Tell = Callable[[int, int], None]
"""Told how many are done and how many there are; 0 of them when that is not known yet."""


@contextmanager
def progress(what: str) -> Iterator[Tell]:
    """Show how far ``what`` is; the function given is called with (done, of all)."""
    if not sys.stderr.isatty():
        click.echo(f"{what} ...", err=True)
        yield lambda _done, _of_all: None
        return
    from rich.console import Console  # noqa: PLC0415  a terminal alone needs it
    from rich.progress import Progress  # noqa: PLC0415

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, of_all: bar.update(task, completed=done, total=of_all or None)
