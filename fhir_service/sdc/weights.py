"""The weights that a form gives to answers: itemWeight, or the older ordinalValue.

https://hl7.org/fhir/extensions/StructureDefinition-itemWeight.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from fhir_service.fhir.fhirpath import ExpressionError
from fhir_service.sdc import extensions as ext
from fhir_service.sdc.planning import plans
from fhir_service.sdc.plans import Plan, value_key

Json = Mapping[str, Any]
Weighed = dict[Any, Decimal]

_URLS: Final = (
    ext.ITEM_WEIGHT,
    ext.ORDINAL_VALUE,
    ext.CORE + "questionnaire-ordinalValue",
    ext.CORE + "valueset-ordinalValue",
)


class Weights:
    """What each answer weighs, worked out for an item when it is asked for."""

    def __init__(self, root: Plan, questionnaire: Json) -> None:
        self._root = root
        self._questionnaire = questionnaire
        self._plans: dict[str, Plan] | None = None
        self._known: dict[str, Weighed] = {}

    def of(self, value: Any, link_id: str | None) -> Decimal | None:
        """The weight of a value (as JSON) answered at this item; None for one without weight.

        Raises ExpressionError where it can not be told: an item that is not known, or whose list
        of answers is not in the form.
        """
        if link_id is None:
            raise ExpressionError("The weight of a value outside an answer is not known.")
        known = self._known.get(link_id)
        if known is None:
            known = self._known[link_id] = dict(self._weighed(link_id))
        return known.get(_key(value))

    def _weighed(self, link_id: str) -> Iterator[tuple[Any, Decimal]]:
        if self._plans is None:
            self._plans = {plan.link_id: plan for plan in plans(self._root)}
        plan = self._plans.get(link_id)
        if plan is None:
            return
        for option in plan.item.options:
            if isinstance(option.weight, int | Decimal | float):
                yield _key(option.value), Decimal(str(option.weight))
        if plan.item.answer_value_set is not None:
            yield from self._of_value_set(plan.item.answer_value_set)

    def _of_value_set(self, canonical: str) -> Iterator[tuple[Any, Decimal]]:
        found = next(
            (
                one
                for one in self._questionnaire.get("contained", ())
                if canonical == f"#{one.get('id')}"
            ),
            None,
        )
        if found is None:
            raise ExpressionError("The weights of a list outside the form are not known.")
        for include in found.get("compose", {}).get("include", ()):
            for concept in include.get("concept", ()):
                extensions = ext.by_url(concept.get("extension"))
                weight = next((ext.value(extensions, u) for u in _URLS if u in extensions), None)
                if isinstance(weight, int | Decimal | float):
                    key = value_key("Coding", {**concept, "system": include.get("system")})
                    yield key, Decimal(str(weight))


def _key(value: Any) -> Any:
    return value_key("Coding", value) if isinstance(value, Mapping) else str(value)
