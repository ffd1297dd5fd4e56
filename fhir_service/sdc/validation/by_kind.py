"""Which rules have something to say of a value of each type, in the order they are told.

http://hl7.org/fhir/R4/questionnaireresponse-definitions.html#QuestionnaireResponse.item.answer.value_x_
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from fhir_service.sdc.items import ValueKind
from fhir_service.sdc.validation import (
    answers,
    attachments,
    lengths,
    limits,
    options,
    references,
    units,
    value_sets,
)
from fhir_service.sdc.validation.context import Answered, Check, Place

AnswerRule = Callable[[Check, Answered, Place], None]

_SPANNED: Final[tuple[AnswerRule, ...]] = (limits.min_value, limits.max_value)
_DATED: Final[tuple[AnswerRule, ...]] = (options.offered, *_SPANNED, *lengths.RULES)
_RULES: Final[Mapping[ValueKind, tuple[AnswerRule, ...]]] = {
    "Coding": options.RULES,
    "string": (
        answers.one_line,
        options.offered,
        options.free_text,
        value_sets.text_in_value_set,
        limits.max_length,
        *lengths.RULES,
    ),
    "uri": (answers.url_is_absolute, options.offered, limits.max_length, *lengths.RULES),
    "Quantity": (answers.quantity_has_value, *limits.RULES, *units.RULES),
    "decimal": (
        options.offered,
        *_SPANNED,
        limits.decimal_places,
        limits.slider_step,
        lengths.pattern,
    ),
    "integer": (options.offered, *_SPANNED, limits.slider_step, lengths.pattern),
    "date": _DATED,
    "dateTime": _DATED,
    "time": _DATED,
    "boolean": (options.offered,),
    "Attachment": attachments.RULES,
    "Reference": (options.offered, *references.RULES),
}
RULES_FOR: Final[Mapping[ValueKind, tuple[AnswerRule, ...]]] = {
    kind: (answers.type_fits, *rules) for kind, rules in _RULES.items()
}
"""The rules for a value of this type; that the type fits is asked first."""

OTHER_TYPE: Final[tuple[AnswerRule, ...]] = (answers.type_fits,)
"""All that is asked of a value whose type is not the question's."""
