"""What stands around the items of a decoded response: whether it is sound, and how much it is.

http://hl7.org/fhir/R4/questionnaireresponse.html
"""

from __future__ import annotations

from operator import attrgetter
from typing import Any

import msgspec
from msgspec import UNSET

from fhir_service.fhir.primitives import is_calendar_day
from fhir_service.fhir.reading import is_filled
from fhir_service.fhir.shape_check import check_contained, check_shape
from fhir_service.sdc.response_model import Body
from fhir_service.sdc.response_walk import Doubt, properties_in

_encoder = msgspec.json.Encoder()
_LOOSE: tuple[tuple[str, str, bool], ...] = (
    ("meta", "Meta", False),
    ("narrative", "Narrative", False),
    ("extension", "Extension", True),
    ("modifier_extension", "Extension", True),
    ("identifier", "Identifier", False),
    ("based_on", "Reference", True),
    ("part_of", "Reference", True),
    ("subject", "Reference", False),
    ("encounter", "Reference", False),
    ("author", "Reference", False),
    ("source", "Reference", False),
)
_rare = attrgetter(
    "meta", "implicit_rules", "narrative", "contained", "extension", "modifier_extension",
    "identifier", "based_on", "part_of", "encounter", "author", "source",
)  # fmt: skip
_ALL_UNSET = (UNSET,) * 12


def properties_around(decoded: Body) -> int:
    """How many properties there are outside the items, all sound. Raises Doubt."""
    subject = decoded.subject
    if decoded.authored is not UNSET and not is_calendar_day(decoded.authored):
        raise Doubt
    if _rare(decoded) != _ALL_UNSET or not _is_address(subject):
        must_be_sound(decoded)
        items, decoded.items = decoded.items, UNSET
        found = properties_in(_encoder.encode(decoded))
        decoded.items = items
        return found if items is UNSET else found + 1
    return (
        (2 if subject is UNSET else 4)  # resourceType and status; subject and its reference
        + (decoded.id is not UNSET)
        + (decoded.language is not UNSET)
        + (decoded.questionnaire is not UNSET)
        + (decoded.authored is not UNSET)
        + (decoded.items is not UNSET)
    )


def _is_address(subject: Any) -> bool:
    """Whether it is missing, or a Reference that has nothing but an address."""
    if subject is UNSET:
        return True
    address = subject.get("reference")
    return (
        len(subject) == 1 and isinstance(address, str) and address != "" and not address.isspace()
    )


def must_be_sound(decoded: Body) -> None:
    """Look at what stays a dictionary. Raises Doubt."""
    for name, type_, many in _LOOSE:
        value = getattr(decoded, name)
        if value is not UNSET:
            for one in value if many else (value,):
                if type_ == "Reference" and _is_address(one):
                    continue
                if any(check_shape(one, type_, "")):
                    raise Doubt
    if decoded.contained is not UNSET and not (
        is_filled(decoded.contained) and not any(check_contained(decoded.contained, ""))
    ):
        raise Doubt
