"""A patient's answers to a FHIR Questionnaire: taken in, checked, kept, summed up."""

__version__ = "0.1.0"
