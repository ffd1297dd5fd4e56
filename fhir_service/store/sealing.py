"""Keeps what is secret in the database encrypted: AES-256 in GCM, bound to where it lies.

https://csrc.nist.gov/pubs/sp/800/38/d/final
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Final

from fhir_service.fhir.issues import NotSignedIn

FILE: Final = "secret.key"
_NONCE: Final = 12


class Vault:
    """Seals and opens with one key (workflow.session.Vault); ``secret`` is asked at first need."""

    def __init__(self, secret: Callable[[], str]) -> None:
        self._secret = secret

    @cached_property
    def _key(self) -> bytes:
        return sha256(b"fhir_service sealed\0" + self._secret().encode()).digest()

    def seal(self, content: bytes, place: bytes) -> bytes:
        """The content encrypted; it opens only for the same place."""
        from cryptography.hazmat.primitives.ciphers.aead import (  # noqa: PLC0415  slow to import
            AESGCM,
        )

        nonce = secrets.token_bytes(_NONCE)
        return nonce + AESGCM(self._key).encrypt(nonce, content, place)

    def open(self, sealed: bytes, place: bytes) -> bytes:
        """What was sealed for this place. Raises NotSignedIn for anything else, or another key."""
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415  slow to import
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

        try:
            return AESGCM(self._key).decrypt(sealed[:_NONCE], sealed[_NONCE:], place)
        except (InvalidTag, ValueError):
            raise NotSignedIn("What was kept for this session can not be opened.") from None


def secret_of(folder: Path) -> str:
    """The key text in this folder, made when there is none; its owner alone may read the file.

    When two processes start together, both get the text of the one that was first.
    """
    file = folder / FILE
    fresh = folder / f"{FILE}.{os.getpid()}.{secrets.token_hex(4)}"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        opened = os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(opened, "w", encoding="ascii") as new:
            new.write(secrets.token_urlsafe(32))
            new.flush()
            os.fsync(new.fileno())
        try:
            os.link(fresh, file)  # fails where another was first, and never replaces
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return file.read_text(encoding="ascii").strip()
