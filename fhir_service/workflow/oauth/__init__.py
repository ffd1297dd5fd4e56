"""The embedded authorization server: who gets which token, and what becomes of it.

https://hl7.org/fhir/smart-app-launch/ and https://www.rfc-editor.org/rfc/rfc6749
"""
