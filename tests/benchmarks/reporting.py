"""The report of a benchmark run: each figure with its goal, printed as it comes."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TextIO


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value. ``goal`` None means: told only, no goal to meet."""

    name: str
    value: float
    goal: float | None
    unit: str
    at_most: bool

    @property
    def met(self) -> bool:
        """Whether the goal is met; a figure without one always is."""
        if self.goal is None:
            return True
        return self.value <= self.goal if self.at_most else self.value >= self.goal

    def line(self) -> str:
        """The figure as one line of the report."""
        told = f"{self.value:,.2f} {self.unit}"
        if self.goal is None:
            return f"      {self.name}: {told}"
        sign = "<=" if self.at_most else ">="
        word = "pass" if self.met else "FAIL"
        return f"{word}  {self.name}: {told} (goal {sign} {self.goal:,.2f} {self.unit})"


@dataclass(slots=True)
class Report:
    """Collects figures and notes; ``passed`` says whether every goal is met."""

    out: TextIO = field(default_factory=lambda: sys.stdout)
    figures: list[Figure] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def section(self, title: str) -> None:
        """Begin a group of figures."""
        self._say(f"\n== {title}")

    def note(self, text: str) -> None:
        """Say something that is no figure: what was measured, or why it could not be."""
        self._say(f"      {text}")

    def figure(
        self,
        name: str,
        value: float,
        goal: float | None,
        unit: str = "x",
        at_most: bool = True,
    ) -> None:
        """Add one figure. ``goal`` is its upper bound, or its lower bound when not ``at_most``."""
        made = Figure(name, value, goal, unit, at_most)
        self.figures.append(made)
        self._say(made.line())

    def failed(self, name: str, why: str) -> None:
        """Say that a benchmark could not be run to its end; the run then fails as a whole."""
        self.failures.append(name)
        self._say(f"FAIL  {name}: {why}")

    @property
    def passed(self) -> bool:
        """Whether every benchmark ran and every goal is met."""
        return not self.failures and all(figure.met for figure in self.figures)

    def _say(self, line: str) -> None:
        self.out.write(line + "\n")
        self.out.flush()
