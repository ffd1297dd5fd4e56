"""What the rules are handed: the check as a whole, an item met, an answer met.

http://hl7.org/fhir/R4/questionnaireresponse.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

from msgspec import UNSET

from fhir_service.fhir.issues import Issue
from fhir_service.sdc.compiled import Form
from fhir_service.sdc.items import ValueKind
from fhir_service.sdc.keys import KEYS
from fhir_service.sdc.plans import Plan
from fhir_service.sdc.response_model import ResponseItem
from fhir_service.sdc.responses import Response
from fhir_service.sdc.validation.ordering import Ordering
from fhir_service.sdc.validation.status_policy import POLICY
from fhir_service.sdc.validation.wording import LONGEST_TEXT, more_findings, sentence

if TYPE_CHECKING:
    from fhir_service.sdc.evaluation import Evaluation

ROOT = "QuestionnaireResponse"

MOST_FINDINGS: Final = 1_000
"""Of errors, and of what is less, each: so no error is hidden. More are told as one."""

Trail = tuple[Any, ...] | None
"""How the walk came to a place: (trail above, number of the item, of the answer or None)."""


Place = str | tuple[Any, ...] | None
"""A FHIRPath, or the trail of which it is made when something is found there."""


@dataclass(frozen=True, slots=True)
class About:
    """What is known of one code of a value set.

    ``version`` is that of its system which the value set asks for, None where it asks for none.
    ``value_set`` is the ValueSet itself. ``displays`` are all words that the code goes by, the
    usual one first; empty when none is known.
    """

    value_set: Mapping[str, Any]
    version: str | None = None
    inactive: bool = False
    abstract: bool = False
    displays: tuple[str, ...] = ()


Elsewhere = Literal["member", "not-member", "silent", "not-asked"]
"""What a terminology server says of a code; ``silent`` when it was asked and decided nothing."""


class Codes(Protocol):
    """Who knows what stands in value sets."""

    def has(
        self, value_set: str, coding: Mapping[str, Any], within: Mapping[str, Any]
    ) -> bool | None:
        """Whether the Coding is in the value set (url|version; ``#id``: contained in ``within``).

        None when it is not known here.
        """

    def lists(self, value_set: str, code: str, within: Mapping[str, Any]) -> bool | None:
        """Whether one of the codes in the value set, of whatever system, is this one.

        None when it is not known here.
        """

    def about(
        self, value_set: str, coding: Mapping[str, Any], within: Mapping[str, Any]
    ) -> About | None:
        """What is known of the Coding in the value set; None when that is not known here."""

    def elsewhere(self, value_set: str, coding: Mapping[str, Any]) -> Elsewhere:
        """What a terminology server says of the Coding; asked only where ``has`` gives None."""


def place_of(trail: Trail) -> str:
    """The FHIRPath of a trail."""
    if trail is None:
        return ROOT
    above, item, answer = trail
    path = f"{place_of(above)}.item[{item}]"
    return path if answer is None else f"{path}.answer[{answer}]"


def depth_of(trail: Trail) -> int:
    """How many levels of items a trail goes down."""
    depth = 0
    while trail is not None:
        trail, depth = trail[0], depth + 1
    return depth


Clock = tuple[datetime | None, tzinfo | None]
"""The moment of a check, with its zone, and the zone that today() is told in."""


@dataclass(slots=True)
class Answered:
    """One answer with a value. ``number`` is its place among the answers of its item.

    ``extensions`` are those of the answer itself.
    """

    plan: Plan
    kind: ValueKind
    value: Any
    number: int
    extensions: Sequence[Mapping[str, Any]] = ()


@dataclass(slots=True)
class Met:
    """One item of the response beside the form's. ``shown`` when it and all around are enabled."""

    plan: Plan
    item: ResponseItem
    shown: bool


class Check:
    """One check of one response: gathers what is found.

    ``mixed`` when something may have been found before what comes before it in the form.
    """

    __slots__ = (
        "codes", "evaluation", "form", "found", "known", "language", "mixed", "more", "places",
        "response", "room", "severities",
    )  # fmt: skip

    def __init__(
        self,
        form: Form,
        response: Response,
        codes: Codes | None,
        language: str | None,
        clock: Clock = (None, None),
    ) -> None:
        self.form = form
        self.response = response
        self.codes = codes
        self.language = language
        self.found: list[Issue] = []
        self.places: list[tuple[Place, Plan | None]] = []
        self.more = False
        self.mixed = False
        self.known: Mapping[int, int] = {}
        self.room = [MOST_FINDINGS, MOST_FINDINGS]
        self.severities = POLICY[response.body.status]
        self.evaluation = (
            _evaluation(form, response, codes, clock) if form.plan.expressive else None
        )

    def tell(
        self,
        key: str,
        place: Place,
        plan: Plan | None = None,
        *,
        form_key: tuple[str, str] | None = None,
        **values: Any,
    ) -> None:
        """Add a finding of this key, as grave as the response's status makes it."""
        named = KEYS[key]
        severity = self.severities[named.family]
        if severity is None:
            return
        grave = severity == "error"
        if not self.room[grave]:
            self.more = True
            return
        self.room[grave] -= 1
        self.places.append((place, plan))
        self.found.append(
            Issue(
                key=key,
                code=named.code,
                says=sentence(key, self.language, {"text": self.text(plan), **values}),
                severity=severity,
                expression=place if isinstance(place, str) else place_of(place),
                link_id=None if plan is None else plan.link_id or None,
                verdict="not-verified" if named.not_verified else "broken",
                form_key=form_key,
            )
        )

    def told(self) -> tuple[Issue, ...]:
        """All that was found, in the order of the form, each finding once."""
        found = self.found
        if self.mixed and len(found) > 1:
            order = Ordering(self.form.plan, self.response.items)
            keys = [order.of(*one) for one in self.places]
            numbers = sorted(range(len(found)), key=keys.__getitem__)
            found = list(dict.fromkeys(found[number] for number in numbers))
        if self.more:
            says = more_findings(self.language, len(found))
            found = [*found, Issue("more-findings", "too-costly", says, severity="information")]
        return tuple(found)

    def text(self, plan: Plan | None) -> str:
        """The question's words in the language asked for; its linkId when it has none."""
        if plan is None or not plan.link_id:
            return self.form.title_in(self.language)
        return _one_line(plan.item.text(self.language) or plan.link_id)


@lru_cache(4096)
def _one_line(text: str) -> str:
    """A form's text, short enough for a sentence."""
    words = " ".join(text.split())
    return words if len(words) <= LONGEST_TEXT else words[:LONGEST_TEXT] + "…"


def _evaluation(form: Form, response: Response, codes: Codes | None, clock: Clock) -> Evaluation:
    """What evaluates the form's expressions on this response."""
    from fhir_service.sdc.evaluation import (  # noqa: PLC0415  only a form with one needs it
        Evaluation,
        written_at,
    )
    from fhir_service.sdc.instances import Instances  # noqa: PLC0415  the same

    now, zone = clock
    return Evaluation(
        form.plan,
        form.questionnaire,
        Instances(response.plain, response.items, plain=_is_plain(response)),
        now=now or written_at(response.authored, zone),
        zone=zone,
        member_of=None if codes is None else partial(_is_member, codes, form.questionnaire),
    )


def _is_plain(response: Response) -> bool:
    return not response.extended and response.body.contained is UNSET


def _is_member(codes: Codes, within: Mapping[str, Any], value: Any, value_set: str) -> bool | None:
    """Whether a code, Coding or CodeableConcept is in a value set; None when it is not known."""
    if isinstance(value, str):
        return codes.lists(value_set, value, within)
    if not isinstance(value, Mapping):
        return None
    found = [codes.has(value_set, one, within) for one in value.get("coding", [value])]
    return True if True in found else None if None in found else False
