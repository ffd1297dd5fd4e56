"""Rules of limits and initial values: what they fit, and that they agree with each other.

http://hl7.org/fhir/R4/questionnaire-definitions.html#Questionnaire.item.initial
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from fhir_service.fhir.issues import Issue
from fhir_service.sdc import extensions as ext
from fhir_service.sdc.comparing import UnitsDiffer, order
from fhir_service.sdc.form_rules.tree import Place, Tree
from fhir_service.sdc.item_reading import choice
from fhir_service.sdc.items import ValueKind
from fhir_service.sdc.plans import KINDS_OF

_LENGTH_TYPES = frozenset(
    {"boolean", "decimal", "integer", "string", "text", "url", "open-choice"}
)
_ORDERED = frozenset({"date", "dateTime", "time", "decimal", "integer", "quantity"})
_FITS: Mapping[str, frozenset[str]] = {
    ext.MIN_VALUE: _ORDERED,
    ext.MAX_VALUE: _ORDERED,
    ext.MIN_QUANTITY: frozenset({"quantity"}),
    ext.MAX_QUANTITY: frozenset({"quantity"}),
    ext.MIN_LENGTH: _LENGTH_TYPES | {"date", "dateTime", "time"},
    ext.REGEX: _LENGTH_TYPES | {"date", "dateTime", "time"},
    ext.MAX_DECIMAL_PLACES: frozenset({"decimal", "quantity"}),
    ext.MAX_SIZE: frozenset({"attachment"}),
    ext.MIME_TYPE: frozenset({"attachment"}),
    ext.UNIT: frozenset({"integer", "decimal", "quantity"}),
    ext.UNIT_OPTION: frozenset({"quantity"}),
    ext.UNIT_VALUE_SET: frozenset({"quantity"}),
    ext.UNIT_OPEN: frozenset({"quantity"}),
    ext.CORE + "questionnaire-sliderStepValue": frozenset({"integer", "decimal", "quantity"}),
    ext.CORE + "questionnaire-referenceResource": frozenset({"reference"}),
    ext.CORE + "questionnaire-referenceProfile": frozenset({"reference"}),
}
"""The types of item that each limit is for, http://hl7.org/fhir/R4/questionnaire-profiles.html"""

_PAIRS = ((ext.MIN_VALUE, ext.MAX_VALUE), (ext.MIN_QUANTITY, ext.MAX_QUANTITY))


def _name(url: str) -> str:
    return url.rsplit("/", maxsplit=1)[-1].rsplit("-", maxsplit=1)[-1]


def max_length(place: Place, _: Tree) -> Iterator[Issue]:
    """Q6, que-10: maxLength only on simple types."""
    if "maxLength" in place.raw and place.type not in _LENGTH_TYPES:
        says = f"an item of type {place.type} has no maxLength."
        yield place.tell("form-max-length-type", says, "maxLength")


def initial(place: Place, _: Tree) -> Iterator[Issue]:
    """Q7, Q12, que-11, que-13: initial values stand where no options do, and fit the type."""
    raw = place.raw
    given = raw.get("initial", ())
    if given and raw.get("answerOption"):
        says = "with options, the initial one is marked by initialSelected."
        yield place.tell("form-initial-options", says, "initial")
    if len(given) > 1 and not raw.get("repeats"):
        yield place.tell("form-initial-several", "several initial values need repeats.", "initial")
    if given and place.has(ext.INITIAL_EXPRESSION):
        says = "initial and initialExpression exclude each other."
        yield place.tell("form-initial-twice", says, "initial")
    kinds = KINDS_OF[place.type]
    for number, one in enumerate(given):
        found = choice(one, "value")
        if found is None or (kinds and found[0] not in kinds):
            says = f"the initial value must be of type {' or '.join(kinds)}."
            yield place.tell("form-initial-kind", says, f"initial[{number}]")


def counts(place: Place, _: Tree) -> Iterator[Issue]:
    """Q15: the least is not over the most; several need repeats; a least count needs required.

    http://hl7.org/fhir/R4/extension-questionnaire-minoccurs.html
    """
    least, most = place.value(ext.MIN_OCCURS), place.value(ext.MAX_OCCURS)
    if isinstance(least, int) and isinstance(most, int) and least > most:
        says = "minOccurs is over maxOccurs; nobody can answer this."
        yield place.tell("form-occurs-order", says)
    for name, value in (("minOccurs", least), ("maxOccurs", most)):
        if isinstance(value, int) and value > 1 and not place.raw.get("repeats"):
            yield place.tell("form-occurs-repeats", f"{name} over 1 needs repeats.")
    if isinstance(least, int) and least > 0 and not place.raw.get("required"):
        yield place.tell("form-occurs-required", "minOccurs is for items that are required.")


def limits_in_order(place: Place, _: Tree) -> Iterator[Issue]:
    """Q15: a least value is not over the greatest, a least length not over maxLength."""
    for low_url, high_url in _PAIRS:
        low, high = _limit(place, low_url), _limit(place, high_url)
        if low is not None and high is not None and _sign(*low, *high) == 1:
            says = f"{_name(low_url)} is over {_name(high_url)}; nobody can answer this."
            yield place.tell("form-limits-order", says)
    least, most = place.value(ext.MIN_LENGTH), place.raw.get("maxLength")
    if isinstance(least, int) and isinstance(most, int) and least > most:
        yield place.tell("form-length-order", "minLength is over maxLength.", "maxLength")


def _limit(place: Place, url: str) -> tuple[ValueKind, Any] | None:
    """(type, value) of the first fixed limit with this url; None without one."""
    given = place.extensions.get(url, ())
    return next((found for one in given if (found := choice(one, "value"))), None)


def _sign(kind: ValueKind, value: Any, other_kind: ValueKind, other: Any) -> int | None:
    """How the two stand in order; None where it can not be told."""
    try:
        return order(kind, value, other_kind, other)
    except UnitsDiffer:
        return None


def limits_fit(place: Place, _: Tree) -> Iterator[Issue]:
    """Q16: each limit is for this type of item, and of the type of its answers."""
    for url in place.extensions:
        types = _FITS.get(url)
        if types is not None and place.type not in types and place.type != "question":
            says = f"{_name(url)} is not for an item of type {place.type}."
            yield place.tell("form-limit-type", says)
    for url in (ext.MIN_VALUE, ext.MAX_VALUE):
        found = _limit(place, url)
        if found is None or place.type not in _ORDERED:
            continue
        kinds = KINDS_OF[place.type]
        if found[0] not in kinds and not (found[0] == "integer" and "decimal" in kinds):
            says = f"{_name(url)} must be of type {' or '.join(kinds)}."
            yield place.tell("form-limit-kind", says)


def limits_or_options(place: Place, _: Tree) -> Iterator[Issue]:
    """Q16: what a list of options offers needs no limit besides."""
    if not place.raw.get("answerOption"):
        return
    for url in (ext.MIN_VALUE, ext.MAX_VALUE, ext.REGEX, ext.MIN_LENGTH):
        if place.has(url) and place.type != "open-choice":
            says = f"{_name(url)} stands beside a list of options."
            yield place.tell("form-limit-with-options", says)


def initial_inside(place: Place, _: Tree) -> Iterator[Issue]:
    """Q18: an initial value, given or an option selected at first, keeps the item's own limits."""
    for number, one in enumerate(place.raw.get("initial", ())):
        found = choice(one, "value")
        if found is not None and (why := _outside(place, *found)):
            yield place.tell("form-initial-outside", why, f"initial[{number}]")
    for number, one in enumerate(place.raw.get("answerOption", ())):
        found = choice(one, "value")
        if one.get("initialSelected") and found is not None and (why := _outside(place, *found)):
            yield place.tell("form-initial-outside", why, f"answerOption[{number}]")


def _outside(place: Place, kind: ValueKind, value: Any) -> str | None:
    """Why a value can not be an answer; None when it can, as far as it can be told."""
    most, least = place.raw.get("maxLength"), place.value(ext.MIN_LENGTH)
    if isinstance(value, str) and kind in ("string", "uri"):
        if most is not None and len(value) > most:
            return "the initial value is longer than maxLength."
        if isinstance(least, int) and len(value) < least:
            return "the initial value is shorter than minLength."
    for low, high in _PAIRS:
        for url, beyond in ((low, -1), (high, 1)):
            limit = _limit(place, url)
            if limit is not None and _sign(kind, value, *limit) == beyond:
                return f"the initial value is beyond {_name(url)}."
    return _foreign_unit(place, kind, value)


def _foreign_unit(place: Place, kind: ValueKind, value: Any) -> str | None:
    options = place.extensions.get(ext.UNIT_OPTION, ())
    if kind != "Quantity" or not options or place.has(ext.UNIT_OPEN):
        return None
    codings = [ext.value_of(option) or {} for option in options]
    if any(coding.get("code") == value.get("code") for coding in codings):
        return None
    return "the unit of the initial value is not offered."


_UNITS = (ext.UNIT, ext.UNIT_OPTION, ext.UNIT_VALUE_SET)


def unit_there(place: Place, _: Tree) -> Iterator[Issue]:
    """Q25: a quantity says in which units it is answered."""
    if place.type == "quantity" and not place.has(*_UNITS) and not place.raw.get("initial"):
        yield place.tell("form-quantity-unit", "the quantity has no unit to be given in.")


RULES: Final[tuple[Callable[[Place, Tree], Iterator[Issue]], ...]] = (
    max_length,
    initial,
    counts,
    limits_in_order,
    limits_fit,
    limits_or_options,
    initial_inside,
    unit_there,
)
