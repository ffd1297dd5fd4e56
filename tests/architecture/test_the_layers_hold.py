"""The import layers of pyproject.toml hold."""

from __future__ import annotations

from importlinter import cli


def test_the_imports_keep_the_layers() -> None:
    assert cli.lint_imports() == cli.EXIT_STATUS_SUCCESS
