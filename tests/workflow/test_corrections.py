"""A note that tells several responses, when one of them is taken back: the next tells the rest."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.delivering import Delivering, delivering
from tests.support.ehr import an_ehr
from tests.support.service import FORM_URL, short_form

OTHER = FORM_URL.replace("short-form", "other-form")


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Delivering]:
    with an_ehr(hang_seconds=1.3) as ehr, delivering(tmp_path, ehr, "plain") as made:
        other = {**short_form(), "url": OTHER, "name": "OtherForm", "title": "Another form"}
        assert made.running.send("POST", "/fhir/Questionnaire", other).status_code == 201
        yield made


def worry(text: str) -> list[dict[str, Any]]:
    return [
        {"linkId": "pain", "answer": [{"valueInteger": 3}]},
        {"linkId": "worry", "answer": [{"valueString": text}]},
    ]


def send(at: Delivering, text: str, *, other: bool = False, **changes: Any) -> str:
    url = OTHER if other else FORM_URL
    return at.send(questionnaire=f"{url}|1.0.0", item=worry(text), **changes)


def text_of(note: dict[str, Any]) -> str:
    return b64decode(note["content"][0]["attachment"]["data"]).decode()


def standing(at: Delivering) -> list[dict[str, Any]]:
    """The notes that no other replaces, and that nobody withdrew."""
    notes = at.notes()
    replaced = {
        one["target"]["reference"].split("/")[1]
        for note in notes
        for one in note.get("relatesTo", ())
    }
    return [n for n in notes if n["id"] not in replaced and n["status"] == "current"]


def test_the_note_of_both_is_replaced_by_one_of_what_is_left(at: Delivering) -> None:
    send(at, "The first stays")
    at.work()
    wrong = send(at, "The second is wrong", other=True)
    at.work()
    (note,) = standing(at)
    assert "The first stays" in text_of(note)
    assert "The second is wrong" in text_of(note)
    send(at, "The second is wrong", other=True, id_=wrong, status="entered-in-error")
    at.work()
    (note,) = standing(at)
    assert "The first stays" in text_of(note)
    assert "The second is wrong" not in text_of(note)


def test_what_is_left_is_amended_after_that_and_then_taken_back_too(at: Delivering) -> None:
    kept = send(at, "The first stays")
    wrong = send(at, "The second is wrong", other=True)
    at.work()
    send(at, "The second is wrong", other=True, id_=wrong, status="entered-in-error")
    at.work()
    send(at, "The first was amended", id_=kept, status="amended")
    at.work()
    (note,) = standing(at)
    assert "The first was amended" in text_of(note)
    assert "The second is wrong" not in text_of(note)
    send(at, "The first was amended", id_=kept, status="entered-in-error")
    at.work()
    assert standing(at) == []
    assert at.states()[-1] == ("delivered", "withdrawn")


def test_one_that_was_taken_back_before_it_was_sent_takes_no_other_with_it(
    at: Delivering,
) -> None:
    send(at, "The first stays")
    wrong = send(at, "The second is wrong", other=True)
    send(at, "The second is wrong", other=True, id_=wrong, status="entered-in-error")
    at.work()
    (note,) = at.notes()
    assert "The first stays" in text_of(note)
    assert "The second is wrong" not in text_of(note)


def test_a_note_from_before_the_wrong_one_is_left_as_it_is(at: Delivering) -> None:
    send(at, "The first stays")
    at.work()
    at.clock.later(seconds=-600)
    wrong = send(at, "The second is wrong", other=True)
    send(at, "The second is wrong", other=True, id_=wrong, status="entered-in-error")
    at.work()
    at.clock.later(seconds=600)
    at.work()
    (note,) = standing(at)
    assert "The first stays" in text_of(note)
    assert "The second is wrong" not in text_of(note)


def test_where_no_note_replaces_another_a_person_takes_the_wrong_one_out(tmp_path: Path) -> None:
    with (
        an_ehr(hang_seconds=1.3) as ehr,
        delivering(tmp_path, ehr, "plain") as made,
    ):
        own = tmp_path / "targets" / "plain.toml"
        said = own.read_text(encoding="utf-8")
        own.write_text(said.replace('"relates-to"', '"new-note"'), encoding="utf-8")
        other = {**short_form(), "url": OTHER, "name": "OtherForm", "title": "Another form"}
        assert made.running.send("POST", "/fhir/Questionnaire", other).status_code == 201
        send(made, "The first stays")
        wrong = send(made, "The second is wrong", other=True)
        made.work()
        send(made, "The second is wrong", other=True, id_=wrong, status="entered-in-error")
        made.work()
        assert made.states()[-1] == ("refused", "withdraw-by-hand")
        assert len(made.notes()) == 1
