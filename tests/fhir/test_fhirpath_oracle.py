"""Our engine beside fhirpathpy (MIT), on expressions that fhirpathpy is known to get right."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from fhirpathpy import evaluate
from fhirpathpy.models import models

from fhir_service.fhir.fhirpath import compile_expression
from tests.support.fhirpath import SDC_EXPRESSIONS, sdc_environment, sdc_response

NOT_THERE = ("sum()", "today()")
"""What fhirpathpy can not do, or does by a clock of its own."""

MORE = (
    "%resource.item.count()",
    "%resource.descendants().linkId.distinct().count()",
    "%resource.item.where(item.exists()).linkId",
    "%resource.item.item.where(answer.value.exists()).count()",
    "%resource.item.item.answer.value.ofType(decimal)",
    "%resource.item.item.answer.value.ofType(Coding).code.distinct()",
    "%resource.item.item.linkId.where($this.endsWith('-1'))",
    "%resource.item.item.text.select(substring(0, 10)).distinct()",
    "%resource.item.select(item.count()).distinct()",
    "%resource.item.first().item.last().linkId",
    "%resource.item.skip(7).linkId",
    "%resource.item.item.linkId.exclude('q-1-1' | 'q-1-2').count()",
    "%resource.item.item.linkId.intersect('q-1-1' | 'x')",
    "%resource.item.linkId.all(contains('-')) or %resource.status = 'completed'",
    "%resource.status in ('completed' | 'amended')",
    "iif(%resource.item.count() > 3, 'long', 'short')",
    "(1 | 2 | 3).aggregate($this + $total, 0)",
    "10 div 3 + 10 mod 3 - 2 * 2",
    "'a' & 'b' + 'c'",
    "(0.1 + 0.2) * 10",
    "@2026-03-14 > @2025",
    "'abc'.replace('b', '-').upper()",
    "%resource.item.item.answer.value.ofType(integer).where($this > 1).count()",
)


def _comparable(values: list[Any]) -> list[Any]:
    """Numbers as Decimal, so that 3 and 3.0 are one; nothing else is changed."""
    read: list[Any] = json.loads(
        json.dumps(values, default=str), parse_float=Decimal, parse_int=Decimal
    )
    return [Decimal(one) if isinstance(one, str) and _is_number(one) else one for one in read]


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdigit()


@pytest.mark.parametrize(
    "text", [one for one in (*SDC_EXPRESSIONS, *MORE) if not any(no in one for no in NOT_THERE)]
)
def test_two_engines_give_the_same(text: str) -> None:
    response = sdc_response()
    plain = json.loads(json.dumps(response, default=float))
    theirs = evaluate(plain, text, {"resource": plain}, models["r4"])
    mine = compile_expression(text).evaluate(response, sdc_environment(response))
    assert mine, "an expression that finds nothing proves nothing"
    assert _comparable(mine) == _comparable(theirs)
