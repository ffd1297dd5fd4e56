"""The patient's own copy as page and PDF: her questions with room to write, and her answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from flask import Response

from fhir_service.sdc.pairing import Answer
from fhir_service.summary.patient_copy import CopyRow, CopySection, PatientCopy, Question
from fhir_service.web.filling import looking
from fhir_service.web.filling.doors import Clinic
from fhir_service.web.filling.page_of import Screen, View, day_and_time, to
from fhir_service.web.filling.showing import words_of
from fhir_service.workflow import filling
from fhir_service.workflow.own_questions import Asking, asking_of, name_of
from fhir_service.workflow.site import Site


def copy_view(site: Site, clinic: Clinic) -> View:
    """The page."""

    def view(id_: str) -> Response:
        screen = Screen.of(site, clinic, id_)
        if screen.found.sent is None:
            return to(screen)
        asking = asking_of(site, screen.caller, screen.found)
        lens = screen.lens(filling.sent_body(screen.found))
        return screen.page(
            "copy.html",
            questions=questions(screen, asking) if asking else (),
            sections=looking.sections(screen, lens),
            when=when(screen),
            back=screen.address("sent"),
            pdf=screen.address("copy.pdf"),
        )

    return view


def pdf_view(site: Site, clinic: Clinic) -> View:
    """The same to take along, as a tagged PDF."""

    def view(id_: str) -> Response:
        screen = Screen.of(site, clinic, id_)
        if screen.found.sent is None:
            return to(screen)
        made = site.renderings.patient_copy(copy_of(screen))
        reply = Response(made, 200, content_type="application/pdf")
        reply.headers["Content-Disposition"] = 'inline; filename="copy.pdf"'
        reply.headers["Content-Language"] = screen.language
        return reply

    return view


def copy_of(screen: Screen) -> PatientCopy:
    """What is printed. Raises NotHere where nothing was sent."""
    words, found = screen.words, screen.found
    lens = screen.lens(filling.sent_body(found))
    asking = asking_of(screen.site, screen.caller, found)
    assert found.sent is not None  # noqa: S101  sent_body has looked
    stored = [found.sent.last_updated, *([asking.last_updated] if asking else [])]
    return PatientCopy(
        language=screen.language,
        made=max(stored),
        title=words["copy-sheet"],
        name=name_of(screen.site, screen.caller, screen.session.patient),
        sent=words["sent-when"].replace("{when}", when(screen)),
        reviewed=words["copy-reviewed"],
        watch=words["sent-watch"].replace("{phone}", screen.phone),
        asks=words["copy-questions"],
        questions=questions(screen, asking) if asking else (),
        room=words["copy-room"],
        answers=words["copy-answers"],
        form=screen.form.title_in(screen.language),
        sections=tuple(
            CopySection(one.title, tuple(_row(row, words) for row in one.rows))
            for one in looking.sections(screen, lens)
        ),
    )


def _row(row: looking.Row, words: Mapping[str, str]) -> CopyRow:
    none = words["rather-not-said"] if row.declined else words["not-answered"]
    return CopyRow(row.label, tuple(row.answers), none)


def when(screen: Screen) -> str:
    """When what was sent was sent, in words."""
    assert screen.found.sent is not None  # noqa: S101  the caller has looked
    moment = screen.found.sent.last_updated.astimezone(screen.site.zone)
    return day_and_time(moment, screen.language)


@dataclass(frozen=True)
class _Asked:
    answer: Answer
    words: str

    def is_also(self, other: _Asked) -> bool:
        """Whether both ask the same: the same code, else the same words of hers."""
        one, two = _code(self.answer.value), _code(other.answer.value)
        return one == two if one or two else self.answer.value == other.answer.value


def _code(value: Any) -> tuple[Any, Any] | None:
    """System and code of a Coding; None for words."""
    return (value.get("system"), value.get("code")) if isinstance(value, Mapping) else None


def questions(screen: Screen, asking: Asking) -> tuple[Question, ...]:
    """Her ranked questions in her order, then what she wrote and picked besides."""
    where = asking.questions
    there = replace(screen, found=replace(screen.found, form=asking.form))
    lens = there.lens(asking.response)
    offer = there.offer(lens)
    asked: dict[str, list[_Asked]] = {}
    for node in lens.all():
        if node.enabled and not node.item.hidden:
            found = [_Asked(one, words_of(one, offer(node))) for one in node.answers]
            asked.setdefault(node.item.link_id, []).extend(found)
    listed = [one for link_id in (*where.own, *where.picked) for one in asked.get(link_id, ())]
    ranked = [one for link_id in where.ranked for one in asked.get(link_id, ())]
    # What is ranked was picked from a list above: that list has the words in her language.
    ranked = [next((same for same in listed if same.is_also(one)), one) for one in ranked]
    others = [one for one in listed if not any(one.is_also(top) for top in ranked)]
    first = [Question(one.words, rank) for rank, one in enumerate(ranked, start=1)]
    return (*first, *(Question(one.words) for one in others))
