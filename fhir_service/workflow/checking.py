"""A response meets the rules of the exact form version that it names.

https://hl7.org/fhir/uv/sdc/STU4/behavior.html
"""

from __future__ import annotations

from fhir_service.fhir.canonical import Canonical, read_canonical
from fhir_service.fhir.issues import Issue, NotValid
from fhir_service.fhir.resource_types import type_named
from fhir_service.sdc.compiled import Form
from fhir_service.sdc.responses import Response
from fhir_service.sdc.validation import validate
from fhir_service.workflow.site import Site
from fhir_service.workflow.terminology import StoredCodes

_WHERE = "QuestionnaireResponse.questionnaire"


def checked(site: Site, response: Response, language: str | None = None) -> tuple[Issue, ...]:
    """What was found, warnings and less. Raises NotValid when anything found is an error.

    ``language`` is that of the sentences; English where there is no translation.
    Raises NotUnderstood for a skimmed response whose items are no sound FHIR.
    """
    findings = findings_of(site, response, language=language)
    if any(issue.severity in ("error", "fatal") for issue in findings):
        raise NotValid("The response breaks the rules of its questionnaire.", *findings)
    return findings


def findings_of(
    site: Site, response: Response, given: Form | None = None, language: str | None = None
) -> tuple[Issue, ...]:
    """Every finding, in the order of the form; ``given`` is checked against instead of the stored.

    An unknown form is the one finding that ends the check.
    """
    form = given or form_of(site, response)
    if isinstance(form, Issue):
        response.settle()
        return (form,)
    codes = StoredCodes(site.desk.reading(), site.terminology)
    now, zone = site.clock.now(), site.zone
    return validate(form, response, codes=codes, language=language, now=now, zone=zone)


def form_of(site: Site, response: Response) -> Form | Issue:
    """The stored form that the response names; the finding that it is not known here."""
    named = response.questionnaire
    if not named:
        return _issue("questionnaire-missing", "required", "The response names no questionnaire.")
    canonical: Canonical | None = read_canonical(named)
    if canonical is None:
        return _issue("questionnaire-unreadable", "value", "This is no canonical (url|version).")
    form = site.forms.find(site.desk.reading(), canonical.url, canonical.version)
    if form is not None:
        return form
    if canonical.version and site.forms.find(site.desk.reading(), canonical.url, None):
        says = (
            f"The questionnaire is known here, but not its version {canonical.version}. "
            "Name a version that is published here."
        )
        return _issue("questionnaire-version-unknown", "not-found", says)
    if type_named(canonical.url) not in (None, "Questionnaire"):
        says = "The response names a resource that is no Questionnaire. Name its form."
        return _issue("questionnaire-other-type", "value", says)
    return _issue(
        "questionnaire-unknown",
        "not-found",
        "This questionnaire is not published here. Publish it first, or mend the address.",
    )


def _issue(key: str, code: str, says: str) -> Issue:
    return Issue(key=key, code=code, says=says, expression=_WHERE)
