"""The keys of what is refused before or beside the checker: what each means, and how to mend it.

The HTTP status stands with it; a test holds both to web/errors.py.
http://hl7.org/fhir/R4/http.html#rejecting
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class RefusalKey:
    """One key of a request that was turned down; ``status`` is its HTTP status."""

    status: str
    meaning: str
    mend: str


REFUSAL_KEYS: Final[dict[str, RefusalKey]] = {
    "not-understood": RefusalKey(
        "400", "the body is not FHIR JSON, or a parameter not the value it should be",
        "the text names the place and what is taken there"),
    "not-signed-in": RefusalKey(
        "401", "no token, or one that is unknown, expired or revoked", "get a new token"),
    "not-allowed": RefusalKey(
        "403", "the token does not cover this", "ask for the scope that the text names"),
    "not-found": RefusalKey(
        "404", "it is not here, or not for you", "check the id and the token's patient"),
    "not-supported": RefusalKey(
        "404, 405", "there is no such type, interaction or operation", "see /fhir/metadata"),
    "not-acceptable": RefusalKey(
        "406", "no format that is accepted can be given", "accept application/fhir+json"),
    "conflict": RefusalKey(
        "409", "what is stored stands against it", "the text says what; change that or this"),
    "deleted": RefusalKey("410", "it was here, and was deleted", "see its history"),
    "cds-unknown-server": RefusalKey(
        "412", "a CDS call is about a patient of a server that is not set up here",
        "the operator names its fhirServer as EHR_BASE or among LAUNCH_EHRS"),
    "version-conflict": RefusalKey(
        "412", "it was changed since you read it", "read it again, then send If-Match anew"),
    "too-large": RefusalKey("413", "the body is larger than is taken", "send less"),
    "content-type": RefusalKey(
        "415", "the body is of a type or encoding that is not taken",
        "send application/fhir+json in UTF-8"),
    "not-valid": RefusalKey(
        "422", "it breaks a rule", "each further issue names a rule and its place"),
    "too-many-requests": RefusalKey(
        "429", "more requests than the limit allows", "wait as long as Retry-After says"),
    "fault": RefusalKey(
        "500", "something went wrong here", "tell the operator the ticket's number"),
    "not-built-yet": RefusalKey("501", "it is planned, and not built yet", "see SUPPORTED.md"),
    "unavailable": RefusalKey(
        "503", "the store can not take it just now",
        "send it again as long as Retry-After says; nothing was stored"),
    "more-findings": RefusalKey(
        "any", "there are more findings than are told", "mend those that are told first"),
    "resource-type": RefusalKey(
        "400, 422", "the body is a resource of another type than this address takes",
        "send it where it belongs"),
    "code-unknown": RefusalKey(
        "any", "a code is none of its value set", "use one of the codes that the text names"),
    "not-her-word": RefusalKey(
        "422", "a patient's token can not say that somebody else wrote the answers",
        "leave author and source out, or name the patient"),
    "server-owned": RefusalKey(
        "422", "this member is set by the server alone", "leave it out"),
    "questionnaire-not-contained": RefusalKey(
        "422", "the response names a contained form that it does not hold", "put the form in"),
    "parameter": RefusalKey(
        "400", "a parameter of the operation is missing or can not be read",
        "the text names it"),
    "processed": RefusalKey("200", "the response was taken in", "nothing"),
}  # fmt: skip
"""By key. Findings on forms, responses and operations have tables of their own."""
