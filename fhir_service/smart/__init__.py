"""SMART App Launch, the pure part: scopes, and what a token may reach.

https://hl7.org/fhir/smart-app-launch/
"""
