"""Structured Data Capture: a Questionnaire meets its QuestionnaireResponse. Pure.

http://hl7.org/fhir/uv/sdc/STU4/
"""
