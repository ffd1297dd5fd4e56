"""Views that are made when they are first asked for, so that a start does not pay for them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

from flask import Response

View = Callable[..., Response]


def lazily(module: str, name: str, *given: Any) -> View:
    """A view that this function of a module makes out of ``given``, at the first request."""

    @cache
    def made() -> View:
        make: Callable[..., View] = getattr(import_module(module), name)
        return make(*given)

    def view(**path: Any) -> Response:
        return made()(**path)

    return view
