"""Our keys at the EHR are kept, rotated without a gap, and published by two generations."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import Any

from fhir_service.store.ehr_keys import EhrKeys
from fhir_service.store.opening import StoreDesk
from tests.support.records import NOON


class Moment:
    def __init__(self) -> None:
        self.now = NOON


def keys(desk: StoreDesk, moment: Moment, algorithm: str = "ES384") -> EhrKeys:
    numbers = count(1)

    def make() -> dict[str, Any]:
        return {"kid": f"{algorithm}-{next(numbers)}", "alg": algorithm}

    return EhrKeys(desk, algorithm, make, lambda: moment.now)


def test_the_first_key_is_made_once_and_kept(desk: StoreDesk) -> None:
    first, second = keys(desk, Moment()), keys(desk, Moment())
    assert first.signing() == second.signing() == first.published()[0]


def test_a_new_key_is_published_an_hour_before_it_signs(desk: StoreDesk) -> None:
    moment = Moment()
    mine = keys(desk, moment)
    old = mine.signing()
    moment.now += timedelta(days=30)
    kid = mine.rotate()
    assert [key["kid"] for key in mine.published()] == [kid, old["kid"]]
    assert mine.signing() == old
    moment.now += timedelta(minutes=59)
    assert mine.signing() == old
    moment.now += timedelta(minutes=1)
    assert mine.signing()["kid"] == kid


def test_two_generations_are_published_and_no_third(desk: StoreDesk) -> None:
    moment = Moment()
    mine = keys(desk, moment)
    kids = [mine.signing()["kid"], mine.rotate(), mine.rotate()]
    assert [key["kid"] for key in mine.published()] == [kids[2], kids[1]]


def test_each_algorithm_has_keys_of_its_own(desk: StoreDesk) -> None:
    moment = Moment()
    one, two = keys(desk, moment), keys(desk, moment, "RS384")
    assert (one.signing()["alg"], two.signing()["alg"]) == ("ES384", "RS384")
    assert len(one.published()) == 1
