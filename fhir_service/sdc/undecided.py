"""Which rules of an item hang on an expression.

https://hl7.org/fhir/uv/sdc/STU4/expressions.html
"""

from __future__ import annotations

from collections.abc import Mapping

from fhir_service.sdc import extensions as ext
from fhir_service.sdc.expressions import COMPUTED_LIMITS, computed_by
from fhir_service.sdc.items import Item

EXPRESSIONS: Mapping[str, str] = {
    ext.ENABLE_WHEN_EXPRESSION: "enableWhenExpression",
    ext.CALCULATED_EXPRESSION: "calculatedExpression",
    ext.ANSWER_EXPRESSION: "answerExpression",
    ext.OPTIONS_TOGGLE: "answerOptionsToggleExpression",
    ext.CONSTRAINT: "questionnaire-constraint",
    ext.TARGET_CONSTRAINT: "targetConstraint",
    ext.CQF_EXPRESSION: "cqf-expression",
    ext.CQF_CALCULATED_VALUE: "cqf-calculatedValue",
}
"""Extensions whose value, or part of it, is an expression that decides a rule."""

LIMITS = (
    ext.MIN_VALUE,
    ext.MAX_VALUE,
    ext.MIN_QUANTITY,
    ext.MAX_QUANTITY,
    ext.MAX_DECIMAL_PLACES,
    ext.MIN_LENGTH,
    ext.REGEX,
    ext.SLIDER_STEP,
    ext.UNIT,
    ext.UNIT_OPTION,
    ext.UNIT_VALUE_SET,
    ext.ANSWER_CONSTRAINT,
)
"""Extensions that limit the value of an answer of a simple type."""

_WORDS = frozenset({"text", "prefix", "title"})

ALWAYS = frozenset(
    {
        "enableWhenExpression",
        "questionnaire-constraint",
        "targetConstraint",
        "computed required",
        "computed questionnaire-minOccurs",
        "computed questionnaire-maxOccurs",
    }
)
"""Those that matter though the item is not answered."""


def unevaluated(item: Item) -> tuple[str, ...]:
    """The names of the rules on this item that hang on an expression."""
    names = [name for url, name in EXPRESSIONS.items() if url in item.extensions]
    names += [f"computed {name}" for name in item.computed if name not in _WORDS]
    names += [
        "computed " + url.rsplit("/", maxsplit=1)[-1]
        for url in COMPUTED_LIMITS
        for extension in item.extensions.get(url, ())
        if computed_by(extension) is not None
    ]
    return tuple(names)
