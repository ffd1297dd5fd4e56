"""The small parts of the page, of which there are hundreds: values, lines, answers.

Made as strings, at a tenth of a template's cost; the templates put them together. Every word is
escaped here, hidden marks are shown as ``<U+202E>``. https://html.spec.whatwg.org/
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from markupsafe import Markup

from fhir_service.render.sparkline import sparkline
from fhir_service.summary.model import Asked, Change, Fact, FormAnswers, Look, Value
from fhir_service.summary.visible import visible

_DEEPEST = 6
"""The style sheet knows so many steps of indent."""

_STATES = {
    "not-answered": " <i>not answered</i>",
    "declined": " <i>would rather not answer</i>",
    "not-asked": " <i>not asked, ruled out by another answer</i>",
}


class Parts:
    """The parts of one page in this look; each part as escaped Markup."""

    def __init__(self, look: Look) -> None:
        self._at = escape(f"{look.answers_at}#")
        self._drawn_alone = not look.style

    def listed(self, values: Sequence[Value]) -> Markup:
        """Values one after the other, each a link to its answer."""
        return Markup(self._listed(values))  # noqa: S704  every word in it is escaped

    def inline(self, fact: Fact) -> Markup:
        """A fact in one run of words."""
        return Markup("".join(self._inline(fact)))  # noqa: S704  the same

    def answers(self, form: FormAnswers) -> Markup:
        """Every answer of one response, in the order of its form."""
        about = (
            f"{form.url} - response {form.response}, version {form.response_version}, "
            f"{form.status} - answered {form.authored} - received {form.received} - by "
            f"{form.answered_by}"
        )
        told = "\n".join(_asked(asked) for asked in form.asked)
        return Markup(  # noqa: S704  the same
            f"<h3>{_text(f'{form.title} {form.form_version}')}</h3>\n"
            f'<p class="about">{_text(about)}</p>\n<ul class="answers">\n{told}\n</ul>'
        )

    def _inline(self, fact: Fact) -> Iterator[str]:
        if fact.label:
            yield f"<b>{_text(fact.label)}</b> "
        if fact.change is not None:
            yield from self._changed(fact.values, fact.change)
            return
        yield self._listed(fact.values)
        told = [cell for cell in fact.cells if cell.values]
        for number, cell in enumerate(told):
            label = f"{_text(cell.label)}: " if cell.label and not cell.bare else ""
            gap = "; " if number or fact.values else ""
            yield f"{gap}{label}{self._listed(cell.values)}"
        if fact.says:
            says = _text(fact.says)
            yield f" <i>{says}</i>" if fact.values or told else says
        if fact.grounds and (fact.says or fact.folded or not fact.shown_from):
            yield from self._grounds(fact)

    def _changed(self, now: Sequence[Value], change: Change) -> Iterator[str]:
        yield f"<em>{change.direction}</em> {self._listed(now)} "
        yield f'<span class="was">({self._listed(change.before)} on {_text(change.on)})</span>'
        drawn = sparkline(change, alone=self._drawn_alone)
        if drawn:
            yield f" {drawn}"

    def _grounds(self, fact: Fact) -> Iterator[str]:
        """Where the answers lie that the line rests on and does not show."""
        shown = {one.anchor for one in fact.shown_from}
        behind = [one for one in dict.fromkeys(g.anchor for g in fact.grounds) if one not in shown]
        for number, anchor in enumerate(behind, start=1):
            told = f'aria-label="Answer {number}">{number}'
            yield f' <a class="why" href="{self._at}{anchor}" {told}</a>'

    def _listed(self, values: Sequence[Value]) -> str:
        """Neighbours that come from one answer line share a link; what the chart has, no link."""
        if len(values) == 1 and (origin := values[0].origin) is not None and not origin.chart:
            return f'<a href="{self._at}{origin.anchor}">{_words(values[0])}</a>'
        return "; ".join(self._linked(*run) for run in _runs(values))

    def _linked(self, anchor: str, place: str, run: Sequence[Value]) -> str:
        told = "; ".join(_words(value) for value in run)
        if anchor:
            return f'<a href="{self._at}{anchor}">{told}</a>'
        return f'<span title="{escape(visible(place))}">{told}</span>' if place else told


def _runs(values: Sequence[Value]) -> list[tuple[str, str, list[Value]]]:
    """Neighbours that come from one answer line, with its anchor, or the place in the chart."""
    runs: list[tuple[str, str, list[Value]]] = []
    for value in values:
        origin = value.origin
        key = (origin.anchor, origin.place if origin.chart else "") if origin else ("", "")
        if runs and runs[-1][:2] == key:
            runs[-1][2].append(value)
        else:
            runs.append((*key, [value]))
    return runs


def _words(value: Value) -> str:
    shown = _text(value.words)
    if value.kind == "patient-words":
        return f"<q>{shown}</q>"
    return f"{shown} {_text(value.unit)}" if value.unit else shown


def _asked(asked: Asked) -> str:
    """One question as it was asked, and what was answered."""
    mark = " group" if asked.state == "group" else ""
    strange = (
        f"<i>not in the form: {_text(asked.link_id)}</i> " if asked.state == "not-in-form" else ""
    )
    question = _text(asked.text) + (" (calculated)" if asked.calculated else "")
    values = "".join(f'<span class="a">{_whole(value)}</span>' for value in asked.values)
    return (
        f'<li id="{asked.anchor}" class="d{min(asked.depth, _DEEPEST)}{mark}">{strange}'
        f'<span class="q">{question}</span>{_STATES.get(asked.state, "")}{values}</li>'
    )


def _whole(value: Value) -> str:
    sent = f" <i>(sent as “{_text(value.sent)}”)</i>" if value.sent else ""
    return f"{_words(value)}{sent}"


def _text(words: str) -> str:
    return escape(visible(words), quote=False)
