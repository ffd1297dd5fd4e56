"""FHIR R4 (4.0.1) itself: values, outcomes, the shape of resources. Pure; knows nothing of forms or stores."""
