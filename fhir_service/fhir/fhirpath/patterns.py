"""Regular expressions of authors, run in linear time by RE2.

http://hl7.org/fhirpath/N1/#matchesregex--string--boolean; what RE2 does not have (back references,
looking around) is refused. https://github.com/google/re2/wiki/Syntax
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from fhir_service.fhir.fhirpath.errors import ExpressionError, TooCostly
from fhir_service.fhir.fhirpath.limits import MAX_PATTERN

_MEMORY = 2**20


@lru_cache(maxsize=500)
def pattern(text: str) -> Any:
    """The compiled pattern; ``.`` stands for a line break too.

    Raises ExpressionError for what is no pattern, TooCostly for one that is too long.
    """
    import re2  # noqa: PLC0415 (a compiled library that most expressions do not need)

    if len(text) > MAX_PATTERN:
        raise TooCostly(f"A regular expression is at most {MAX_PATTERN} characters long.")
    options = re2.Options()
    options.dot_nl = True
    options.log_errors = False
    options.max_mem = _MEMORY
    try:
        return re2.compile(text, options=options)
    except re2.error:
        raise ExpressionError("The regular expression can not be read, or not be run.") from None
