"""Issue, the finding in a document; Refusal, the request turned down; and their OperationOutcome.

A finding is a value and is collected; a refusal is an exception and ends the request. Anything
else that goes wrong is a fault: the door gives it a ticket number.

http://hl7.org/fhir/R4/operationoutcome.html
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import msgspec

Severity = Literal["fatal", "error", "warning", "information"]
Verdict = Literal["broken", "not-verified"]

FINDINGS = "https://fhir-service.example.org/fhir/CodeSystem/findings"
"""The code system of our finding keys (``details.coding``)."""

LINK_ID = "https://fhir-service.example.org/fhir/StructureDefinition/issue-link-id"
"""The extension that carries an issue's linkId in machine form."""


class Issue(msgspec.Struct, frozen=True):
    """One finding in a document.

    ``key`` is stable over releases and names the rule. ``code`` is FHIR's issue type
    (http://hl7.org/fhir/R4/valueset-issue-type.html). ``says`` is a sentence for the sender:
    what, and how to mend it; it may carry the form's words but never a free-text answer, and
    it never goes to a log. ``expression`` is a FHIRPath down to the answer.
    ``verdict`` is ``not-verified`` where the rule could not be decided. ``blocks_offer`` when it
    bars a form from being offered to patients, though not from being stored. ``form_key`` is the
    form's own rule that is broken: its canonical and the rule's key.
    """

    key: str
    code: str
    says: str
    severity: Severity = "error"
    expression: str | None = None
    link_id: str | None = None
    verdict: Verdict = "broken"
    blocks_offer: bool = False
    form_key: tuple[str, str] | None = None


class Refusal(Exception):
    """A request is turned down. The family; raise one of its members.

    ``issues`` tells the sender all that was found, in order; at least one.
    """

    code = "processing"
    key = "refused"

    def __init__(self, says: str, *issues: Issue, expression: str | None = None) -> None:
        super().__init__(self.key)  # the sentence may quote the sender; logs show the key alone
        self.says = says
        self.issues: tuple[Issue, ...] = issues or (
            Issue(key=self.key, code=self.code, says=says, expression=expression),
        )


class NotUnderstood(Refusal):
    """The bytes are not the FHIR JSON, or the parameter not the value, that they should be."""

    code = "structure"
    key = "not-understood"


class NotSignedIn(Refusal):
    """No token, or one that is unknown, expired or revoked."""

    code = "login"
    key = "not-signed-in"


class NotAllowed(Refusal):
    """The token is good, and does not cover this interaction."""

    code = "forbidden"
    key = "not-allowed"


class NotHere(Refusal):
    """Nothing is stored there, or nothing that this caller may know of: one answer for both."""

    code = "not-found"
    key = "not-found"


class Gone(Refusal):
    """It was here, and was deleted."""

    code = "deleted"
    key = "deleted"


class NotOffered(Refusal):
    """The server does not do this interaction here."""

    code = "not-supported"
    key = "not-supported"


class NotFinished(Refusal):
    """Planned and named in SUPPORTED.md, and not built yet."""

    code = "not-supported"
    key = "not-built-yet"


class NotAcceptable(Refusal):
    """No format that the caller accepts can be given."""

    code = "not-supported"
    key = "not-acceptable"


class NotThisFormat(Refusal):
    """The body comes in a content type or encoding that is not read here."""

    code = "not-supported"
    key = "content-type"


class TooLarge(Refusal):
    """The body is larger than this server takes."""

    code = "too-long"
    key = "too-large"


class Conflict(Refusal):
    """What is asked would contradict what is stored."""

    code = "conflict"
    key = "conflict"


class Stale(Refusal):
    """If-Match names a version that is not the current one, or is missing where it is required."""

    code = "conflict"
    key = "version-conflict"


class NotValid(Refusal):
    """The document breaks a rule: of FHIR, or of its form."""

    code = "invalid"
    key = "not-valid"


class TooMany(Refusal):
    """More requests than the limit allows; ``retry_after_seconds`` later there is room again."""

    code = "throttled"
    key = "too-many-requests"

    def __init__(self, says: str, *, retry_after_seconds: int = 2) -> None:
        super().__init__(says)
        self.retry_after_seconds = retry_after_seconds


class Unavailable(Refusal):
    """The store can not take it just now; nothing was stored, the request may be sent again."""

    code = "transient"
    key = "unavailable"


def operation_outcome(issues: Iterable[Issue]) -> dict[str, Any]:
    """The OperationOutcome of these issues, as a dictionary; "all ok" when there are none."""
    found = [_outcome_issue(issue) for issue in issues]
    if not found:
        found = [
            {"severity": "information", "code": "informational", "details": {"text": "All ok."}}
        ]
    return {"resourceType": "OperationOutcome", "issue": found}


def _outcome_issue(issue: Issue) -> dict[str, Any]:
    coding: list[dict[str, Any]] = [{"system": FINDINGS, "code": issue.key}]
    if issue.verdict == "not-verified":
        coding.append({"system": FINDINGS, "code": "not-verified"})
    if issue.blocks_offer:
        coding.append({"system": FINDINGS, "code": "blocks-offer"})
    if issue.form_key is not None:
        system, code = issue.form_key
        coding.append({"system": system, "code": code} if system else {"code": code})
    made: dict[str, Any] = {
        "severity": issue.severity,
        "code": issue.code,
        "details": {"coding": coding, "text": issue.says},
    }
    if issue.link_id is not None:
        made = {"extension": [{"url": LINK_ID, "valueString": issue.link_id}], **made}
    if issue.expression is not None:
        made["expression"] = [issue.expression]
    return made
