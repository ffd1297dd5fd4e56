"""What one expression may cost at most; beyond it stands TooCostly.

http://hl7.org/fhirpath/N1/ sets no limits; these keep one evaluation under a second of CPU.
"""

from __future__ import annotations

from typing import Final

MAX_CHARACTERS: Final = 20_000
"""The longest expression."""

MAX_NESTING: Final = 40
"""How deep brackets, arguments and operators may lie in each other."""

MAX_STEPS: Final = 250_000
"""What one evaluation may do: an item that is made or looked at counts one or more."""

COST_OF_CALL: Final = 3
"""What a function costs, besides the items it handles."""

COST_OF_OPERATOR: Final = 3
"""What an operator costs."""

COST_OF_UNITS: Final = 15
"""What computing with a date or a unit costs besides."""

MAX_TEXT: Final = 1_000_000
"""The longest text an expression may make, in characters."""

CHARACTERS_PER_STEP: Final = 100
"""So many characters of a text handled count as one step."""

MAX_PATTERN: Final = 1_000
"""The longest regular expression, in characters."""

MAX_INTEGER: Final = 2**31 - 1
"""The largest Integer, http://hl7.org/fhirpath/N1/#integer"""

MAX_EXPONENT: Final = 1_000
"""The largest power of ten that a Decimal may reach, up or down."""
