"""The response while it is being filled: FHIR, and beside it what was typed that is no answer yet.

A draft is a QuestionnaireResponse in progress. What can not be an answer of its question (half a
date, letters for a number) stands in an extension of the draft as it was typed, so that it is
there again on any device. It never goes out with a response that was sent.
http://hl7.org/fhir/R4/questionnaireresponse.html
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any, Final

from fhir_service.fhir.answer_sources import ANSWER_SOURCE
from fhir_service.fhir.fhirpath.nodes import to_json
from fhir_service.sdc import extensions as ext
from fhir_service.sdc.compiled import Form
from fhir_service.sdc.items import Item
from fhir_service.sdc.population.answers import fitting
from fhir_service.sdc.population.origins import INFORMATION_ORIGIN
from fhir_service.web.filling.lens import Lens
from fhir_service.workflow.filling import in_order

Json = dict[str, Any]

TYPED: Final = "https://fhir-service.example.org/fhir/StructureDefinition/draft-typed"
"""What was typed under one name of the page: ``name``, and a ``text`` for each input."""

CONFIRMED: Final = "confirmed"
"""Within answer-source: the patient was shown the answer, and said that it is right."""

DECLINED: Final = "asked-declined"


def typed_in(response: Mapping[str, Any]) -> dict[str, list[str]]:
    """What was typed and is no answer, by the name of its input."""
    found: dict[str, list[str]] = {}
    for one in response.get("extension", ()):
        if one.get("url") == TYPED:
            parts = ext.by_url(one.get("extension"))
            found[str(ext.value(parts, "name"))] = [
                str(text) for text in ext.values(parts, "text")
            ]
    return found


def with_typed(response: Json, typed: Mapping[str, Sequence[str]]) -> Json:
    """The same response with just this that was typed."""
    others = [one for one in response.get("extension", ()) if one.get("url") != TYPED]
    kept = [
        {
            "url": TYPED,
            "extension": [
                {"url": "name", "valueString": name},
                *({"url": "text", "valueString": text} for text in texts if text.strip()),
            ],
        }
        for name, texts in sorted(typed.items())
        if any(text.strip() for text in texts)
    ]
    made = {name: value for name, value in response.items() if name != "extension"}
    if others or kept:
        made["extension"] = [*others, *kept]
    return in_order(made)


def calculated(form: Form, response: Json, now: datetime, zone: tzinfo) -> Json:
    """The response with the values that the form calculates; what can not be told is left out."""
    if not form.plan.expressive:
        return response
    lens = Lens(form, response, now, zone)
    values: dict[str, list[Json]] = {}
    for node in lens.all():
        given = lens.given_by(node, "calculated") if node.enabled else None
        if given is not None:
            answers = [fitting(node.item, one) for one in given]
            values[node.item.link_id] = [
                {name: to_json(value)} for name, value in filter(None, answers)
            ]
    if not values:
        return response
    items = _with_values(form.items, response.get("item", []), values)
    return in_order({**response, "item": items} if items else _without(response, "item"))


def _with_values(
    items: Sequence[Item], given: Sequence[Json], values: Mapping[str, list[Json]]
) -> list[Json]:
    """The items in form order, those that are calculated with their values."""
    made: list[Json] = []
    for item in items:
        own = [one for one in given if one.get("linkId") == item.link_id]
        if item.link_id in values:
            answers = values[item.link_id]
            if answers:
                made.append({"linkId": item.link_id, "answer": answers})
            continue
        if item.type == "group" and (own or _any_below(item, values)):
            instances = own or [{"linkId": item.link_id}]
            for one in instances:
                inner = _with_values(item.items, one.get("item", []), values)
                if inner or own:
                    made.append({**_without(one, "item"), **({"item": inner} if inner else {})})
            continue
        made.extend(own)
    return made


def _any_below(item: Item, values: Mapping[str, Any]) -> bool:
    if item.repeats:
        return False
    return any(
        (child.link_id in values and values[child.link_id]) or _any_below(child, values)
        for child in item.items
    )


def _without(given: Mapping[str, Any], *names: str) -> Json:
    return {name: value for name, value in given.items() if name not in names}


def to_be_sent(form: Form, draft: Json, status: str, now: datetime, zone: tzinfo) -> Json:
    """The draft as it would be sent: without what its conditions disable, and what is empty."""
    lens = Lens(form, draft, now, zone)
    off = {node.place for node in lens.all() if not node.enabled and node.place is not None}
    items = _kept(draft.get("item", []), "QuestionnaireResponse", off)
    sent = _without(with_typed(draft, {}), "item") | {"status": status}
    sent["authored"] = now.astimezone(zone).isoformat(timespec="seconds")
    if items:
        sent["item"] = items
    return calculated(form, in_order(sent), now, zone)


def _kept(items: Sequence[Json], around: str, off: Collection[str]) -> list[Json]:
    made = []
    for number, item in enumerate(items):
        place = f"{around}.item[{number}]"
        if place in off:
            continue
        one = _without(item, "item", "answer")
        answers = [
            _answer(answer, f"{place}.answer[{n}]", off)
            for n, answer in enumerate(item.get("answer", ()))
        ]
        inner = _kept(item.get("item", []), place, off)
        if answers:
            one["answer"] = answers
        if inner:
            one["item"] = inner
        if answers or inner or "extension" in one:
            made.append(one)
    return made


def _answer(answer: Json, place: str, off: Collection[str]) -> Json:
    inner = _kept(answer.get("item", []), place, off)
    kept = _without(answer, "item")
    return {**kept, "item": inner} if inner else kept


def is_unconfirmed(answer: Mapping[str, Any]) -> bool:
    """Whether an answer was filled from a record, and the patient has not yet said it is right."""
    for one in answer.get("extension", ()):
        if one.get("url") == ANSWER_SOURCE:
            parts = ext.by_url(one.get("extension"))
            return ext.value(parts, "kind") == "record" and CONFIRMED not in parts
    return False


def confirmed(answer: Json) -> Json:
    """The answer with the mark that the patient has confirmed it."""
    extensions = []
    for given in answer.get("extension", ()):
        one = given
        if one.get("url") == ANSWER_SOURCE and is_unconfirmed(answer):
            one = {
                **one,
                "extension": [*one["extension"], {"url": CONFIRMED, "valueBoolean": True}],
            }
        extensions.append(one)
    return {**answer, "extension": extensions}


def value_alone(answer: Mapping[str, Any]) -> Json:
    """The value of an answer, without where it came from and what lies under it."""
    return {
        name: value for name, value in answer.items() if name not in ("extension", "item", "id")
    }


def declined() -> Json:
    """The extension of a question that the patient would rather not answer."""
    return {"url": ext.DATA_ABSENT_REASON, "valueCode": DECLINED}


def is_declined(item: Mapping[str, Any]) -> bool:
    """Whether the patient said of this question that she would rather not answer."""
    return any(
        one.get("url") == ext.DATA_ABSENT_REASON and one.get("valueCode") == DECLINED
        for one in item.get("extension", ())
    )


ORIGINS: Final = (ANSWER_SOURCE, INFORMATION_ORIGIN)


def opened(form: Form, sent: Json, now: datetime, zone: tzinfo) -> Json:
    """The response with every required group present, so that its questions are asked one by one.

    A group that is disabled, or that repeats, stays as it is.
    """
    lens = Lens(form, sent, now, zone)
    asked = {node.item.link_id for node in lens.all() if node.enabled}
    items = _opened(form.items, sent.get("item", []), asked)
    return in_order({**sent, "item": items}) if items else sent


def _opened(items: Sequence[Item], given: Sequence[Json], asked: Collection[str]) -> list[Json]:
    made: list[Json] = []
    for item in items:
        own = [one for one in given if one.get("linkId") == item.link_id]
        opens = item.type == "group" and item.required and not item.repeats
        if opens and item.link_id in asked:
            before: Json = own[0] if own else {"linkId": item.link_id}
            inner = _opened(item.items, before.get("item", []), asked)
            made.append({**_without(before, "item"), **({"item": inner} if inner else {})})
        elif opens or item.type != "group" or item.repeats or not own:
            made.extend(own)
        else:
            inner = _opened(item.items, own[0].get("item", []), asked)
            made.append({**_without(own[0], "item"), **({"item": inner} if inner else {})})
    return made
