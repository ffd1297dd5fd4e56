"""The page of all finding keys, FINDINGS.md, made from the tables of keys.

http://hl7.org/fhir/R4/operationoutcome-definitions.html#OperationOutcome.issue.details
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from fhir_service.fhir.issues import FINDINGS, LINK_ID
from fhir_service.sdc.form_keys import FORM_KEYS, FormKey
from fhir_service.sdc.keys import KEYS, Key
from fhir_service.sdc.operation_keys import OPERATION_KEYS
from fhir_service.sdc.refusal_keys import REFUSAL_KEYS
from fhir_service.sdc.validation.status_policy import POLICY

_STATUSES: Final = ("in-progress", "completed", "stopped")
_BARS: Final = {
    "error": "storing",
    "offer": "offering",
    "warning": "nothing",
    "information": "nothing",
}


def findings_page() -> str:
    """The whole page, in Markdown; it ends with a line break."""
    sections = (
        *(*_head(), *_of_responses(), "", *_of_forms(), ""),
        *(*_of_operations(), "", *_of_requests(), ""),
    )
    return "\n".join(sections)


def _head() -> Iterator[str]:
    yield "# Every key of an OperationOutcome"
    yield ""
    yield "Made from `form_keys.py`, `keys.py`, `operation_keys.py` and `refusal_keys.py` by"
    yield "`findings_page.py`; a test holds it current."
    yield ""
    yield "A key is stable over releases. In an OperationOutcome it stands in"
    yield f"`issue.details.coding`, system `{FINDINGS}`."
    yield "Beside it stands `not-verified` where the rule could not be decided, and `blocks-offer`"
    yield "where a form may be stored and not be offered to patients. The linkId stands in the"
    yield f"extension `{LINK_ID}`."
    yield ""


def _of_requests() -> Iterator[str]:
    yield "## On a request"
    yield ""
    yield "Beside these the token endpoint answers in OAuth's words: `invalid_client`,"
    yield "`invalid_grant`, `invalid_scope` and so on (RFC 6749, section 5.2)."
    yield ""
    yield "| key | HTTP status | meaning | how to mend |"
    yield "|---|---|---|---|"
    for name, key in REFUSAL_KEYS.items():
        if name not in KEYS and name not in FORM_KEYS and name not in OPERATION_KEYS:
            yield f"| `{name}` | {key.status} | {key.meaning} | {key.mend} |"


def _of_responses() -> Iterator[str]:
    yield "## On a response"
    yield ""
    yield "How grave a finding is hangs on the status of the response. An amended one is treated"
    yield "as a completed one, one entered in error as a stopped one."
    yield ""
    yield "| key | rule | in-progress | completed | stopped | meaning |"
    yield "|---|---|---|---|---|---|"
    for name, key in KEYS.items():
        yield _response_row(name, key)


def _response_row(name: str, key: Key) -> str:
    grave = [POLICY[status][key.family] or "not told" for status in _STATUSES]
    return f"| `{name}` | {key.rule} | {' | '.join(grave)} | {key.meaning} |"


def _of_forms() -> Iterator[str]:
    yield "## On a form"
    yield ""
    yield "| key | rule | severity | bars | meaning | how to mend |"
    yield "|---|---|---|---|---|---|"
    for name, key in FORM_KEYS.items():
        yield _form_row(name, key)


def _of_operations() -> Iterator[str]:
    yield "## On $populate and $extract"
    yield ""
    yield "Warnings in the parameter `issues`. What breaks a rule of the form is left out of a"
    yield "populated response, and told by that rule's key."
    yield ""
    yield "| key | meaning |"
    yield "|---|---|"
    for name, meaning in OPERATION_KEYS.items():
        yield f"| `{name}` | {meaning} |"


def _form_row(name: str, key: FormKey) -> str:
    bars = _BARS[key.gate]
    return f"| `{name}` | {key.rule} | {key.severity} | {bars} | {key.meaning} | {key.mend} |"
