"""One condition of a form, made once into a function of the answers to its question.

http://hl7.org/fhir/R4/valueset-questionnaire-enable-operator.html
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import ge, gt, le, lt
from typing import Any

from msgspec import UNSET

from fhir_service.sdc.items import Condition
from fhir_service.sdc.response_model import ResponseAnswer, value_of

Answers = Sequence[ResponseAnswer]
Asked = Callable[[Answers], bool | None]
"""Whether a condition is met; None where it has to be asked in the general way."""

_ORDERS: dict[str, Callable[[Any, Any], bool]] = {">": gt, "<": lt, ">=": ge, "<=": le}


def asked_of(condition: Condition) -> Asked | None:
    """The function of a common condition; None for one that is always asked in the general way."""
    value, operator = condition.value, condition.operator
    if operator == "exists":
        return _exists(value)
    if operator in ("=", "!="):
        if condition.kind == "boolean":
            return _boolean(value, operator == "=")
        if condition.kind == "Coding" and "system" in value and "code" in value:
            return _coding(value["system"], value["code"], operator == "=")
        return None
    if condition.kind == "integer":
        return _integer(value, _ORDERS[operator])
    return None


def _exists(wanted: bool) -> Asked:
    def asked(answers: Answers) -> bool | None:
        return any(value_of(answer) is not None for answer in answers) is wanted

    return asked


def _boolean(value: bool, wanted: bool) -> Asked:
    def asked(answers: Answers) -> bool | None:
        for answer in answers:
            if answer.boolean is value:
                return wanted
        return not wanted

    return asked


def _coding(system: str, code: str, wanted: bool) -> Asked:
    def asked(answers: Answers) -> bool | None:
        for answer in answers:
            coding = answer.coding
            if coding is not UNSET and coding.code == code and coding.system == system:
                return wanted
        return not wanted

    return asked


def _integer(limit: int, meets: Callable[[Any, Any], bool]) -> Asked:
    def asked(answers: Answers) -> bool | None:
        for answer in answers:
            if answer.integer is UNSET:
                return None
            if meets(answer.integer, limit):
                return True
        return False

    return asked
