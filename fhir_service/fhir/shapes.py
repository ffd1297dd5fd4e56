"""The shape of R4 elements as data: which properties, of which type, how many.

Only what a QuestionnaireResponse can hold outside its items. ``type*`` is a list, ``type!`` is
required. http://hl7.org/fhir/R4/datatypes.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_TABLE = """
Meta: versionId id, lastUpdated instant, source uri, profile canonical*, security Coding*, tag Coding*
Narrative: status code!, div xhtml!
Extension: url uri!
Identifier: use code, type CodeableConcept, system uri, value string, period Period, assigner Reference
Reference: reference string, type uri, identifier Identifier, display string
Period: start dateTime, end dateTime
Coding: system uri, version string, code code, display string, userSelected boolean
CodeableConcept: coding Coding*, text string
Quantity: value decimal, comparator code, unit string, system uri, code code
Age: value decimal, comparator code, unit string, system uri, code code
Distance: value decimal, comparator code, unit string, system uri, code code
Duration: value decimal, comparator code, unit string, system uri, code code
Count: value decimal, comparator code, unit string, system uri, code code
Money: value decimal, currency code
Range: low Quantity, high Quantity
Ratio: numerator Quantity, denominator Quantity
Attachment: contentType code, language language, data base64Binary, url url, size unsignedInt, hash base64Binary, title string, creation dateTime
Annotation: authorReference Reference, authorString string, time dateTime, text markdown!
HumanName: use code, text string, family string, given string*, prefix string*, suffix string*, period Period
Address: use code, type code, text string, line string*, city string, district string, state string, postalCode string, country string, period Period
ContactPoint: system code, value string, use code, rank positiveInt, period Period
SampledData: origin Quantity!, period decimal!, factor decimal, lowerLimit decimal, upperLimit decimal, dimensions positiveInt!, data string
Signature: type Coding*!, when instant!, who Reference!, onBehalfOf Reference, targetFormat code, sigFormat code, data base64Binary
ContactDetail: name string, telecom ContactPoint*
Contributor: type code!, name string!, contact ContactDetail*
Expression: description string, name id, language code!, expression string, reference uri
ParameterDefinition: name code, use code!, min integer, max string, documentation string, type code!, profile canonical
RelatedArtifact: type code!, label string, display string, citation markdown, url url, document Attachment, resource canonical
UsageContext: code Coding!, valueCodeableConcept CodeableConcept, valueQuantity Quantity, valueRange Range, valueReference Reference
Timing: event dateTime*, repeat any, code CodeableConcept
Dosage: sequence integer, text string, additionalInstruction CodeableConcept*, patientInstruction string, timing Timing, asNeededBoolean boolean, asNeededCodeableConcept CodeableConcept, site CodeableConcept, route CodeableConcept, method CodeableConcept, doseAndRate any*, maxDosePerPeriod Ratio, maxDosePerAdministration Quantity, maxDosePerLifetime Quantity
DataRequirement: type code!, profile canonical*, subjectCodeableConcept CodeableConcept, subjectReference Reference, mustSupport string*, codeFilter any*, dateFilter any*, limit positiveInt, sort any*
TriggerDefinition: type code!, name string, timingTiming Timing, timingReference Reference, timingDate date, timingDateTime dateTime, data DataRequirement*, condition Expression
QuestionnaireResponse: resourceType code!, id id, meta Meta, implicitRules uri, language language, text Narrative, contained any*, modifierExtension Extension*, identifier Identifier, basedOn Reference*, partOf Reference*, questionnaire canonical, status code!, subject Reference, encounter Reference, authored dateTime, author Reference, source Reference, item ResponseItem*
ResponseItem: linkId string!, definition uri, text string, answer ResponseAnswer*, item ResponseItem*, modifierExtension Extension*
ResponseAnswer: item ResponseItem*, modifierExtension Extension*
"""  # noqa: E501

_VALUES_OF_ANSWER = (
    "boolean decimal integer date dateTime time string uri Attachment Coding Quantity Reference"
)
_VALUES_OF_EXTENSION = (
    "base64Binary boolean canonical code date dateTime decimal id instant integer markdown oid "
    "positiveInt string time unsignedInt uri url uuid Address Age Annotation Attachment "
    "CodeableConcept Coding ContactPoint Count Distance Duration HumanName Identifier Money "
    "Period Quantity Range Ratio Reference SampledData Signature Timing ContactDetail Contributor "
    "DataRequirement Expression ParameterDefinition RelatedArtifact TriggerDefinition "
    "UsageContext Dosage Meta"
)  # http://hl7.org/fhir/R4/datatypes.html#open


@dataclass(frozen=True, slots=True)
class Property:
    """One property: its type, whether it is a list, whether it must be there."""

    type: str
    many: bool = False
    required: bool = False


def _lines() -> Iterator[tuple[str, dict[str, Property]]]:
    for line in _TABLE.strip().splitlines():
        name, _, rest = line.partition(": ")
        properties = {
            "id": Property("string"),
            "extension": Property("Extension", many=True),
        }
        for each in rest.split(", "):
            key, _, type_ = each.partition(" ")
            properties[key] = Property(type_.rstrip("*!"), "*" in type_, type_.endswith("!"))
        yield name, properties


def _values(types: str) -> dict[str, Property]:
    return {f"value{type_[0].upper()}{type_[1:]}": Property(type_) for type_ in types.split()}


SHAPES: Mapping[str, Mapping[str, Property]] = dict(_lines())
"""Properties of each element by name."""

VALUES: Mapping[str, Mapping[str, Property]] = {
    "ResponseAnswer": _values(_VALUES_OF_ANSWER),
    "Extension": _values(_VALUES_OF_EXTENSION),
}
"""The members of value[x], of which an element has one at most."""

CODES: Mapping[tuple[str, str], frozenset[str]] = {
    ("QuestionnaireResponse", "resourceType"): frozenset({"QuestionnaireResponse"}),
    ("QuestionnaireResponse", "status"): frozenset(
        {"in-progress", "completed", "amended", "entered-in-error", "stopped"}
    ),
    ("Narrative", "status"): frozenset({"generated", "extensions", "additional", "empty"}),
    ("Quantity", "comparator"): frozenset({"<", "<=", ">=", ">"}),
    ("Identifier", "use"): frozenset({"usual", "official", "temp", "secondary", "old"}),
}
"""The codes of required bindings, http://hl7.org/fhir/R4/terminologies.html#required"""
