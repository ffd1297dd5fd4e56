"""What one shipped file says of another: each linkId and code of a summary mapping is in its form.

Checked in the tests, by the command line and at start. http://hl7.org/fhir/R4/questionnaire.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from fhir_service.fhir.issues import Issue
from fhir_service.sdc.compiled import Form
from fhir_service.sdc.items import Item
from fhir_service.summary.mapping import Condition, FormMapping, RowCell, SummaryMapping

_ALWAYS = {"true", "false"}


def mapping_findings(mapping: SummaryMapping, forms: Iterable[Form]) -> tuple[Issue, ...]:
    """What the mapping says and its forms do not bear out, and each question left without a place.

    ``forms`` are the forms that are here; a mapping of a form that is not here is a finding too.
    """
    known = {(form.url, (form.version or "").split("+", maxsplit=1)[0]): form for form in forms}
    found = list(_page(mapping))
    for one in mapping.forms:
        form = known.get((one.url, one.version))
        if form is None:
            found.append(_issue("mapping-form-unknown", f"{one.url}|{one.version} is not here."))
        else:
            found.extend(_form(one, form, mapping))
    for rule in mapping.rules:
        form = known.get((rule.url, rule.version))
        if form is None:
            found.append(_issue("mapping-form-unknown", f"{rule.url}|{rule.version} is not here."))
        else:
            found.extend(_condition(rule.id, rule.when, form))
            found.extend(_links(rule.id, rule.messages, form))
    return tuple(found)


def _issue(key: str, says: str, link_id: str | None = None) -> Issue:
    return Issue(key=key, code="not-found", says=says, link_id=link_id)


def _page(mapping: SummaryMapping) -> Iterator[Issue]:
    levels = {level.id for level in mapping.levels}
    for rule in mapping.rules:
        if rule.level not in levels:
            yield _issue("mapping-level-unknown", f"{rule.id} has the level {rule.level}.")
        for source in rule.sources:
            if source not in mapping.sources:
                yield _issue("mapping-source-unknown", f"{rule.id} cites {source}.")
    sections = {section.id for section in mapping.sections}
    for form in mapping.forms:
        named = [line.section for line in form.lines]
        named += [row.section for row in form.rows]
        named += [one.section for one in form.scores] + [one.section for one in form.losses]
        if form.questions is not None:
            named.append(form.questions.section)
        if mapping.changes is not None:
            named.append(mapping.changes)
        for name in dict.fromkeys(named):
            if name not in sections:
                yield _issue("mapping-section-unknown", f"{form.url} names the section {name}.")


def _form(one: FormMapping, form: Form, mapping: SummaryMapping) -> Iterator[Issue]:
    worded = dict(_worded(one))
    placed = {*worded, *_unworded(one)}
    heeded = {line.link_id for other in mapping.forms for line in other.lines}
    yield from _links(one.url, sorted(placed), form)
    for link_id, words in worded.items():
        yield from _codes(one.url, link_id, words, form)
    for measure in one.measures:
        named = (measure.link_id, measure.group, measure.head)
        yield from _links(one.url, [name for name in named if name is not None], form)
        codes = (*measure.scale, *measure.ignored, *measure.words)
        yield from _codes(one.url, measure.link_id, codes, form)
    if one.safety is not None:
        yield from _codes(one.url, one.safety.link_id, (one.safety.none,), form)
    if one.questions is not None:
        for link_id in one.questions.heed:
            if link_id not in heeded:
                yield _issue("mapping-link-id-unknown", f"No line shows {link_id}.", link_id)
    for item in form.by_link_id.values():
        if item.type not in {"group", "display"} and item.link_id not in placed:
            says = f"{item.link_id} of {one.url} has no place in the summary."
            yield _issue("mapping-item-unplaced", says, item.link_id)


def _worded(one: FormMapping) -> Iterator[tuple[str, Sequence[str]]]:
    cells: list[RowCell] = [cell for row in one.rows for cell in row.cells]
    cells += [cell for score in one.scores for cell in score.of]
    for cell in cells:
        yield cell.link_id, tuple(cell.words)
    for line in one.lines:
        yield line.link_id, tuple(line.words)
    if one.respondent is not None:
        yield one.respondent.link_id, tuple(one.respondent.words)
    # the head of a row may take its options from another question, by an expression
    yield from ((row.head, ()) for row in one.rows)


def _unworded(one: FormMapping) -> Iterator[str]:
    for row in one.rows:
        yield from (row.group, row.head)
    yield from (score.total for score in one.scores)
    yield from (line.besides for line in one.lines if line.besides is not None)
    for loss in one.losses:
        yield from (loss.amount, loss.left)
    if one.questions is not None:
        yield from (*one.questions.ranked, *one.questions.own, *one.questions.picked)
    if one.respondent is not None and one.respondent.relation is not None:
        yield one.respondent.relation
    if one.safety is not None:
        yield one.safety.link_id


def _links(who: str, link_ids: Iterable[str], form: Form) -> Iterator[Issue]:
    for link_id in link_ids:
        if link_id not in form.by_link_id:
            yield _issue("mapping-link-id-unknown", f"{who} names {link_id}.", link_id)


def _codes(who: str, link_id: str, codes: Iterable[str], form: Form) -> Iterator[Issue]:
    item = form.by_link_id.get(link_id)
    if item is None:
        return
    offered = _offered(item)
    for code in codes:
        if code not in offered:
            says = f"{who} names {code}, which {link_id} does not offer."
            yield _issue("mapping-code-unknown", says, link_id)


def _offered(item: Item) -> set[str]:
    if item.type == "boolean":
        return _ALWAYS
    values = (option.value for option in item.options)
    return {str(value.get("code")) for value in values if isinstance(value, Mapping)}


def _condition(who: str, condition: Condition, form: Form) -> Iterator[Issue]:
    named = (condition.link_id, condition.group, condition.lost, condition.left)
    yield from _links(who, [link_id for link_id in named if link_id is not None], form)
    if condition.link_id is not None:
        yield from _codes(who, condition.link_id, condition.any_of, form)
    below = (*condition.all, *condition.any, *condition.none)
    for one in (*below, *((condition.has,) if condition.has is not None else ())):
        yield from _condition(who, one, form)
