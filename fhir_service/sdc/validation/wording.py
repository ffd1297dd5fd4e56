"""The sentences of the findings: one template for each key and language.

``{text}`` is the question as the form words it. No sentence repeats what a patient wrote.
"""

# ruff: noqa: E501
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from fhir_service.sdc.validation.wording_es import SPANISH, SPANISH_KINDS

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
    "conditions-in-circle": "{text}: whether it is asked hangs on itself, in a circle of conditions of the form.",
    "required-missing": "{text}: please answer this question.",
    "required-group-empty": "{text}: please answer at least one of these questions.",
    "several-answers": "{text}: only one answer may be given.",
    "too-few": "{text}: at least {limit} are asked for; there are {count}.",
    "too-many": "{text}: at most {limit} may be given; there are {count}.",
    "answer-type": "{text}: the answer must be {types}; {given} was sent.",
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
    "terminology-server-silent": (
        "{text}: the list of this question ({value_set}) is not known here, "
        "and the terminology server gave no answer."
    ),
    "display-wrong": "{text}: the words sent for this code are not those of the option “{option}”.",
    "coding-without-system": "{text}: the code has no system.",
    "questionnaire-other-type": "The response names a resource that is no Questionnaire.",
    "performer-type": "The answers to this form are recorded by {types}, and the one named is none.",
    "source-twice": "The source stands here twice: in “source” and in an extension. Leave one out.",
    "adaptive-form-not-contained": "An adaptive response contains its form, and names it by “#” and its id.",
    "adaptive-form-without-origin": "The form in an adaptive response names, in “derivedFrom”, the form it comes from.",
    "adaptive-form-with-url": "The form in an adaptive response has no url of its own.",
    "signature-missing": "{text}: a signature is asked for.",
    "answer-to-display-only": "{text}: this is shown only where the answers are read; it is not asked.",
    "answer-too-short": "{text}: at least {limit} characters; there are {count}.",
    "date-too-rough": "{text}: please give the date more exactly.",
    "answer-malformed": "{text}: the answer is not written in the way that is asked for.",
    "answer-not-in-format": "{text}: please write the answer like this: {format}.",
    "pattern-unknown": "{text}: not checked here whether the answer is written as the form asks.",
    "limit-unit-differs": "{text}: the unit of the answer can not be turned into that of the limit {limit}.",
    "comparator-open": "{text}: the answer leaves open whether it keeps the limit {limit}.",
    "attachment-too-large": "{text}: the file may have at most {limit}.",
    "attachment-size-unknown": "{text}: the size of the file is not known.",
    "attachment-type": "{text}: the file must be of one of these types: {types}.",
    "attachment-size-differs": "{text}: the file is not of the size that is stated.",
    "attachment-hash-differs": "{text}: the file is not the one that the stated hash is of.",
    "reference-malformed": "{text}: the answer is no address of a record.",
    "reference-resource": "{text}: the answer must refer to {types}.",
    "reference-resource-unknown": "{text}: not known whether the answer refers to {types}.",
    "reference-type-differs": "{text}: the type that is stated is not that of the address.",
    "reference-not-contained": "{text}: what the answer refers to was not sent along.",
    "reference-profile-unknown": "{text}: not checked here whether the target keeps {profiles}.",
    "unit-not-in-value-set": "{text}: the unit is not in the list of this question.",
    "unit-without-code": "{text}: the unit must have a code.",
    "unit-value-set-unknown": "{text}: the list of units ({value_set}) is not known here.",
    "unit-terminology-server-silent": (
        "{text}: the list of units ({value_set}) is not known here, "
        "and the terminology server gave no answer."
    ),
    "unit-other-system": "{text}: a unit that is not in the list must be of {system}.",
    "unit-fixed": "{text}: the unit must be {unit}.",
    "off-slider-step": "{text}: the value must be one of the steps of {step} from {start}.",
    "value-set-not-current": "{text}: the list of this question was not in force at that time.",
    "coding-version-differs": "{text}: the code is of another version of its system than {version}.",
    "text-not-in-value-set": "{text}: the answer is not a code of this question's list.",
    "code-inactive": "{text}: the code that was sent is out of use.",
    "code-abstract": "{text}: the code that was sent only groups others. Choose one of these.",
    "terminology-server-not-asked": "{text}: the form names {server} for its lists; it is not asked here.",
    "weight-differs": "{text}: the weight sent with the answer is not the form's, {weight}.",
    "fixed-value-changed": "{text}: this value is fixed by the form and was changed.",
    "option-switched-off": "{text}: this option is not offered after the other answers.",
    "answer-not-from-expression": "{text}: the answer is not one of those that the other answers allow.",
    "constraint-broken": "{text}: {human}",
    "constraint-warning": "{text}: {human}",
    "constraint-open": "{text}: not decided whether the answers keep the rule {rule} of the form.",
    "calculated-value-differs": "{text}: the value is not the one that the form calculates from the other answers.",
    "calculated-value-changed": "{text}: the form calculates another value from the other answers.",
    "expression-not-decided": "{text}: not checked here: {rule}. {why}",
    "expression-too-costly": "{text}: not checked here: {rule}. {why}",
}  # fmt: skip

_ENGLISH_KINDS: Mapping[str, str] = {
    "boolean": "yes or no",
    "decimal": "a number",
    "integer": "a whole number",
    "date": "a date",
    "dateTime": "a date and time",
    "time": "a time of day",
    "string": "text",
    "uri": "a web address",
    "Attachment": "a file",
    "Coding": "one of the choices",
    "Quantity": "a number with its unit",
    "Reference": "a reference to a record",
}

WORDING: Mapping[str, Mapping[str, str]] = {"en": _ENGLISH, "es": SPANISH}
"""The templates by language; English where there are none."""

LANGUAGES: Final = tuple(WORDING)
"""The languages that sentences come in, the fallback first."""

KINDS: Mapping[str, Mapping[str, str]] = {"en": _ENGLISH_KINDS, "es": SPANISH_KINDS}
"""What each type of value is called, by language."""

LONGEST_TEXT = 160

_OR: Mapping[str, str] = {"en": " or ", "es": " o "}
_WHERE: Mapping[str, tuple[str, str]] = {
    "en": ("at the top", "in “{}”"),
    "es": ("al principio, fuera de todo grupo", "en «{}»"),
}


@dataclass(frozen=True, slots=True)
class OneOf:
    """Several things of which one is meant; types of value get their plain words."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Inside:
    """Where an item belongs: in the one with these words, or (None) at the root."""

    text: str | None


@lru_cache(256)
def language_of(language: str | None) -> str:
    """The language that a sentence asked for in this one comes in."""
    plain = (language or "en").split("-", maxsplit=1)[0].lower()
    return plain if plain in WORDING else "en"


def sentence(key: str, language: str | None, values: Mapping[str, Any]) -> str:
    """The sentence of this key in this language; in English where there is none."""
    spoken = language_of(language)
    template = WORDING[spoken].get(key, _ENGLISH[key])
    said = {
        name: one if one.__class__ is str else _said(one, spoken) for name, one in values.items()
    }
    return template.format_map(said)


_MORE: Mapping[str, str] = {
    "en": "There are more findings than the {count} that are told.",
    "es": "Hay más hallazgos que los {count} que se indican.",
}


def more_findings(language: str | None, count: int) -> str:
    """The sentence that says that no more than ``count`` findings are told."""
    return _MORE[language_of(language)].format(count=count)


@lru_cache(1024)
def _one_of(names: tuple[str, ...], spoken: str) -> str:
    return _OR[spoken].join(KINDS[spoken].get(name, name) for name in names)


def _said(value: Any, spoken: str) -> Any:
    if isinstance(value, OneOf):
        return _one_of(value.names, spoken)
    if isinstance(value, Inside):
        top, inside = _WHERE[spoken]
        return top if value.text is None else inside.format(value.text)
    return value
