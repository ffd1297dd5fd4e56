"""The sentences of the findings: one template for each key and language.

``{text}`` is the question as the form words it. No sentence repeats what a patient wrote.
"""

# ruff: noqa: E501
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_ENGLISH: Mapping[str, str] = {
    "questionnaire-mismatch": "The response names another form than {form}. Check it against its own.",
    "questionnaire-without-version": "The response names its form without a version. Write {form}.",
    "form-not-active": "The form's status is {status}; it is not offered to patients.",
    "authored-outside-period": "The response was written outside the form's effective period.",
    "authored-missing": "The response does not say when it was written. Add “authored”.",
    "authored-required": "A response to the SDC profile says when it was written. Add “authored”.",
    "subject-missing": "The response does not say whom it is about. Add “subject”.",
    "subject-type": "The form is about {types}, and the subject is none.",
    "modifier-extension": "A modifier extension stands here that is not understood. It may change what is said.",
    "item-unknown": "The form has no such item. Mend the linkId, or leave the item out.",
    "item-wrong-place": "{text}: this item belongs {where}.",
    "item-order": "{text}: the items must stand in the order of the form; this one comes too late.",
    "item-twice": "{text}: this group does not repeat, and stands here a second time.",
    "question-twice": "{text}: the question stands here a second time. Put all answers into one item.",
    "items-beside-answers": "{text}: items stand beside the answers. Put them under the answer.",
    "items-outside-answer": "{text}: the items under a question belong under its answer.",
    "group-with-answer": "{text}: a group has no answers of its own.",
    "display-with-content": "{text}: this is a text to read; it has neither answers nor items.",
    "question-abstract": "{text}: a question of this type can not be answered.",
    "item-text": "{text}: the item's text is not that of the form. Send the form's words, or none.",
    "item-definition": "{text}: the item's definition is not that of the form.",
    "same-answer-twice": "{text}: the same answer stands here twice.",
    "answer-while-disabled": "{text}: this is not asked after the other answers. Take the answer out.",
    "units-not-comparable": "{text}: whether it is asked hangs on a unit that can not be compared.",
    "required-missing": "{text}: please answer this question.",
    "required-group-empty": "{text}: please answer at least one of these questions.",
    "several-answers": "{text}: only one answer may be given.",
    "too-few": "{text}: at least {limit} are asked for; there are {count}.",
    "too-many": "{text}: at most {limit} may be given; there are {count}.",
    "answer-type": "{text}: the answer must be of type {types}, not {given}.",
    "string-line-break": "{text}: the answer must stand in one line.",
    "url-malformed": "{text}: the answer must be an absolute web address or URN.",
    "answer-too-long": "{text}: at most {limit} characters; there are {count}.",
    "answer-below-min-value": "{text}: the answer must be {limit} or more.",
    "answer-above-max-value": "{text}: the answer must be {limit} or less.",
    "limit-not-comparable": "{text}: the answer can not be compared with the limit {limit}.",
    "too-many-decimals": "{text}: at most {limit} decimal places.",
    "unit-not-offered": "{text}: the unit must be one of {units}.",
    "quantity-without-value": "{text}: the number is missing.",
    "option-not-offered": "{text}: the answer is not one of the options.",
    "free-text-is-option": "{text}: this free text is one of the options. Choose the option.",
    "free-text-not-allowed": "{text}: please choose one of the options; free text is not taken.",
    "exclusive-option-with-others": "{text}: “{option}” can not be chosen together with others.",
    "value-set-not-member": "{text}: the answer is not in the list of this question.",
    "value-set-unknown": "{text}: the list of this question ({value_set}) is not known here.",
    "display-wrong": "{text}: the words sent for this code are not those of the option “{option}”.",
    "coding-without-system": "{text}: the code has no system.",
    "expression-not-evaluated": "{text}: not checked here: {names}.",
}  # fmt: skip

WORDING: Mapping[str, Mapping[str, str]] = {"en": _ENGLISH}
"""The templates by language; English where there are none."""

LONGEST_TEXT = 160


def sentence(key: str, language: str | None, values: Mapping[str, Any]) -> str:
    """The sentence of this key in this language."""
    templates = WORDING.get((language or "en").split("-", maxsplit=1)[0], _ENGLISH)
    return templates.get(key, _ENGLISH[key]).format_map(values)
