"""Whatever an expression says, it ends soon, and with a result or an ExpressionError."""

from __future__ import annotations

from decimal import Decimal
from time import process_time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_service.fhir.fhirpath import (
    Environment,
    ExpressionError,
    ResponseIndex,
    TooCostly,
    compile_expression,
)
from fhir_service.fhir.fhirpath.registry import FUNCTIONS
from tests.support.cpu import within
from tests.support.fhirpath import NOW, sdc_environment, sdc_response

ATOMS = [
    "1", "0", "2147483647", "1.5", "1000000000000000000000.5", "'a'", "''", "'2026-01-01'",
    "'1", "day'", "'b('", "true", "false", "{}", "@2026", "@2024-02-29",
    "@2026-01-01T10:00:00.1+14:00", "@9999-12-31T23:59:59.9Z", "@T10", "1day", "3months",
    "2'kg'", "3'foo'", "99999999999.9's'", "4'Cel'", "$this", "$index", "$total", "%resource",
    "%context", "%x", "(1|2|3)", "(1|'a'|true|@2026|1day)", "linkId", "item", "answer",
    "item.answer.value", "children()", "descendants()", "text",
]  # fmt: skip
OPERATORS = [
    "+", "-", "*", "/", "div", "mod", "&", "|", "=", "!=", "~", "!~", "<", "<=", ">", ">=",
    "and", "or", "xor", "implies", "in", "contains", "is", "as",
]  # fmt: skip
TYPES = ("Quantity", "string", "System.String", "Coding", "Integer", "Resource")


def _combined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    def called(name: str) -> st.SearchStrategy[str]:
        found = FUNCTIONS[name]
        arguments = st.lists(inner, min_size=found.least, max_size=found.most).map(", ".join)
        return st.builds(lambda on, given: f"({on}).{name}({given})", inner, arguments)

    return st.one_of(
        st.sampled_from(sorted(FUNCTIONS)).flatmap(called),
        st.builds(
            lambda a, sign, b: f"({a}) {sign} ({b})", inner, st.sampled_from(OPERATORS), inner
        ),
        st.builds(lambda on, by: f"({on}).sort(-({by}))", inner, inner),
        st.builds(lambda on, by: f"({on})[{by}]", inner, inner),
        st.builds(lambda on, name: f"({on}).ofType({name})", inner, st.sampled_from(TYPES)),
        inner.map("-({})".format),
    )


expressions = st.recursive(st.sampled_from(ATOMS), _combined, max_leaves=6)


def _odd_response() -> dict[str, Any]:
    """A response with numbers at the edge of what JSON can say, and values of the wrong type."""
    made = sdc_response(groups=2, questions=2)
    made["item"][0]["_linkId"] = {"extension": [{"url": "u", "valueDecimal": Decimal("1E+400")}]}
    answers = [
        {"valueQuantity": {"value": Decimal("1E+999999"), "unit": "kg"}},
        {"valueDecimal": Decimal("1E-999999")},
        {"valueDecimal": Decimal("-9E+999999")},
        {"valueInteger": 10**17},
        {"valueDate": "no date"},
        {"valueBoolean": "yes"},
        {"valueCoding": ["a", {"": None}]},
    ]
    made["item"].append({"linkId": "odd", "answer": answers, "": {"_": []}})
    return made


ODD = _odd_response()


def _outcome(text: str, environment: Environment) -> list[Any] | ExpressionError:
    try:
        return compile_expression(text).evaluate(ODD, environment)
    except ExpressionError as error:
        return error


@settings(max_examples=200, deadline=None)
@given(expressions)
def test_any_expression_ends_with_a_result_or_an_expression_error(text: str) -> None:
    _must_end(text)


@pytest.mark.long
@settings(max_examples=20_000, deadline=None)
@given(expressions)
def test_any_of_very_many_expressions_ends_so(text: str) -> None:
    _must_end(text)


def _must_end(text: str) -> None:
    for index in (None, ResponseIndex(ODD)):
        environment = Environment(resource=ODD, now=NOW, variables={"x": [1, "a"]}, index=index)
        assert isinstance(_outcome(text, environment), list | ExpressionError)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="aAxe1290.'\"`\\%$@T:-+()[]{}|&=<>!~,/* \n", max_size=60))
def test_any_text_is_read_or_refused_at_a_place_in_it(text: str) -> None:
    found = _outcome(text, Environment(resource=ODD, now=NOW))
    if isinstance(found, ExpressionError):
        assert found.position is None or 0 <= found.position <= len(text)


@pytest.mark.parametrize(
    "text",
    [
        "descendants().where(%resource.descendants().where(linkId='x').exists()).count()",
        "repeat(item).select(%resource.repeat(item)).count()",
        "descendants().select($this.descendants()).distinct().count()",
        "descendants().skip(1) ~ descendants().tail()",
        "repeat($this | item)",
        "descendants().select(@2012-01-01T10:00:00Z + 1 month + 3 days = now()).allTrue()",
        "descendants().select(1 '[lb_av]' + 3 'kg' > 2 'g').allTrue()",
        "descendants().select(linkId.matches('x{1,9}' & linkId)).count()",
        "descendants().select(2.5.power(3.3).exp().ln()).count()",
        "descendants().aggregate($total | $this | $total)",
        "('a').repeat($this & $this & 'b')",
        "('a').repeat($this & 'b')",
    ],
)
def test_an_expression_that_explodes_is_stopped_within_a_second(text: str) -> None:
    response = sdc_response(groups=400, questions=30)

    def explode() -> None:
        with pytest.raises(TooCostly):
            compile_expression(text).evaluate(response, sdc_environment(response, indexed=False))

    within(1, explode)


@pytest.mark.parametrize(
    "text",
    ["(" * 41 + "1" + ")" * 41, "-" * 60 + "1", "iif(" * 41, "a" * 20_001, "{" * 5_000],
    ids=["brackets", "signs", "calls", "length", "braces"],
)
def test_an_expression_over_a_limit_is_refused_before_it_runs(text: str) -> None:
    with pytest.raises(ExpressionError):
        compile_expression(text)


def test_an_expression_just_within_the_limits_runs() -> None:
    environment = Environment(now=NOW)
    assert compile_expression("(" * 39 + "1" + ")" * 39).evaluate([], environment) == [1]
    assert compile_expression("1" + "+1" * 9_000).evaluate([], environment) == [9_001]
    assert compile_expression("a" + ".a" * 9_000).evaluate([], environment) == []


def test_a_pattern_that_would_run_for_ever_elsewhere_runs_in_no_time() -> None:
    text = "x" * 50_000 + "!"
    began = process_time()
    made = compile_expression("$this.matches('(x+x+)+y')")
    assert made.evaluate([text], Environment(now=NOW)) == [False]
    assert process_time() - began < 1


def test_a_number_too_large_for_an_integer_costs_nothing() -> None:
    began = process_time()
    for name in ("floor", "ceiling", "truncate", "round"):
        compile_expression(f"$this.{name}()").evaluate(
            [Decimal("1E+999999")], Environment(now=NOW)
        )
    assert process_time() - began < 1


def test_steps_are_counted_to_the_last() -> None:
    made = compile_expression("(1|2|3).where($this > 1)")
    needed = next(
        steps for steps in range(1, 1_000) if _runs(made.text, Environment(now=NOW, steps=steps))
    )
    assert not _runs(made.text, Environment(now=NOW, steps=needed - 1))


def _runs(text: str, environment: Environment) -> bool:
    try:
        compile_expression(text).evaluate([], environment)
    except TooCostly:
        return False
    return True
