"""The process that prints: a summary or a copy as JSON comes in on standard input, a PDF goes out.

An empty answer is followed by the name of what went wrong. It ends when its input does. Apart from
the server, since a compiler takes 100 MiB and must not take the server with it.
https://typst.app/docs/reference/pdf/
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import typst

from fhir_service.render.pipes import receive, send

_HERE = Path(__file__).resolve().parent
_TEMPLATES = {name: _HERE / "templates" / f"{name}.typ" for name in ("summary", "patient_copy")}


def main() -> None:
    """Print until the input ends."""
    while (asked := receive(sys.stdin.buffer)) is not None:
        try:
            answer = _print(asked)
        except typst.TypstError as fault:
            send(sys.stdout.buffer, b"")
            answer = type(fault).__name__.encode()
        send(sys.stdout.buffer, answer)


@cache
def _compiler(template: Path) -> typst.Compiler:
    """What compiles this template; made when it is first needed."""
    return typst.Compiler(
        str(template), font_paths=[str(_HERE / "fonts")], ignore_system_fonts=True
    )


def _print(asked: bytes) -> bytes:
    given = json.loads(asked)
    made = datetime.fromisoformat(given["made"])
    pdf = _compiler(_TEMPLATES[given["template"]]).compile(
        format="pdf",
        pdf_standards=["ua-1"],
        sys_inputs={"given": asked.decode("utf-8")},
        timestamp=int(made.astimezone(UTC).timestamp()),
    )
    if not isinstance(pdf, bytes):
        raise TypeError("one PDF was asked for")
    return pdf


if __name__ == "__main__":
    main()
