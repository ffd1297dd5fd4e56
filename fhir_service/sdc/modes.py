"""What an item asks for beside a value: its usage mode, a kept initial value, a signature.

http://hl7.org/fhir/R4/extension-questionnaire-usagemode.html,
http://hl7.org/fhir/R4/extension-questionnaire-signaturerequired.html
"""

from __future__ import annotations

from fhir_service.sdc import extensions as ext
from fhir_service.sdc.items import Item

_DISPLAYED = frozenset({"display", "display-non-empty"})
_FILLED = (ext.CALCULATED_EXPRESSION, ext.INITIAL_EXPRESSION, ext.CQF_EXPRESSION)


def answer_constraint(item: Item) -> str | None:
    """AnswerConstraint of R5, as extension: optionsOnly, optionsOrType, optionsOrString."""
    found = ext.value(item.extensions, ext.ANSWER_CONSTRAINT)
    return found if isinstance(found, str) else None


def is_display_only(item: Item) -> bool:
    """Whether it is shown only where a response is read, never where it is filled in."""
    return ext.value(item.extensions, ext.USAGE_MODE) in _DISPLAYED


def is_filled_by_form(item: Item) -> bool:
    """Whether the form itself, not the patient, gives its answer."""
    return bool(initials(item)) or any(url in item.extensions for url in _FILLED)


def initials(item: Item) -> tuple[object, ...]:
    """The fixed initial values: those of the item, else of the options chosen from the start."""
    return item.initial or tuple(option.value for option in item.options if option.initial)


def has_fixed_value(item: Item) -> bool:
    """Whether it can not be edited and has an initial value that no expression replaces."""
    return (
        item.read_only and bool(initials(item)) and not any(u in item.extensions for u in _FILLED)
    )


def wants_signature(item: Item) -> bool:
    """Whether it has to be signed."""
    return ext.SIGNATURE_REQUIRED in item.extensions
