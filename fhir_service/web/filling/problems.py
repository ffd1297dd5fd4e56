"""What the checker found, told at the question, in plain words.

The sentences for the commonest keys are the page's own; for all others the checker's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from fhir_service.fhir.issues import Issue
from fhir_service.sdc.validation.wording import LONGEST_TEXT
from fhir_service.web.filling.showing import Shown

GRAVE = ("error", "fatal")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend: where its first control is, and what to do."""

    id: str
    label: str
    says: str


def tell(
    shown: Sequence[Shown],
    findings: Iterable[Issue],
    words: Mapping[str, str],
) -> list[Problem]:
    """Put each problem at its question, and give all of them in the order of the page."""
    places = [(one, around) for top in shown for one, around in _places(top, "")]
    for one, _ in places:
        if one.facts.get("typed"):
            one.errors.append(words.get(f"typed-{one.item.type}") or words["typed"])
    for issue in findings:
        if issue.severity not in GRAVE:
            continue
        at = _where(places, issue)
        if at is not None and not at.facts.get("typed"):
            says = words.get(f"wrong-{issue.key}") or alone(issue.says, at.item.texts.values())
            if says not in at.errors:
                at.errors.append(says)
    for one, _ in places:
        if one.unconfirmed and not one.errors:
            one.errors.append(words["unconfirmed"])
    return [Problem(one.id, one.label, says) for one, _ in places for says in one.errors]


def alone(says: str, labels: Iterable[str]) -> str:
    """A sentence of the checker without the question before it, which stands beside it already."""
    for label in labels:
        words = " ".join(label.split())
        short = words if len(words) <= LONGEST_TEXT else f"{words[:LONGEST_TEXT]}…"
        if short and says.startswith(f"{short}: "):
            rest = says[len(short) + 2 :]
            return rest[:1].upper() + rest[1:]
    return says


def _places(shown: Shown, around: str) -> Iterator[tuple[Shown, str]]:
    if shown.kind != "instance":
        yield shown, around
    for part in shown.parts:
        yield from _places(part, shown.place or around)


def _where(places: Sequence[tuple[Shown, str]], issue: Issue) -> Shown | None:
    """The question on this page that a finding is about; of several instances the right one."""
    named = [(one, around) for one, around in places if one.item.link_id == issue.link_id]
    if len(named) <= 1:
        return named[0][0] if named else None
    at = issue.expression or ""
    for one, _ in named:
        if one.place and at.startswith(one.place):
            return one
    for one, around in named:
        if around and at.startswith(around):
            return one
    return named[0][0]
