"""A version of a form, compiled once into an immutable index that responses are checked against.

http://hl7.org/fhir/R4/questionnaire.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from fhir_service.sdc import extensions as ext
from fhir_service.sdc.item_reading import read_items
from fhir_service.sdc.items import Item, Option, in_language
from fhir_service.sdc.planning import plan_items
from fhir_service.sdc.plans import Plan


@dataclass(frozen=True)
class Form:
    """One version of a Questionnaire. Nothing in it changes.

    ``titles`` are its titles by language, the form's own under "". ``items`` are the root items;
    ``by_link_id`` holds every item; ``order`` is an item's place in the form, counted from 0
    through the whole tree. ``levels`` is how deep items lie in items. ``questionnaire``
    is the resource it was made of. ``plan`` and ``plans`` are what the walk needs, for this
    package alone.
    """

    url: str | None
    version: str | None
    status: str
    titles: Mapping[str, str]
    language: str | None
    id: str | None
    items: tuple[Item, ...]
    by_link_id: Mapping[str, Item]
    order: Mapping[str, int]
    levels: int
    questionnaire: Mapping[str, Any] = field(repr=False)
    plan: Plan = field(repr=False)
    plans: Mapping[str, Plan] = field(repr=False)

    @property
    def title(self) -> str:
        """The title in the form's own language; its name, else "", where it has none."""
        return self.titles.get("") or str(self.questionnaire.get("name", ""))

    def title_in(self, language: str | None) -> str:
        """The title in that language; in the form's own where there is no translation."""
        return in_language(self.titles, language) or self.title

    @cached_property
    def canonical(self) -> str | None:
        """url|version, or the url alone; None for a form without url."""
        if self.url is None or self.version is None:
            return self.url
        return f"{self.url}|{self.version}"

    @cached_property
    def codings(self) -> Mapping[tuple[Any, Any, Any], Option]:
        """Every offered Coding by (linkId, system, code); under linkId None the first of all."""
        found: dict[tuple[Any, Any, Any], Option] = {}
        for item in walk(self.items):
            for option in item.options:
                if isinstance(option.value, Mapping):
                    key = (option.value.get("system"), option.value.get("code"))
                    found.setdefault((item.link_id, *key), option)
                    found.setdefault((None, *key), option)
        return found

    @cached_property
    def plain_envelope(self) -> tuple[str, bool] | None:
        """(canonical that a response names, whether patients are its subjects).

        None where the envelope has more to keep: a period, who records the answers, a signature.
        """
        more = ext.PERFORMER_TYPE in self.plan.item.extensions or (
            ext.SIGNATURE_REQUIRED in self.plan.item.extensions
        )
        if more or self.status != "active" or "effectivePeriod" in self.questionnaire:
            return None
        if self.url is None or self.version is None:
            return None
        types = self.questionnaire.get("subjectType", ())
        return f"{self.url}|{self.version}", not types or "Patient" in types


def compile_form(questionnaire: Mapping[str, Any]) -> Form:
    """The Form of a Questionnaire (R4 JSON as a dictionary) that check_questionnaire let pass.

    Raises KeyError or TypeError for one that lacks what every Questionnaire must have.
    """
    items = read_items(questionnaire.get("item", ()))
    plan, plans = plan_items(questionnaire, items)
    everything = list(walk(items))
    return Form(
        url=questionnaire.get("url"),
        version=questionnaire.get("version"),
        status=questionnaire["status"],
        titles=ext.words_of(questionnaire, "title"),
        language=questionnaire.get("language"),
        id=questionnaire.get("id"),
        items=items,
        by_link_id={item.link_id: item for item in everything},
        order={item.link_id: number for number, item in enumerate(everything)},
        levels=max((len(one.ancestors) for one in plans.values()), default=0),
        questionnaire=questionnaire,
        plan=plan,
        plans=plans,
    )


def walk(items: tuple[Item, ...]) -> Iterator[Item]:
    """Every item, parents before children, in the order of the form."""
    for item in items:
        yield item
        yield from walk(item.items)
