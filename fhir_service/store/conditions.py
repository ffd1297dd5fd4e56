"""What each criterion of a search means in SQL.

http://hl7.org/fhir/R4/search.html
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    and_,
    false,
    func,
    not_,
    or_,
    select,
    true,
    type_coerce,
)

from fhir_service.fhir.dates import DAY, Prefix, Span, searched
from fhir_service.fhir.indexing import NEVER, local, plain
from fhir_service.fhir.search_parameters import SearchParameter, parameter_of
from fhir_service.fhir.searching import Criterion, parts_of, token_parts, unescaped
from fhir_service.store.statements import HEAD_LENGTH
from fhir_service.store.tables import resource, search_value

Condition = ColumnElement[bool]

ROUGH = 367 * DAY
"""Longer than any date is wide: a year, in any time zone."""

_MILLISECOND = 1_000
_LAST_SIGN = "\U0010ffff"
_CANONICAL_BASE = "https://fhir-service.example.org/fhir"

_row = search_value.c


def condition(
    resource_type: str, parameter: SearchParameter, asked: Criterion, widest: int
) -> Condition:
    """What a row of ``resource`` must be like to meet this criterion.

    ``widest`` is how wide the date of a resource can be, in microseconds.
    """
    if asked.chain is not None:
        return _of_its_form(asked.chain)
    if parameter.column:
        return _in_column(parameter, asked, widest)
    return _in_rows(resource_type, parameter, asked)


def _of_its_form(chain: Criterion) -> Condition:
    """Whether the form that a response names meets this; in any version, if it names none."""
    parameter = parameter_of("Questionnaire", chain.parameter)
    if parameter is None:
        return false()
    form = resource.alias("form")
    meets = _in_rows("Questionnaire", parameter, chain, form.c.id)
    same_version = or_(
        resource.c.canonical_version == "",
        resource.c.canonical_version == form.c.canonical_version,
    )
    return (
        select(form.c.id)
        .where(
            form.c.resource_type == "Questionnaire",
            form.c.deleted == 0,
            form.c.canonical == resource.c.canonical,
            same_version,
            meets,
        )
        .correlate(resource)
        .exists()
    )


def _in_column(parameter: SearchParameter, asked: Criterion, widest: int) -> Condition:
    if asked.modifier == "missing":
        missing = _MISSING[parameter.column or "id"]
        return missing if asked.values == ("true",) else not_(missing)
    if asked.modifier == "below":
        return or_(*(_below(resource.c.canonical, unescaped(value)) for value in asked.values))
    meets = or_(*(_column_meets(parameter, value, widest) for value in asked.values))
    if asked.modifier == "not":
        return not_(func.coalesce(meets, false()))
    return meets


_MISSING: dict[str, Condition] = {
    "patient": resource.c.patient.is_(None),
    "canonical": resource.c.canonical.is_(None),
    "version": resource.c.canonical_version == "",
    "status": resource.c.status.is_(None),
    "date": resource.c.low == NEVER,
}


def _column_meets(parameter: SearchParameter, value: str, widest: int) -> Condition:
    match parameter.column:
        case "id" | "version" | "status":
            column = {
                "id": resource.c.id,
                "version": resource.c.canonical_version,
                "status": resource.c.status,
            }[parameter.column]
            return _code(column, parameter.system, value)
        case "patient":
            return _patient(value)
        case "canonical":
            return _canonical(parameter, value)
        case "last_updated":
            low = type_coerce(resource.c.last_updated, BigInteger)
            return dated(low, low + _MILLISECOND, *searched(value), _MILLISECOND)
        case _:
            meets = dated(resource.c.low, resource.c.high, *searched(value), widest)
            return and_(resource.c.low > NEVER, meets)


def _code(column: ColumnElement[Any], system: str, value: str) -> Condition:
    """A code whose system is given by its element; naming that, or none, is the same."""
    asked_system, code = token_parts(value)
    if asked_system not in (None, "", system):
        return false()
    return column.is_not(None) if code is None else column == code


def _patient(value: str) -> Condition:
    kind, _, id_ = unescaped(value).rpartition("/")
    if kind not in ("", "Patient"):
        return false()
    return resource.c.patient == id_


def _canonical(parameter: SearchParameter, value: str) -> Condition:
    """A url, or url|version of a form; a form can also be named by Questionnaire/id or id."""
    if parameter.kind == "uri":
        return resource.c.canonical == unescaped(value)
    url, _, version = unescaped(value).partition("|")
    if ":" not in url:
        url = f"{_CANONICAL_BASE}/Questionnaire/{url.removeprefix('Questionnaire/')}"
    same = resource.c.canonical == url
    return and_(same, resource.c.canonical_version == version) if version else same


def _in_rows(
    resource_type: str,
    parameter: SearchParameter,
    asked: Criterion,
    id_: ColumnElement[str] | None = None,
) -> Condition:
    if asked.modifier == "missing":
        has_one = _has_row(resource_type, parameter, true(), id_)
        return not_(has_one) if asked.values == ("true",) else has_one
    meets = or_(*(_row_meets(parameter, asked.modifier, value) for value in asked.values))
    found = _has_row(resource_type, parameter, meets, id_)
    return not_(found) if asked.modifier == "not" else found


def _has_row(
    resource_type: str,
    parameter: SearchParameter,
    meets: Condition,
    id_: ColumnElement[str] | None = None,
) -> Condition:
    return (resource.c.id if id_ is None else id_).in_(
        select(_row.id).where(
            _row.resource_type == resource_type,
            _row.parameter == parameter.name,
            meets,
        )
    )


def _row_meets(parameter: SearchParameter, modifier: str | None, value: str) -> Condition:
    if parameter.kind == "uri" and modifier == "below":
        return _below(_row.head, unescaped(value))
    match parameter.kind:
        case "token" | "composite":
            return _token(value) if parameter.kind == "token" else _pair(value)
        case "date":
            return dated(_row.low, _row.high, *searched(value), -NEVER)
        case "string":
            return _string(modifier, unescaped(value))
        case "reference":
            return _reference(parameter, local(unescaped(value)))
        case _:
            return _text(unescaped(value))


def _text(text: str) -> Condition:
    head = _row.head == text[:HEAD_LENGTH]
    if len(text) < HEAD_LENGTH:
        return head
    return and_(head, func.coalesce(_row.whole, _row.head) == text)


def _pair(value: str) -> Condition:
    """Two tokens of one useContext; systems that are not asked for may be any."""
    first, second = (token_parts(part) for part in parts_of(value))
    meets = _text(f"{first[1] or ''}${second[1] or ''}")
    if first[0] is not None:
        meets = and_(meets, _row.system.startswith(f"{first[0]} ", autoescape=True))
    if second[0] is not None:
        meets = and_(meets, _row.system.endswith(f" {second[0]}", autoescape=True))
    return meets


def _below(column: ColumnElement[Any], url: str) -> Condition:
    """The url itself and what lies below it, part by part.

    http://hl7.org/fhir/R4/search.html#uri
    """
    folder = f"{url.rstrip('/')}/"
    return or_(column == url, and_(column >= folder, column < folder + _LAST_SIGN))


def _token(value: str) -> Condition:
    system, code = token_parts(value)
    meets = true() if code is None else _text(code)
    return meets if system is None else and_(meets, _row.system == system)


def _string(modifier: str | None, text: str) -> Condition:
    """A beginning, without case and accents; ``exact`` as written; ``contains`` anywhere."""
    if modifier == "exact":
        return _row.exact == text
    found = plain(text)
    whole = func.coalesce(_row.whole, _row.head)
    if modifier == "contains":
        return whole.contains(found, autoescape=True)
    start = found[:HEAD_LENGTH]
    begins = and_(_row.head >= start, _row.head < start + _LAST_SIGN)
    if len(found) <= HEAD_LENGTH:
        return begins
    return and_(begins, whole.startswith(found, autoescape=True))


def _reference(parameter: SearchParameter, reference: str) -> Condition:
    """Type/id or an address; an id alone, of any of the types it may lead to."""
    if "/" in reference or ":" in reference:
        return _text(reference)
    return or_(*(_text(f"{target}/{reference}") for target in parameter.targets))


def dated(
    low: ColumnElement[int], high: ColumnElement[int], prefix: Prefix, asked: Span, widest: int
) -> Condition:
    """Whether a range of time meets a date with this prefix.

    ``widest`` is how far ``high`` can lie after ``low``; -NEVER stands for any distance. Each
    condition bounds ``low`` on its own as well, as that is what indexes hold.
    http://hl7.org/fhir/R4/search.html#prefix
    """
    near = true() if widest == -NEVER else low > asked.low - widest
    within = and_(low >= asked.low, low < asked.high, high <= asked.high)
    meanings: dict[Prefix, Condition] = {
        "eq": within,
        "ne": not_(within),
        "gt": and_(near, high > asked.high),
        "ge": and_(near, or_(low >= asked.low, high > asked.high)),
        "lt": low < asked.low,
        "le": and_(low < asked.high, or_(low < asked.low, high <= asked.high)),
        "sa": low >= asked.high,
        "eb": and_(low < asked.low, high <= asked.low),
        "ap": and_(near, low < asked.high, high > asked.low),
    }
    return meanings[prefix]
