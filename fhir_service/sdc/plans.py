"""What the walk over a response needs of each item of its form.

For this package alone. http://hl7.org/fhir/R4/questionnaire.html
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec import UNSET

from fhir_service.sdc import extensions as ext
from fhir_service.sdc.conditions import Asked
from fhir_service.sdc.expressions import ItemExpressions
from fhir_service.sdc.items import Condition, Item, Option, ValueKind
from fhir_service.sdc.modes import (
    answer_constraint,
    has_fixed_value,
    is_display_only,
    wants_signature,
)
from fhir_service.sdc.plainly import Test, offered, test_for
from fhir_service.sdc.response_model import FIELD_OF
from fhir_service.sdc.undecided import ALWAYS, LIMITS, unevaluated

KINDS_OF: Mapping[str, tuple[ValueKind, ...]] = {
    "group": (),
    "display": (),
    "question": (),
    "boolean": ("boolean",),
    "decimal": ("decimal",),
    "integer": ("integer",),
    "date": ("date",),
    "dateTime": ("dateTime",),
    "time": ("time",),
    "string": ("string",),
    "text": ("string",),
    "url": ("uri",),
    "choice": ("Coding",),
    "open-choice": ("Coding", "string"),
    "attachment": ("Attachment",),
    "reference": ("Reference",),
    "quantity": ("Quantity",),
}
"""The types of value that an item of each type is answered with, the likeliest first."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a condition looks: from ``base`` (it repeats around both, or the form) down ``path``.

    ``flat`` when nothing on the way repeats and ``base`` is the form: then there is one instance
    at most. ``own`` when the source is the repeating question in whose answer the item lies.
    ``asked`` answers the commonest conditions of a flat source in a few steps. ``earlier`` when
    the source stands before the item in the form.
    """

    condition: Condition
    plan: Plan | None
    base: Plan | None
    path: tuple[Plan, ...]
    flat: bool
    own: bool
    asked: Asked | None = None
    earlier: bool = False


Entry = tuple[int, Test, bool, tuple[str, Asked] | tuple[()] | None, "Plan | None"]
"""Of a question its number among its siblings, its test, whether it is wanted, its condition.

The condition is None where there is none, (question, how it is asked) where it is but one of the
common ones on a question that is always enabled, and empty for others. The question itself is the
last where it has a condition, or is asked about by others; else None. Questions that are alike
in all this, whatever their words, share one.
"""


class _Often:
    """What the walk asks of every item, apart, so that it lies side by side in memory.

    Of a form of thousands little fits into the processor's cache: the walk is the slower for each
    place that it has to look at.
    """

    __slots__ = (
        "children", "counted", "demanding", "expressions", "flat", "index", "link_id", "repeats",
        "sought", "sources", "table", "tested", "wanted", "words",
    )  # fmt: skip


class Plan(_Often):
    """One item of the form as the walk sees it; the root, its linkId empty, is the form.

    ``repeats`` when its instances (a group), or answers with items inside, are told apart.
    ``sought`` when a condition asks about it.
    """

    __slots__ = (
        "alone",
        "always",
        "ancestors",
        "asking",
        "codings",
        "computed_text",
        "conditional",
        "constraint",
        "decided",
        "display_only",
        "exclusive",
        "expressive",
        "field",
        "free_text",
        "is_group",
        "item",
        "kinds",
        "limits",
        "longest",
        "offered",
        "option_values",
        "parent",
        "plain",
        "plain_group",
        "quick",
        "span",
        "test",
        "unresolved",
        "watched",
        "weighed",
    )  # fmt: skip

    def __init__(self, item: Item, index: int, parent: Plan | None) -> None:
        self.item = item
        self.link_id = item.link_id
        self.index = index
        self.parent = parent
        self.ancestors: tuple[Plan, ...] = () if parent is None else (*parent.ancestors, parent)
        self.is_group = item.type == "group"
        self.repeats = item.repeats and (self.is_group or bool(item.items))
        self.words: frozenset[Any] = frozenset((*item.texts.values(), UNSET))
        kinds = list(KINDS_OF[item.type])
        for option in item.options:
            if option.kind not in kinds:
                kinds.append(option.kind)
        if item.options and "Coding" in kinds and all(o.kind != "Coding" for o in item.options):
            kinds.remove("Coding")
        self.constraint = answer_constraint(item)
        if self.constraint == "optionsOrString" and "string" not in kinds:
            kinds.append("string")
        self.kinds = frozenset(kinds)
        self.field = FIELD_OF[kinds[0]] if kinds else None
        self.codings = _codings(item.options)
        self.option_values = frozenset(
            (o.kind, value_key(o.kind, o.value)) for o in item.options if o.kind != "Coding"
        )
        self.exclusive = {value_key(o.kind, o.value): o for o in item.options if o.exclusive}
        self.alone = frozenset(key[:2] for key in self.exclusive if isinstance(key, tuple))
        self.limits = _limits(item)
        self.unresolved = unevaluated(item)
        self.children: dict[str, Plan] = {}
        self.sources: tuple[Source, ...] = ()
        self.conditional: tuple[Plan, ...] = ()
        self.table: dict[str, Entry] = {}
        self.demanding: tuple[Plan, ...] = ()
        self.always = tuple(name for name in self.unresolved if name in ALWAYS)
        self.asking = ext.ENABLE_WHEN_EXPRESSION in item.extensions
        self.expressions: ItemExpressions | None = None
        self.expressive = False
        self.free_text = item.type == "open-choice" or (
            (item.type == "choice" or self.constraint == "optionsOrString")
            and "string" in kinds
            and all(o.kind != "string" for o in item.options)
        )
        self.display_only: bool = is_display_only(item) or (
            parent is not None and parent.display_only
        )
        self.watched = self.display_only or has_fixed_value(item) or wants_signature(item)
        self.computed_text = False
        self.longest = _INTEGERS[1] if item.max_length is None else item.max_length
        self.span = _span(item) if item.type == "integer" else None
        self.plain = self.plain_group = self.flat = self.quick = self.sought = False
        self.offered = offered(item.options)
        self.test: Test | None = None
        self.tested: Test | None = None
        self.decided = False
        self.wanted = _demands(self)
        self.counted = item.min_occurs is not None or item.max_occurs is not None
        self.weighed: tuple[Plan, ...] = ()

    def with_item(self, item: Item) -> Plan:
        """The same place in the form with another item, some of whose elements are computed."""
        made = Plan(item, self.index, self.parent)
        for name in _KEPT:
            setattr(made, name, getattr(self, name))
        made.expressions = self.expressions
        made.decided = True
        made.tested = test_for(made)
        return made

    def quick_but_for(self, limits: Collection[str]) -> bool:
        """Whether one answer by itself tells all, but for these limits (urls of extensions)."""
        return not (
            self.is_group
            or self.field is None
            or _limits(self.item, limits)
            or not (self.decided or self.expressions is None or not self.expressions.computed)
            or self.demanding
            or self.item.min_occurs
            or self.item.answer_value_set
            or self.watched
        )


_KEPT = ("children", "sources", "conditional", "demanding", "computed_text", "table", "sought")


def value_key(kind: ValueKind, value: Any) -> Any:
    """What option values are compared by: system and code, or the address of a Reference."""
    if isinstance(value, Mapping):
        if kind == "Coding":
            return (
                value.get("system"),
                value.get("code"),
                None if "code" in value else value.get("display"),
            )
        return value.get("reference")
    return value


def _codings(options: Sequence[Option]) -> dict[tuple[str | None, str | None], Option]:
    return {
        (option.value.get("system"), option.value.get("code")): option
        for option in options
        if option.kind == "Coding"
    }


def _limits(item: Item, but: Collection[str] = ()) -> bool:
    """Whether an answer has to keep a limit, none of ``but``, that is checked on its value."""
    lengthy = item.max_length is not None and item.type not in ("string", "text")
    spanned = item.type == "integer"
    return lengthy or any(
        url in item.extensions and url not in but
        for url in LIMITS
        if not (spanned and url in _SPAN)
    )


_SPAN = (ext.MIN_VALUE, ext.MAX_VALUE)
_INTEGERS = -(2**31), 2**31 - 1


def _span(item: Item) -> tuple[int, int] | None:
    """The least and the greatest integer of an item; None where a limit is something else."""
    low, high = (ext.value(item.extensions, url) for url in _SPAN)
    bounds = tuple(
        default if value is None else value
        for value, default in zip((low, high), _INTEGERS, strict=True)
    )
    whole = all(isinstance(bound, int) and not isinstance(bound, bool) for bound in bounds)
    several = any(len(item.extensions.get(url, ())) > 1 for url in _SPAN)
    return bounds if whole and not several else None  # type: ignore[return-value]


def _demands(plan: Plan) -> bool:
    """Whether the item asks for something even where nothing was sent for it."""
    if plan.display_only:
        return False
    item = plan.item
    counted = bool(item.min_occurs) or (plan.is_group and item.max_occurs is not None)
    return item.required or counted or bool(plan.always)
