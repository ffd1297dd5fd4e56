"""What every page of a form needs: the session, the response, its steps, and how it is drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Final

from flask import Response, request

from fhir_service.fhir.issues import NotHere, Refusal
from fhir_service.sdc.compiled import Form
from fhir_service.sdc.items import Item
from fhir_service.sdc.pairing import Node
from fhir_service.summary.mapping import SummaryMapping
from fhir_service.web import pages, sessions
from fhir_service.web.filling.conditions import mark_of, style_of
from fhir_service.web.filling.doors import FORMS, LANGUAGE, Clinic
from fhir_service.web.filling.lens import Lens
from fhir_service.web.filling.offered import Choice, choices
from fhir_service.web.filling.steps import Step, is_help, steps_of
from fhir_service.web.told import told
from fhir_service.web.wording import FALLBACK, languages, words
from fhir_service.workflow import filling, task_moves
from fhir_service.workflow.caller import Caller
from fhir_service.workflow.filling import Filling
from fhir_service.workflow.session import Session
from fhir_service.workflow.site import Site
from fhir_service.workflow.terminology import expand

View = Callable[..., Response]


Layout = tuple[tuple[Step, ...], str, frozenset[str]]

_LAID_OUT: dict[int, tuple[Form, Layout]] = {}
_MOST_FORMS: Final = 64


def laid_out(form: Form) -> Layout:
    """(steps, style sheet, what the style sheet decides) of a form version, worked out once."""
    known = _LAID_OUT.get(id(form))
    if known is not None and known[0] is form:
        return known[1]
    steps = steps_of(form)
    made = (steps, *style_of(form, steps))
    if len(_LAID_OUT) >= _MOST_FORMS:
        _LAID_OUT.clear()
    _LAID_OUT[id(form)] = form, made
    return made


@dataclass(frozen=True)
class Screen:
    """One request of a patient for one response."""

    site: Site
    clinic: Clinic
    session: Session
    caller: Caller
    found: Filling
    language: str

    @classmethod
    def of(cls, site: Site, clinic: Clinic, id_: str) -> Screen:
        """The screen of this request. Raises NotSignedIn, NotHere."""
        session = sessions.patient_session()
        caller = told().caller
        if caller is None:
            raise NotHere("There is nothing to fill at this address.")
        found = filling.find(site, caller, session, id_)
        return cls(site, clinic, session, caller, found, language())

    @cached_property
    def words(self) -> Mapping[str, str]:
        """The words of the page in the reader's language."""
        return words(self.language)

    @property
    def form(self) -> Form:
        """The form that is filled."""
        return self.found.form

    @property
    def steps(self) -> tuple[Step, ...]:
        """Its steps."""
        return laid_out(self.form)[0]

    @property
    def by_style(self) -> frozenset[str]:
        """What its style sheet decides."""
        return laid_out(self.form)[2]

    def is_advice(self, item: Item) -> bool:
        """Whether a display tells the patient what to do after her answers.

        The red-flag rules name theirs; in a form that they do not know it is any that comes and
        goes with the answers.
        """
        if item.type != "display" or not item.enable_when or is_help(item):
            return False
        named = self._messages.get(self.form.url or "")
        return named is None or item.link_id in named

    def urgency(self, item: Item) -> tuple[int, int]:
        """By what messages are put in order: the rank of their most urgent rule, then the form."""
        named = self._messages.get(self.form.url or "", {})
        return named.get(item.link_id, _LAST), self.form.order[item.link_id]

    @cached_property
    def _messages(self) -> Mapping[str, Mapping[str, int]]:
        return messages_of(self.site.mapping())

    def lens(self, response: dict[str, Any] | None = None) -> Lens:
        """The response beside its form, now."""
        given = self.found.response if response is None else response
        return Lens(self.form, given, self.site.clock.now(), self.site.zone)

    def beside(self, step: Step, lens: Lens, way: int) -> Step | None:
        """The next step (way 1) or the one before (-1) on which anything is asked or said."""
        number = step.number + way
        while 1 <= number <= len(self.steps):
            found = self.steps[number - 1]
            if any(node.enabled and node.item.link_id in found.tops for node in lens.all()):
                return found
            number += way
        return None

    def offer(self, lens: Lens) -> Any:
        """What gives the choices of a question, each question asked once."""
        known: dict[int, Sequence[Choice]] = {}

        def offer(node: Node) -> Sequence[Choice]:
            if (
                node.item.type not in ("choice", "open-choice", "reference")
                and not node.item.options
            ):
                return ()
            key = id(node)
            if key not in known:
                known[key] = choices(lens, node, self.language, self._expand)
            return known[key]

        return offer

    def _expand(self, canonical: str, language: str | None) -> Sequence[Mapping[str, Any]]:
        parameters = [{"name": "url", "valueUri": canonical}]
        if language:
            parameters.append({"name": "displayLanguage", "valueCode": language})
        asked = {"resourceType": "Parameters", "parameter": parameters}
        try:
            found = expand(self.site, self.caller, asked)
        except Refusal:  # a value set that is not here: the checker says "not verified"
            return ()
        contains: list[Mapping[str, Any]] = found.get("expansion", {}).get("contains", [])
        return contains

    def address(self, *parts: object) -> str:
        """An address below this response."""
        rest = "/".join(str(part) for part in parts)
        return pages.here(f"{FORMS}{self.found.id}/{rest}" if rest else f"{FORMS}{self.found.id}")

    def style(self) -> str | None:
        """The address of the form's style sheet; None where there is none."""
        style = laid_out(self.form)[1]
        return f"{self.address('conditions.css')}?v={mark_of(style)}" if style else None

    @property
    def phone(self) -> str:
        """The number that the clinic gives, or words for it."""
        return self.clinic.phone or self.words["clinic-phone"]

    def page(self, template: str, status: int = 200, **values: Any) -> Response:
        """One page in the reader's language."""
        return page(
            template,
            self.language,
            status,
            heading=self.form.title_in(self.language),
            phone=self.phone,
            helper=helper_line(self.session, self.words),
            **values,
        )


def messages_of(mapping: SummaryMapping) -> Mapping[str, Mapping[str, int]]:
    """What red-flag rules tell the patient, by the url of their form.

    Each linkId has the rank of its most urgent rule.
    """
    ranks = {level.id: level.rank for level in mapping.levels}
    made: dict[str, dict[str, int]] = {}
    for rule in mapping.rules:
        named = made.setdefault(rule.url, {})
        for link_id in rule.messages:
            named[link_id] = min(ranks[rule.level], named.get(link_id, _LAST))
    return made


_LAST: Final = 99


def page(template: str, lang: str, status: int = 200, **values: Any) -> Response:
    """A page of the patient's design; ``heading`` and ``phone`` are needed."""
    own = words(lang)
    others = [
        {"code": code, "words": words(code)["read-in"]} for code in languages() if code != lang
    ]
    values.setdefault("helper", "")
    made = (
        pages.environment()
        .get_template(f"form/{template}")
        .render(
            w=own,
            lang=lang,
            others=others,
            csrf=sessions.csrf_token,
            static=pages.static,
            **values,
        )
    )
    return Response(made, status, content_type=pages.HTML, headers={"Content-Language": lang})


def language() -> str:
    """The language chosen on this page, of the session, of the browser, else English."""
    asked = request.args.get("lang")
    if asked in languages():
        return asked
    session = told().session
    kept = request.cookies.get(LANGUAGE)
    for one in (kept, session.language if session else None, *_browser()):
        plain = (one or "").partition("-")[0].lower()
        if plain in languages():
            return plain
    return FALLBACK


def _browser() -> list[str]:
    return list(request.accept_languages.values())


def helper_line(session: Session, own: Mapping[str, str]) -> str:
    """That somebody answers for the patient; "" where she answers herself."""
    from fhir_service.web.page_words import WORDS  # noqa: PLC0415  small, and rarely needed

    if session.answering.is_patient:
        return ""
    lang = next(code for code in languages() if words(code) is own)
    relation = WORDS.get(lang, WORDS["en"]).get(session.answering.relation or "other", "")
    return own["answers-for"].replace("{relation}", relation)


_MONTHS: Final = {
    "en": "January February March April May June July August September October November December",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre"
    " diciembre",
}


def day_and_time(moment: datetime, lang: str) -> str:
    """A moment in words: 27 March 2026, 9:05; 27 de marzo de 2026, 9:05."""
    months = _MONTHS.get(lang, _MONTHS["en"]).split()
    day = f"{moment.day} {months[moment.month - 1]} {moment.year}"
    if lang == "es":
        day = f"{moment.day} de {months[moment.month - 1]} de {moment.year}"
    return f"{day}, {moment.hour}:{moment.minute:02}"


def wanted_by(site: Site, session: Session, form: Form, response: str | None, lang: str) -> str:
    """Until when a Task wants this form answered, in words; "" where no Task does."""
    if session.patient is None:
        return ""
    end = task_moves.asked_until(site, session.patient, form.canonical or "", response)
    return "" if end is None else day_and_time(end.astimezone(site.zone), lang)


def to(screen: Screen, *parts: object) -> Response:
    """Send the browser on to an address below this response."""
    rest = "/".join(str(part) for part in parts)
    return pages.go(f"{FORMS}{screen.found.id}{'/' if rest else ''}{rest}")
