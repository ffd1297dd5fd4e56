from __future__ import annotations

import json
from typing import Any

import pytest

from fhir_service.fhir.issues import NotUnderstood
from fhir_service.sdc.responses import decode


def link_ids(*items: Any) -> list[str | None]:
    response = {"resourceType": "QuestionnaireResponse", "status": "completed", "item": items}
    with pytest.raises(NotUnderstood) as refusal:
        decode(json.dumps(response).encode())
    return [issue.link_id for issue in refusal.value.issues]


def test_a_finding_inside_an_answer_names_the_item() -> None:
    assert link_ids({"linkId": "a", "answer": [{"valueInteger": "3"}]}) == ["a"]


def test_a_finding_in_an_item_under_an_answer_names_the_inner_one() -> None:
    inner = {"linkId": "b", "answer": [{"valueNonsense": 1}]}
    assert set(link_ids({"linkId": "a", "answer": [{"valueInteger": 3, "item": [inner]}]})) == {
        "b"
    }


@pytest.mark.parametrize("name", [None, 7, "x" * 256])
def test_what_is_no_link_id_is_not_named(name: Any) -> None:
    item = {"linkId": name, "answer": [{"valueInteger": "3"}]}
    kept = {key: value for key, value in item.items() if value is not None}
    assert set(link_ids(kept)) == {None}
