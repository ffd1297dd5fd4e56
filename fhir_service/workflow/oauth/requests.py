"""A request to the authorization server as Authlib wants it, and its answer.

https://docs.authlib.org/
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from authlib.oauth2.rfc6749 import InvalidRequestError, OAuth2Request
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload

LONGEST_PARAMETER = 20_000

_UNSAYABLE = re.compile(r"[^\x20-\x21\x23-\x5B\x5D-\x7E]")


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered: a JSON object, or, with ``location``, where the browser is sent on to."""

    status: int
    body: Mapping[str, Any]
    location: str | None = None


class Asked(OAuth2Request):
    """The parameters of one request. None of them may come twice (RFC 6749 section 3.2).

    Authlib insists on https by the address; whether we are served by https is settled elsewhere.
    """

    def __init__(self, method: str, pairs: Sequence[tuple[str, str]], authorization: str | None):
        headers = {"Authorization": authorization} if authorization else {}
        super().__init__(method, "https://localhost/", headers=headers)
        self.parameters = dict(pairs)
        self.payload = BasicOAuth2Payload(self.parameters)
        self.repeated = tuple(name for name, _ in _repeated(pairs))

    @property
    def args(self) -> dict[str, str]:
        """As ``form``: address and body are not told apart here."""
        return self.parameters

    @property
    def form(self) -> dict[str, str]:
        """The parameters."""
        return self.parameters

    def must_be_plain(self) -> None:
        """Refuse repeated parameters, and two ways at once to say who the client is."""
        if self.repeated:
            raise InvalidRequestError("A parameter is given more than once.")
        if any(len(value) > LONGEST_PARAMETER for value in self.parameters.values()):
            raise InvalidRequestError("A parameter is too long.")
        ways = (
            "client_assertion" in self.parameters or "client_assertion_type" in self.parameters,
            "client_secret" in self.parameters,
            "Authorization" in self.headers,
        )
        if sum(ways) > 1:
            raise InvalidRequestError("Only one way to authenticate the client may be used.")


def _repeated(pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    seen: set[str] = set()
    again = []
    for pair in pairs:
        if pair[0] in seen:
            again.append(pair)
        seen.add(pair[0])
    return again


def sayable(text: str) -> str:
    """The text as an error_description may have it: printable ASCII without quotes."""
    return _UNSAYABLE.sub("'", text)
