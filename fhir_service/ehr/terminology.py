"""A terminology server elsewhere, asked whether a code is in a value set that is not known here.

Only the value set's canonical, the system and the code leave; by POST, so that they stand in no
log of addresses. http://hl7.org/fhir/R4/valueset-operation-validate-code.html
"""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Final

from fhir_service.ehr.outbound import Outbound, OutboundFailed, OutboundRefused, Reply

KEPT_SECONDS: Final = 3600.0
"""How long a yes or a no is kept."""

QUIET_SECONDS: Final = 30.0
"""How long a question without an answer, or a server that is down, is not asked again."""

MOST_KEPT: Final = 10_000
MOST_BYTES: Final = 256 * 1024

_OK, _BUSY, _BROKEN = 200, 429, 500
_FHIR = "application/fhir+json"

# What a server says beside a result that it could not decide: HL7's tx-issue-type
# (https://build.fhir.org/ig/HL7/fhir-tx-ecosystem-ig/CodeSystem-tx-issue-type.html), else the
# issue's own code, else its words, which alone many servers give.
_UNDECIDED_TYPES: Final = frozenset({"not-found", "vs-invalid", "cannot-infer", "invalid-data"})
_UNDECIDED_CODES: Final = frozenset(
    {"not-found", "not-supported", "too-costly", "timeout", "transient", "exception", "throttled"}
)
_ISSUE_TYPES: Final = "http://hl7.org/fhir/tools/CodeSystem/tx-issue-type"
_THING = r"(value ?set|code ?system|system)\b"
_UNDECIDED_WORDS: Final = re.compile(
    rf"\b(unknown|unusable|unsupported|unresolvable)( or un\w+)? {_THING}"
    r"|\b(unable|failed) to (validate|provide|expand|find|resolve|locate)\b"
    rf"|\b(no|not|n't) (be )?(find|found|locate|resolve|expand|supply|have)\w* (the |a )?{_THING}"
    rf"|{_THING}.{{0,300}}\b(not (be )?(found|resolved|known|supported|available)|is unknown)\b",
    re.IGNORECASE | re.DOTALL,
)

Question = tuple[str, str, str]
"""Canonical of a value set, system, code."""


@dataclass(frozen=True, slots=True)
class _Kept:
    answer: bool | None
    until: float


class TerminologyServer:
    """The terminology server of one process; threads may share it.

    ``base`` is its FHIR base, ``outbound`` allows its host; ``timeout_seconds`` bounds one
    question, and all questions of one check take twice that at most.
    """

    def __init__(
        self,
        base: str,
        outbound: Outbound,
        timeout_seconds: float = 2.0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.timeout_seconds = timeout_seconds
        self.now = now
        self._url = f"{base.rstrip('/')}/ValueSet/$validate-code"
        self._outbound = outbound
        self._kept: OrderedDict[Question, _Kept] = OrderedDict()
        self._quiet_until = float("-inf")
        self._lock = Lock()

    def for_one_check(self) -> Callable[[str, str, str], bool | None]:
        """What asks for the length of one check: canonical, system, code; None: no answer."""
        return _OneCheck(self).has

    def kept(self, question: Question) -> _Kept | None:
        """The answer that is still good."""
        with self._lock:
            kept = self._kept.get(question)
        return kept if kept is not None and self.now() < kept.until else None

    def ask(self, question: Question) -> bool | None:
        """Ask the server, and keep what it says. None at once while it is known to be down."""
        if self.now() < self._quiet_until:
            return None
        reply = self._reply(question)
        if reply is None or reply.status == _BUSY or reply.status >= _BROKEN:
            self._quiet_until = self.now() + QUIET_SECONDS
            return None
        answer = read_result(reply)
        self._keep(question, answer)
        return answer

    def _reply(self, question: Question) -> Reply | None:
        try:
            return self._outbound.send(
                "POST",
                self._url,
                headers={"Accept": _FHIR, "Content-Type": _FHIR},
                json=_parameters(question),
                timeout_seconds=self.timeout_seconds,
            )
        except (OutboundFailed, OutboundRefused):
            return None

    def _keep(self, question: Question, answer: bool | None) -> None:
        seconds = QUIET_SECONDS if answer is None else KEPT_SECONDS
        with self._lock:
            self._kept[question] = _Kept(answer, self.now() + seconds)
            self._kept.move_to_end(question)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)


class _OneCheck:
    """The questions of one check, and the time that is left for them."""

    def __init__(self, server: TerminologyServer) -> None:
        self._server = server
        self._left = 2 * server.timeout_seconds
        self._heard: dict[Question, bool | None] = {}

    def has(self, value_set: str, system: str, code: str) -> bool | None:
        """The same answer to the same question for the whole check."""
        question = value_set, system, code
        if question not in self._heard:
            self._heard[question] = self._has(question)
        return self._heard[question]

    def _has(self, question: Question) -> bool | None:
        server = self._server
        kept = server.kept(question)
        if kept is not None:
            return kept.answer
        if self._left < server.timeout_seconds:
            return None
        began = server.now()
        try:
            return server.ask(question)
        finally:
            self._left -= server.now() - began


def open_terminology(
    base: str, timeout_seconds: float, networks: tuple[str, ...], ca_file: Path | None = None
) -> TerminologyServer:
    """The server at this base; nothing is asked of it yet. Raises ValueError for a bad address."""
    outbound = Outbound([base], networks=networks, most_bytes=MOST_BYTES, ca_file=ca_file)
    return TerminologyServer(base, outbound, timeout_seconds)


def read_result(reply: Reply) -> bool | None:
    """What a Parameters says in ``result``; None where the reply does not decide it.

    A yes or a no for want of the value set or the system is none: lenient servers say yes then.
    """
    if reply.status != _OK:
        return None
    try:
        said = reply.json()
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict) or said.get("resourceType") != "Parameters":
        return None
    entries = [one for one in _list(said.get("parameter")) if isinstance(one, dict)]
    results = [one.get("valueBoolean") for one in entries if one.get("name") == "result"]
    if len(results) != 1 or not isinstance(results[0], bool):
        return None
    return None if any(map(_undecided, entries)) else results[0]


def _undecided(entry: Mapping[str, Any]) -> bool:
    """Whether this parameter beside the result says that it could not be decided."""
    name = entry.get("name")
    if name in ("x-unknown-system", "x-caused-by-unknown-system"):
        return True
    if name == "message":
        return bool(_UNDECIDED_WORDS.search(str(entry.get("valueString", ""))[:2000]))
    return name == "issues" and any(map(_undecided_issue, _issues(entry.get("resource"))))


def _undecided_issue(issue: Mapping[str, Any]) -> bool:
    details = issue.get("details")
    codings = _list(details.get("coding")) if isinstance(details, dict) else []
    types = {
        str(one.get("code"))
        for one in codings
        if isinstance(one, dict) and one.get("system") == _ISSUE_TYPES
    }
    if types:
        return bool(types & _UNDECIDED_TYPES)
    code = issue.get("code")
    return not isinstance(code, str) or code in _UNDECIDED_CODES  # what can not be read, neither


def _issues(outcome: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(outcome, dict):
        yield from (one for one in _list(outcome.get("issue")) if isinstance(one, dict))


def _list(given: Any) -> list[Any]:
    return given if isinstance(given, list) else []


def _parameters(question: Question) -> dict[str, Any]:
    canonical, system, code = question
    url, _, version = canonical.partition("|")
    entries: list[dict[str, str]] = [{"name": "url", "valueUri": url}]
    if version:
        entries.append({"name": "valueSetVersion", "valueString": version})
    entries += [{"name": "system", "valueUri": system}, {"name": "code", "valueCode": code}]
    return {"resourceType": "Parameters", "parameter": entries}
