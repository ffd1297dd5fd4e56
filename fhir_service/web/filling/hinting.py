"""The clinic's hints on a step: plain facts, and the questions of the form that they suggest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fhir_service.sdc.compiled import Form
from fhir_service.sdc.items import in_language
from fhir_service.web.filling.page_of import Screen
from fhir_service.web.filling.steps import Step
from fhir_service.web.wording import FALLBACK
from fhir_service.workflow.hints import hints_for


@dataclass(frozen=True)
class Tip:
    """One hint in words, and what she could ask, as the form words it."""

    says: str
    asks: tuple[str, ...]


def hints(screen: Screen, step: Step) -> list[Tip]:
    """The hints that stand on this step; none where the clinic has none there."""
    named = screen.site.hints(screen.form.url)
    if named is None or step.part or named.at not in step.within:
        return []
    found = hints_for(screen.site, screen.caller, screen.found, named)
    known = _labels(screen.form, screen.language) if found else {}
    return [
        Tip(
            one.text.get(screen.language) or one.text[FALLBACK],
            tuple(known[code] for code in one.suggests if code in known),
        )
        for one in found
    ]


def _labels(form: Form, language: str) -> Mapping[str, str]:
    """The words of each coded option of a form."""
    return {
        option.value["code"]: in_language(option.labels, language)
        for item in form.by_link_id.values()
        for option in item.options
        if option.kind == "Coding"
    }
