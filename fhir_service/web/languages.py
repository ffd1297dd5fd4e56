"""The language that a reader asks for.

http://hl7.org/fhir/R4/languages.html#http
"""

from __future__ import annotations

from flask import request

from fhir_service.sdc.validation.wording import LANGUAGES


def language_asked() -> str | None:
    """Of the languages that findings are told in, the one that Accept-Language prefers.

    None where it names none of them.
    """
    if "HTTP_ACCEPT_LANGUAGE" not in request.environ:
        return None
    plain = (tag.partition("-")[0].lower() for tag in request.accept_languages.values())
    return next((language for language in plain if language in LANGUAGES), None)
