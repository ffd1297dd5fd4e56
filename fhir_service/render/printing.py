"""The process that prints: a summary as JSON comes in on standard input, a PDF goes out.

An empty answer is followed by the name of what went wrong. It ends when its input does. Apart from
the server, since a compiler takes 100 MiB and must not take the server with it.
https://typst.app/docs/reference/pdf/
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import typst

from fhir_service.render.pipes import receive, send

_HERE = Path(__file__).resolve().parent


def main() -> None:
    """Print until the input ends."""
    template = _HERE / "templates" / "summary.typ"
    compiler = typst.Compiler(
        str(template), font_paths=[str(_HERE / "fonts")], ignore_system_fonts=True
    )
    while (asked := receive(sys.stdin.buffer)) is not None:
        try:
            answer = _print(compiler, asked)
        except typst.TypstError as fault:
            send(sys.stdout.buffer, b"")
            answer = type(fault).__name__.encode()
        send(sys.stdout.buffer, answer)


def _print(compiler: typst.Compiler, asked: bytes) -> bytes:
    made = datetime.fromisoformat(json.loads(asked)["made"])
    pdf = compiler.compile(
        format="pdf",
        pdf_standards=["ua-1"],
        sys_inputs={"summary": asked.decode("utf-8")},
        timestamp=int(made.astimezone(UTC).timestamp()),
    )
    if not isinstance(pdf, bytes):
        raise TypeError("one PDF was asked for")
    return pdf


if __name__ == "__main__":
    main()
