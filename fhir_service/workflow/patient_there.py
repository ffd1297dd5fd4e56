"""The patient as the EHR knows her, read there before anything is asked or sent about her."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fhir_service.fhir.reading import read_stored
from fhir_service.workflow.corrections import Aside
from fhir_service.workflow.ehr import Ehr
from fhir_service.workflow.site import Site


def patient_at_ehr(site: Site, patient: str) -> str:
    """The patient's id at the EHR, after reading her there.

    Raises Aside where she is not there, was merged into another, or was born on another day.
    """
    ehr = must_ehr(site)
    ours = _ours(site, patient)
    id_ = next(
        (
            str(one["value"])
            for one in ours.get("identifier", ())
            if one.get("system") == ehr.base and one.get("value")
        ),
        patient,
    )
    theirs = ehr.read("Patient", id_)
    if theirs is None:
        raise Aside("refused", "patient-not-at-ehr")
    if any(link.get("type") == "replaced-by" for link in theirs.get("link", ())):
        raise Aside("refused", "patient-merged")
    born = ours.get("birthDate"), theirs.get("birthDate")
    if all(born) and born[0] != born[1]:
        raise Aside("refused", "patient-mismatch")
    return id_


def _ours(site: Site, patient: str) -> Mapping[str, Any]:
    stored = site.desk.reading().read("Patient", patient)
    return {} if stored is None or stored.deleted else read_stored(stored.body)


def must_ehr(site: Site) -> Ehr:
    """The EHR that is configured. Raises Aside where there is none."""
    if site.ehr is None:
        raise Aside("refused", "no-ehr")
    return site.ehr
