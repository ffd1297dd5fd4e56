"""A step as what a template shows: each item with its words, its choices and what was answered.

https://hl7.org/fhir/uv/sdc/STU4/rendering.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from fhir_service.sdc import extensions as ext
from fhir_service.sdc.items import Item
from fhir_service.sdc.pairing import Answer, Node
from fhir_service.sdc.planning import has_condition
from fhir_service.sdc.population.answers import units_of
from fhir_service.web.filling import fields
from fhir_service.web.filling.drafts import is_declined, is_unconfirmed
from fhir_service.web.filling.fields import name_of
from fhir_service.web.filling.files import kinds_taken
from fhir_service.web.filling.lens import Lens
from fhir_service.web.filling.offered import Choice
from fhir_service.web.filling.reading import MOST_INSTANCES, Offer
from fhir_service.web.filling.steps import Step, is_help

MOST_RADIOS: Final = 20
"""More choices than these become a list to pull down, where one of them is chosen."""

FEW: Final = 7
"""Up to this many choices of a list to pull down are shown at once all the same."""

MOST_SCALE: Final = 11
_SUFFIX: Final = str.maketrans({"/": "-", "#": "."})


@dataclass(frozen=True, slots=True)
class Pick:
    """One choice of a question on the page."""

    token: str
    label: str
    checked: bool
    exclusive: bool


@dataclass
class Shown:
    """One item on the page. ``kind`` names the macro that draws it.

    ``name`` is that of its input, ``id`` the address of its first control; ``number`` is the
    item's place in the form, by which the generated style sheet finds it. ``values`` are texts by
    the suffix of their input. ``facts`` are what one kind alone needs.
    """

    kind: str
    item: Item
    name: str
    id: str
    number: int
    label: str
    hints: list[str] = field(default_factory=list)
    choices: list[Pick] = field(default_factory=list)
    values: dict[str, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    parts: list[Shown] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    conditional: bool = False
    required: bool = False
    unconfirmed: bool = False
    place: str = ""

    def all(self) -> Iterator[Shown]:
        """Itself and all within."""
        yield self
        for part in self.parts:
            yield from part.all()


@dataclass
class Showing:
    """Makes what is shown of one step.

    ``by_style`` are the items whose conditions a style sheet decides at once; all others are
    there only while they are enabled.
    """

    lens: Lens
    step: Step
    offer: Offer
    language: str | None
    typed: Mapping[str, Sequence[str]]
    by_style: frozenset[str]
    is_advice: Callable[[Item], bool]

    def shown(self) -> list[Shown]:
        """Everything that stands on the step, in the order of the form."""
        nodes = self._within(self.lens.nodes, "", self.step.within)
        return self._all(
            [node for node in nodes[0] if node.item.link_id in self.step.tops], nodes[1]
        )

    def _within(
        self, nodes: Sequence[Node], around: str, way: Sequence[str]
    ) -> tuple[Sequence[Node], str]:
        for link_id in way:
            node = next(one for one in nodes if one.item.link_id == link_id)
            nodes, around = node.nodes, name_of(around, node.item)
        return nodes, around

    def _all(self, nodes: Sequence[Node], around: str, *, hidden_now: bool = False) -> list[Shown]:
        """What there is of these. ``hidden_now``: a style sheet hides what is around them."""
        made: list[Shown] = []
        seen: set[str] = set()
        for node in nodes:
            item = node.item
            if item.hidden or is_help(item) or item.link_id in seen:
                continue
            if not (node.enabled or self._may_appear(item, hidden_now=hidden_now)):
                continue
            if item.type == "group" and item.repeats:
                seen.add(item.link_id)
                beside = [one for one in nodes if one.item.link_id == item.link_id]
                made.append(self._repeating(item, beside, around))
            else:
                made.append(self._one(node, around))
        return made

    def _may_appear(self, item: Item, *, hidden_now: bool) -> bool:
        """Whether a style sheet may show it though it is not enabled now."""
        if item.link_id in self.by_style:
            return True
        return hidden_now and not has_condition(self.lens.form.plans[item.link_id])

    def _one(self, node: Node, around: str) -> Shown:
        item = node.item
        name = name_of(around, item)
        if item.type == "display":
            shown = self._base("display", item, name)
            shown.facts["advice"] = self.is_advice(item)
            return shown
        if item.type == "group":
            shown = self._base("group", item, name)
            shown.parts = self._all(node.nodes, name, hidden_now=not node.enabled)
            shown.hints = self._hints(item)
            shown.place = node.place or ""
            return shown
        return self._question(node, name)

    def _repeating(self, item: Item, nodes: Sequence[Node], around: str) -> Shown:
        shown = self._base("repeat", item, name_of(around, item))
        shown.hints = self._hints(item)
        for number, node in enumerate(nodes[:MOST_INSTANCES]):
            part = self._base("instance", item, name_of(around, item, number))
            part.parts = self._all(node.nodes, part.name, hidden_now=not node.enabled)
            part.facts["number"] = number + 1
            part.place = node.place or ""
            shown.parts.append(part)
        most = item.max_occurs or MOST_INSTANCES
        shown.facts |= {
            "more": len(nodes) < most,
            "count": len(nodes),
            "removable": len(nodes) > 1 or bool(nodes[0].place),
        }
        return shown

    def _base(self, kind: str, item: Item, name: str) -> Shown:
        return Shown(
            kind,
            item,
            name,
            "q" + name.translate(_SUFFIX).replace(" ", "_"),
            self.lens.form.order[item.link_id],
            _label(item, self.language),
            conditional=item.link_id in self.by_style,
        )

    def _hints(self, item: Item) -> list[str]:
        helps = [child.text(self.language) for child in item.items if _is_hint(child)]
        form = ext.value(item.extensions, ext.ENTRY_FORMAT)
        return [text for text in (*helps, *([str(form)] if form else [])) if text.strip()]

    def _ends(self, item: Item, ends: Mapping[str | None, str]) -> list[str]:
        """The words of a scale's ends and of its unit, where it is no row of buttons."""
        values = {
            "lower": ext.value(item.extensions, ext.MIN_VALUE),
            "upper": ext.value(item.extensions, ext.MAX_VALUE),
        }
        made = [
            ends[end] if value is None else f"{plain(value)}: {ends[end]}"
            for end, value in values.items()
            if ends.get(end)
        ]
        return [*made, *([ends["unit"]] if ends.get("unit") else [])]

    def _question(self, node: Node, name: str) -> Shown:
        item = self.lens.item_now(node)
        shown = self._base(_kind(item), item, name)
        shown.hints = self._hints(node.item)
        ends = {child.control: child.text(self.language) for child in node.item.items}
        if shown.kind == "scale" and "lower" in ends and "upper" in ends:
            shown.facts["ends"] = (ends["lower"], ends["upper"])
        else:
            shown.hints += self._ends(node.item, ends)
        shown.required = item.required
        shown.place = node.place or ""
        raw = self.lens.at(node.place) or {}
        given = raw.get("answer", [])
        shown.unconfirmed = any(is_unconfirmed(one) for one in given)
        shown.facts["declined"] = is_declined(raw)
        choices = list(self.offer(node))
        if choices or item.type in ("choice", "open-choice"):
            self._choices(shown, item, node.answers, choices)
        else:
            _fill(shown, item, node.answers)
        if item.read_only:
            shown.kind = "readonly"
            shown.lines = [words_of(one, choices) for one in node.answers]
        self._retype(shown)
        below = node.answers[0].nodes if node.answers else node.nodes
        shown.parts = self._all(below, name, hidden_now=not node.enabled)
        return shown

    def _choices(
        self, shown: Shown, item: Item, answers: Sequence[Answer], choices: Sequence[Choice]
    ) -> None:
        several = item.repeats
        drop = item.control in ("drop-down", "autocomplete", "lookup") and not several
        many = len(choices) > MOST_RADIOS and not several
        shown.kind = (
            "checks"
            if several
            else "select"
            if (drop and len(choices) > FEW) or many
            else "radios"
        )
        chosen = [c.token for a in answers for c in choices if c.is_answer(a.kind, a.value)]
        own = [str(a.value) for a in answers if a.kind == "string" and not _chosen(a, choices)]
        shown.choices = [
            Pick(one.token, one.label, one.token in chosen, one.exclusive and several)
            for one in choices
        ]
        if item.type == "open-choice":
            shown.facts["own"] = ext.value(item.extensions, OPEN_LABEL) or ""
            shown.lines = own
            if several:
                shown.lines = [*own, ""]
            elif not own:
                shown.lines = [""]
        shown.facts["none"] = not choices

    def _retype(self, shown: Shown) -> None:
        """What was typed and can be no answer stands where it was typed."""
        for suffix in ("", fields.UNIT, fields.DAY, fields.MONTH, fields.YEAR, fields.CLOCK):
            texts = self.typed.get(shown.name + suffix)
            if texts:
                shown.values[suffix] = texts[0]
                if not suffix and shown.kind == "lines":
                    shown.lines = [*texts, ""]
        shown.facts["typed"] = any(
            key == shown.name or key.startswith(f"{shown.name}~") for key in self.typed
        )


OPEN_LABEL: Final = ext.SDC + "openLabel"


def _chosen(answer: Answer, choices: Sequence[Choice]) -> bool:
    return any(one.is_answer(answer.kind, answer.value) for one in choices)


def _is_hint(item: Item) -> bool:
    return is_help(item) and item.control in ("help", "prompt", "flyover", "legal")


def _label(item: Item, language: str | None) -> str:
    text = item.text(language)
    return f"{item.prefix} {text}" if item.prefix else text


def _kind(item: Item) -> str:
    if item.type == "boolean":
        return "boolean"
    if item.type in ("integer", "decimal"):
        return "scale" if scale_of(item) is not None else _listed(item, "number")
    if item.type in ("string", "url", "reference"):
        return _listed(item, "text")
    kinds = {"text": "area", "date": "date", "dateTime": "datetime", "attachment": "file"}
    return kinds.get(item.type, item.type)


def _listed(item: Item, kind: str) -> str:
    return "lines" if item.repeats else kind


def scale_of(item: Item) -> list[int] | None:
    """The steps of a slider that has few of them, which are shown as a row of buttons."""
    if item.control != "slider" or item.type != "integer" or item.repeats:
        return None
    low, high = (ext.value(item.extensions, url) for url in (ext.MIN_VALUE, ext.MAX_VALUE))
    step = ext.value(item.extensions, ext.SLIDER_STEP) or 1
    if not isinstance(low, int) or not isinstance(high, int) or not isinstance(step, int):
        return None
    steps = list(range(low, high + 1, max(step, 1)))
    return steps if 1 < len(steps) <= MOST_SCALE else None


def _fill(shown: Shown, item: Item, answers: Sequence[Answer]) -> None:
    """The values of the inputs, from the answers."""
    texts = [words_of(one, ()) for one in answers]
    value = answers[0].value if answers else None
    shown.values[""] = texts[0] if texts else ""
    if shown.kind == "lines":
        shown.lines = [*texts, ""]
    elif shown.kind == "boolean":
        shown.values[""] = {True: "true", False: "false"}.get(value, "")  # type: ignore[arg-type]
    elif shown.kind in ("date", "datetime"):
        _fill_moment(shown, str(value or ""))
    elif shown.kind == "quantity":
        _fill_quantity(shown, item, value)
    elif shown.kind == "scale":
        shown.facts["steps"] = [str(one) for one in scale_of(item) or ()]
    elif shown.kind == "file":
        shown.facts["files"] = [_title(one.value) for one in answers]
        shown.facts["accept"] = ",".join(kinds_taken(item))
    shown.facts.setdefault("longest", item.max_length)


def _fill_moment(shown: Shown, text: str) -> None:
    date, _, clock = text.partition("T")
    year, month, day = (*date.split("-"), "", "", "")[:3]
    shown.values |= {
        fields.YEAR: year,
        fields.MONTH: month.lstrip("0"),
        fields.DAY: day.lstrip("0"),
    }
    shown.values[fields.CLOCK] = clock[:5]


def _fill_quantity(shown: Shown, item: Item, value: Any) -> None:
    quantity = value if isinstance(value, Mapping) else {}
    number = quantity.get("value")
    shown.values[""] = "" if number is None else plain(number)
    units = units_of(item)
    shown.facts["units"] = [str(one.get("display", one.get("code"))) for one in units]
    chosen = [
        n for n, one in enumerate(units) if quantity and one.get("code") == quantity.get("code")
    ]
    shown.values[fields.UNIT] = str(chosen[0]) if chosen else ""


def plain(number: Any) -> str:
    """A number without an exponent."""
    return f"{number:f}" if isinstance(number, Decimal) else str(number)


def words_of(answer: Answer, choices: Sequence[Choice]) -> str:
    """An answer as it is written into an input, or read beside a question."""
    value = answer.value
    chosen = next((one.label for one in choices if one.is_answer(answer.kind, value)), None)
    if chosen is not None:
        return chosen
    if answer.kind == "time":
        return str(value)[:5] if str(value).endswith(":00") else str(value)
    if isinstance(value, Mapping):
        if answer.kind == "Quantity":
            return f"{plain(value.get('value', ''))} {value.get('unit', value.get('code', ''))}"
        shown = value.get("display") or value.get("title") or value.get("reference")
        return str(shown or value.get("code") or "")
    return plain(value) if value is not None else ""


def _title(attachment: Any) -> str:
    given = attachment if isinstance(attachment, Mapping) else {}
    return str(given.get("title") or given.get("contentType") or "")
