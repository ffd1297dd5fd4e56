"""FHIR R4 (4.0.1) itself: values, outcomes, the shape of resources. Pure; knows no forms."""
