"""The codes of required bindings in the resources that we take, by the path of the element.

http://hl7.org/fhir/R4/terminologies.html#required
"""

from __future__ import annotations

from collections.abc import Mapping

_STATUS = frozenset({"draft", "active", "retired", "unknown"})
_USE = frozenset({"usual", "official", "temp", "nickname", "anonymous", "old", "maiden"})
_FILTER = frozenset(
    {"=", "is-a", "descendent-of", "is-not-a", "regex", "in", "not-in", "generalizes", "exists"}
)

REQUIRED_CODES: Mapping[str, frozenset[str]] = {
    "Questionnaire.status": _STATUS,
    "ValueSet.status": _STATUS,
    "CodeSystem.status": _STATUS,
    "ConceptMap.status": _STATUS,
    "Task.status": frozenset(
        {
            "draft",
            "requested",
            "received",
            "accepted",
            "rejected",
            "ready",
            "cancelled",
            "in-progress",
            "on-hold",
            "failed",
            "completed",
            "entered-in-error",
        }
    ),
    "Task.intent": frozenset(
        {
            "unknown",
            "proposal",
            "plan",
            "order",
            "original-order",
            "reflex-order",
            "filler-order",
            "instance-order",
            "option",
        }
    ),
    "Task.priority": frozenset({"routine", "urgent", "asap", "stat"}),
    "Questionnaire.item.type": frozenset(
        {
            "group",
            "display",
            "question",
            "boolean",
            "decimal",
            "integer",
            "date",
            "dateTime",
            "time",
            "string",
            "text",
            "url",
            "choice",
            "open-choice",
            "attachment",
            "reference",
            "quantity",
        }
    ),
    "Questionnaire.item.enableBehavior": frozenset({"all", "any"}),
    "Questionnaire.item.enableWhen.operator": frozenset(
        {"exists", "=", "!=", ">", "<", ">=", "<="}
    ),
    "ValueSet.compose.include.filter.op": _FILTER,
    "ValueSet.compose.exclude.filter.op": _FILTER,
    "CodeSystem.filter.operator": _FILTER,
    "CodeSystem.content": frozenset(
        {"not-present", "example", "fragment", "complete", "supplement"}
    ),
    "CodeSystem.hierarchyMeaning": frozenset({"grouped-by", "is-a", "part-of", "classified-with"}),
    "CodeSystem.property.type": frozenset(
        {"code", "Coding", "string", "integer", "boolean", "dateTime", "decimal"}
    ),
    "ConceptMap.group.element.target.equivalence": frozenset(
        {
            "relatedto",
            "equivalent",
            "equal",
            "wider",
            "subsumes",
            "narrower",
            "specializes",
            "inexact",
            "unmatched",
            "disjoint",
        }
    ),
    "ConceptMap.group.unmapped.mode": frozenset({"provided", "fixed", "other-map"}),
    "Patient.gender": frozenset({"male", "female", "other", "unknown"}),
    "Patient.name.use": _USE,
    "Patient.contact.gender": frozenset({"male", "female", "other", "unknown"}),
    "Patient.link.type": frozenset({"replaced-by", "replaces", "refer", "seealso"}),
    "Patient.telecom.system": frozenset({"phone", "fax", "email", "pager", "url", "sms", "other"}),
    "Patient.telecom.use": frozenset({"home", "work", "temp", "old", "mobile"}),
    "Patient.address.use": frozenset({"home", "work", "temp", "old", "billing"}),
    "Patient.address.type": frozenset({"postal", "physical", "both"}),
}
"""For each path (items and concepts in themselves told once) the codes that it may have."""
