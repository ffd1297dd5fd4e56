"""The extensions of SDC and of R4 that this service reads: their urls, and small readers.

http://hl7.org/fhir/R4/questionnaire-profiles.html, http://hl7.org/fhir/uv/sdc/STU4/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

CORE = "http://hl7.org/fhir/StructureDefinition/"
SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-"

TRANSLATION = CORE + "translation"
HIDDEN = CORE + "questionnaire-hidden"
ITEM_CONTROL = CORE + "questionnaire-itemControl"
MIN_OCCURS = CORE + "questionnaire-minOccurs"
MAX_OCCURS = CORE + "questionnaire-maxOccurs"
OPTION_EXCLUSIVE = CORE + "questionnaire-optionExclusive"
ITEM_WEIGHT = CORE + "itemWeight"
ORDINAL_VALUE = CORE + "ordinalValue"
MIN_VALUE = CORE + "minValue"
MAX_VALUE = CORE + "maxValue"
MIN_LENGTH = CORE + "minLength"
MAX_DECIMAL_PLACES = CORE + "maxDecimalPlaces"
MAX_SIZE = CORE + "maxSize"
MIME_TYPE = CORE + "mimeType"
REGEX = CORE + "regex"
ENTRY_FORMAT = CORE + "entryFormat"
SLIDER_STEP = CORE + "questionnaire-sliderStepValue"
USAGE_MODE = CORE + "questionnaire-usageMode"
REFERENCE_RESOURCE = CORE + "questionnaire-referenceResource"
REFERENCE_PROFILE = CORE + "questionnaire-referenceProfile"
SIGNATURE_REQUIRED = CORE + "questionnaire-signatureRequired"
SIGNATURE = CORE + "questionnaireresponse-signature"
EFFECTIVE_PERIOD = CORE + "resource-effectivePeriod"
EXPIRATION_DATE = CORE + "valueset-expirationDate"
UNIT = CORE + "questionnaire-unit"
UNIT_OPTION = CORE + "questionnaire-unitOption"
UNIT_VALUE_SET = CORE + "questionnaire-unitValueSet"
CONSTRAINT = CORE + "questionnaire-constraint"
TARGET_CONSTRAINT = CORE + "targetConstraint"
VARIABLE = CORE + "variable"
CQF_EXPRESSION = CORE + "cqf-expression"
CQF_CALCULATED_VALUE = CORE + "cqf-calculatedValue"
DATA_ABSENT_REASON = CORE + "data-absent-reason"
ANSWER_CONSTRAINT = (
    "http://hl7.org/fhir/5.0/StructureDefinition/extension-Questionnaire.item.answerConstraint"
)
SOURCE_OF_R5 = "http://hl7.org/fhir/5.0/StructureDefinition/extension-QuestionnaireResponse.source"

PERFORMER_TYPE = SDC + "performerType"
TERMINOLOGY_SERVERS = (
    CORE + "preferredTerminologyServer",
    SDC + "preferredTerminologyServer",
)
ENABLE_WHEN_EXPRESSION = SDC + "enableWhenExpression"
CALCULATED_EXPRESSION = SDC + "calculatedExpression"
ANSWER_EXPRESSION = SDC + "answerExpression"
INITIAL_EXPRESSION = SDC + "initialExpression"
CANDIDATE_EXPRESSION = SDC + "candidateExpression"
OPTIONS_TOGGLE = SDC + "answerOptionsToggleExpression"
UNIT_OPEN = SDC + "unitOpen"
UNIT_SUPPLEMENTAL_SYSTEM = SDC + "unitSupplementalSystem"
MIN_QUANTITY = SDC + "minQuantity"
MAX_QUANTITY = SDC + "maxQuantity"

Extensions = Mapping[str, tuple[Mapping[str, Any], ...]]


def by_url(extensions: Sequence[Mapping[str, Any]] | None) -> Extensions:
    """The extensions of one element by url, in order; empty when there are none."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for extension in extensions or ():
        found.setdefault(extension.get("url", ""), []).append(extension)
    return {url: tuple(each) for url, each in found.items()}


def value_of(extension: Mapping[str, Any]) -> Any:
    """Its value[x], whatever the type; None when it has none."""
    return next((value for key, value in extension.items() if key.startswith("value")), None)


def value(extensions: Extensions, url: str) -> Any:
    """The value of the first extension with that url; None when there is none."""
    return value_of(extensions[url][0]) if url in extensions else None


def values(extensions: Extensions, url: str) -> tuple[Any, ...]:
    """The values of all extensions with that url, in order; those without value left out."""
    found = (value_of(one) for one in extensions.get(url, ()))
    return tuple(one for one in found if one is not None)


def translations(sibling: Any) -> Iterator[tuple[str, str]]:
    """(language, words) of the translation extensions in ``_text`` and the like.

    http://hl7.org/fhir/R4/extension-translation.html
    """
    if not isinstance(sibling, Mapping):
        return
    for extension in sibling.get("extension", ()):
        if extension.get("url") == TRANSLATION:
            parts = by_url(extension.get("extension"))
            language, words = value(parts, "lang"), value(parts, "content")
            if isinstance(language, str) and isinstance(words, str):
                yield language, words


def words_of(element: Mapping[str, Any], name: str) -> dict[str, str]:
    """The words of one string element by language, the form's own language under ""."""
    words: dict[str, str] = {}
    if isinstance(element.get(name), str):
        words[""] = element[name]
    words.update(translations(element.get("_" + name)))
    return words
