"""What our rules of extraction say and their forms do not bear out.

Checked in the tests and by the command line. http://hl7.org/fhir/R4/questionnaire.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from fhir_service.fhir.issues import Issue
from fhir_service.sdc.compiled import Form
from fhir_service.sdc.expressions import Formula, NotDecided
from fhir_service.sdc.extraction.mapping import Mapping_, Rule
from fhir_service.sdc.extraction.template import formulas_of


def extraction_findings(
    mappings: Mapping[str, Mapping_], forms: Iterable[Form]
) -> tuple[Issue, ...]:
    """Each expression that can not be read, and each linkId that the rule's form does not have."""
    known = {form.url: form for form in forms}
    found: list[Issue] = []
    for url, mapping in mappings.items():
        form = known.get(url)
        if form is None:
            says = f"{url} is not here."
            found.append(Issue("extraction-form-unknown", "not-found", says))
        else:
            found += (issue for rule in mapping.rules for issue in _rule(rule, form))
    return tuple(found)


def _rule(rule: Rule, form: Form) -> Iterator[Issue]:
    for formula in _formulas(rule):
        try:
            asked = formula.compiled.link_ids
        except NotDecided as why:
            says = f"{rule.key}: {why.says}"
            yield Issue("extraction-expression-broken", "invalid", says)
            continue
        for link_id in asked:
            if link_id not in form.by_link_id:
                says = f"{rule.key} asks for {link_id}, which the form does not have."
                yield Issue("extraction-link-id-unknown", "not-found", says, link_id=link_id)


def _formulas(rule: Rule) -> Iterator[Formula]:
    yield rule.each
    yield from (one.formula for one in rule.variables.values())
    yield from formulas_of(rule.template)
