"""May this form be offered to patients: stored is lenient, offered is strict.

http://hl7.org/fhir/R4/questionnaire.html
"""

from __future__ import annotations

from typing import Any

from fhir_service.fhir.canonical import read_canonical
from fhir_service.fhir.issues import Issue, NotValid
from fhir_service.fhir.reading import read_stored
from fhir_service.sdc.form_rules import check_questionnaire
from fhir_service.workflow import known
from fhir_service.workflow.site import Site


def must_offer(site: Site, canonical: str, expression: str) -> dict[str, Any]:
    """The form with this canonical (url|version), which patients can be asked to fill.

    Active, of exactly this version, about patients, and without a finding that bars it. Raises
    NotValid with every reason; ``expression`` is where the sender named the form.
    """
    named = read_canonical(canonical)
    if named is None or not named.version:
        raise _refused(
            "form-without-version",
            "value",
            "Name the form with its exact version: url|version.",
            expression,
        )
    stored = site.desk.reading().canonical("Questionnaire", named.url, named.version)
    if stored is None:
        raise _refused(
            "form-unknown",
            "not-found",
            "This version of the form is not published here.",
            expression,
        )
    form = read_stored(stored.body)
    if form.get("status") != "active":
        says = f"The form is {form.get('status')}; patients are asked with active forms alone."
        raise _refused("form-not-active", "business-rule", says, expression)
    if "Patient" not in form.get("subjectType", ["Patient"]):
        raise _refused(
            "form-not-of-patients", "business-rule", "The form is not about patients.", expression
        )
    forms = known.Stored(site.desk.reading())
    found = check_questionnaire(form, forms, item_levels=site.max_item_depth)
    bars = [one for one in found if one.blocks_offer or one.severity in ("error", "fatal")]
    if bars:
        raise NotValid("The form can not be offered to patients as it is.", *bars)
    return form


def _refused(key: str, code: str, says: str, expression: str) -> NotValid:
    return NotValid(says, Issue(key=key, code=code, says=says, expression=expression))
