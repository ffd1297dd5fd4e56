"""The process that prints: a summary as JSON comes in on standard input, a PDF goes out.

Each message is four bytes of length, big-endian, and the message; a length of 0 in the answer is
followed by an error, as a message. It ends when its input does. Apart from the server, since a
compiler takes 100 MiB and must not take the server with it. https://typst.app/docs/reference/pdf/
"""

from __future__ import annotations

import json
import struct
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import typst

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


def send(stream: IO[bytes], message: bytes) -> None:
    """Write one message."""
    stream.write(struct.pack(">I", len(message)) + message)
    stream.flush()


def receive(stream: IO[bytes]) -> bytes | None:
    """Read one message; None where the stream has ended."""
    head = stream.read(4)
    if len(head) < 4:  # noqa: PLR2004  # the length of the length
        return None
    size = struct.unpack(">I", head)[0]
    message = stream.read(size)
    return message if len(message) == size else None


if __name__ == "__main__":
    main()
