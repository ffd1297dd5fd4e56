"""Messages through a pipe: four bytes of length, big-endian, then the message.

https://docs.python.org/3/library/struct.html
"""

from __future__ import annotations

import struct
from typing import IO


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
