"""What can be wrong with an expression: how it is written, what it meets, or what it costs.

http://hl7.org/fhirpath/N1/
"""

from __future__ import annotations


class ExpressionError(Exception):
    """An expression that can not be read, or that met something it can not work on.

    ``says`` is a sentence for the form's author and never repeats an answer. ``position`` is
    where in the expression, counted in characters from 0; None where no place is known.
    """

    def __init__(self, says: str, position: int | None = None) -> None:
        super().__init__(says if position is None else f"{says} (at character {position})")
        self.says = says
        self.position = position

    def at(self, position: int) -> ExpressionError:
        """The same error with this place, where it has none yet."""
        return self if self.position is not None else type(self)(self.says, position)


class TooCostly(ExpressionError):
    """An expression over one of our limits: length, nesting, or work."""
