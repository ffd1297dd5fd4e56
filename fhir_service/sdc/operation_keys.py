"""Every key of an issue that $populate and $extract tell, and what it means.

http://hl7.org/fhir/R4/valueset-issue-type.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

OPERATION_KEYS: Final[Mapping[str, str]] = {
    "populate-context-unknown": "a context was given under a name that the form does not know",
    "populate-other-patient": "a context holds another patient than the subject: refused",
    "populate-not-fetched": "a query was not sent, or not answered; it counts as without result",
    "populate-not-decided": "an expression or a period that can not be evaluated",
    "populate-type": "what was found is of another type than the question, or none of its options",
    "populate-too-many": "more was found than the question or group takes",
    "populate-structure-map": "the form asks for a StructureMap, which is not run",
    "populate-nothing-fits": "what was found does not fit the rules of the form together",
    "extract-not-final": "the response is a draft, was stopped, or was entered in error",
    "extract-not-decided": "an expression that can not be evaluated, or gives too much",
    "extract-template": "the form contains no template of this name",
    "extract-definition": "a definition names no resource or element of R4",
    "extract-type": "an answer can not be the value of the element that it was meant for",
    "extract-too-many": "more resources than one transaction holds",
    "extract-structure-map": "the form asks for a StructureMap, which is not run",
    "extract-nothing": "nothing that the form marks for extraction was answered",
}
