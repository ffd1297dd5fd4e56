"""The index of a response changes what an expression costs, and never what it gives."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_service.fhir.fhirpath import Environment, ResponseIndex, compile_expression
from tests.support.fhirpath import NOW, SDC_EXPRESSIONS, sdc_environment, sdc_response

LINK_IDS = ("a", "b", "c")
VALUES: tuple[dict[str, Any], ...] = (
    {"valueInteger": 1},
    {"valueInteger": 2},
    {"valueString": "x"},
    {"valueCoding": {"code": "x"}},
)

link_ids = st.sampled_from(LINK_IDS)


def _item(parts: tuple[str, list[Any], list[Any], bool]) -> dict[str, Any]:
    link_id, answers, items, items_first = parts
    made: dict[str, Any] = {"linkId": link_id}
    order = [("item", items), ("answer", answers)]
    made.update((name, value) for name, value in order[:: 1 if items_first else -1] if value)
    return made


def _items(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    answers = st.builds(
        lambda value, items: {**value, **({"item": items} if items else {})},
        st.sampled_from(VALUES),
        inner,
    )
    parts = st.tuples(link_ids, st.lists(answers, max_size=2), inner, st.booleans())
    return st.lists(parts.map(_item), max_size=3)


responses: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.just([]), _items, max_leaves=12
).map(
    lambda items: {"resourceType": "QuestionnaireResponse", "status": "completed", "item": items}
)
criteria = st.one_of(
    link_ids.map("linkId = '{}'".format),
    st.lists(link_ids, min_size=2, max_size=3).map(
        lambda ids: " or ".join(f"linkId='{one}'" for one in ids)
    ),
    st.lists(link_ids, min_size=2, max_size=3, unique=True).map(
        lambda ids: "linkId in (" + "|".join(f"'{one}'" for one in ids) + ")"
    ),
)
reaches = st.sampled_from(
    ["%resource.descendants()", "%resource.item", "%resource.repeat(item)", "%rootResource.item"]
)
rests = st.sampled_from(
    ["", ".answer.value", ".answer.item", ".linkId", ".count()", ".item.where(linkId='a').answer"]
)


@settings(max_examples=150, deadline=None)
@given(responses, reaches, criteria, rests)
def test_with_and_without_the_index_the_same_comes_out(
    response: dict[str, Any], reach: str, asked: str, rest: str
) -> None:
    made = compile_expression(f"{reach}.where({asked}){rest}")
    assert made.link_ids
    plain = made.evaluate(response, Environment(resource=response, now=NOW))
    index = ResponseIndex(response)
    indexed = made.evaluate(response, Environment(resource=response, now=NOW, index=index))
    assert [id(one) for one in indexed if isinstance(one, dict)] == [
        id(one) for one in plain if isinstance(one, dict)
    ]
    assert indexed == plain


def test_linkids_of_a_contained_form_are_not_missed() -> None:
    form = {"resourceType": "Questionnaire", "item": [{"linkId": "a", "type": "string"}]}
    response = {
        "resourceType": "QuestionnaireResponse",
        "contained": [form],
        "item": [{"linkId": "a"}],
    }
    made = compile_expression("%resource.descendants().where(linkId='a').count()")
    index = ResponseIndex(response)
    assert not index.complete
    assert made.evaluate(response, Environment(resource=response, index=index)) == [2]


def test_a_variable_named_resource_goes_before_the_index() -> None:
    response = sdc_response()
    other = {"resourceType": "QuestionnaireResponse", "item": [{"linkId": "g-1"}] * 2}
    made = compile_expression("%resource.item.where(linkId='g-1').count()")
    environment = Environment(
        resource=response, variables={"resource": other}, index=ResponseIndex(response)
    )
    assert made.evaluate(response, environment) == [2]


def test_typical_expressions_give_the_same_with_the_index() -> None:
    response = sdc_response()
    indexed, plain = sdc_environment(response), sdc_environment(response, indexed=False)
    for text in SDC_EXPRESSIONS:
        made = compile_expression(text)
        found = made.evaluate(response, indexed)
        assert found, text
        assert found == made.evaluate(response, plain)


def test_an_answer_is_found_without_walking_a_large_response() -> None:
    response = sdc_response(groups=2_000, questions=24)
    index = ResponseIndex(response)
    made = compile_expression("%resource.descendants().where(linkId='q-3-2').answer.value")
    environment = Environment(resource=response, now=NOW, index=index, steps=20)
    assert made.evaluate(response, environment) == ["A text of Ada Example"]
