"""The card: its size, its indicator, and that nobody's words become markup."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_service.catalogue.shipped import folder
from fhir_service.cds.cards import SUMMARY_BELOW, Ways, card, escaped
from fhir_service.cds.services import SERVICES, discovery
from fhir_service.fhir.reading import read_json
from fhir_service.summary.model import Section, Summary
from fhir_service.summary.visible import visible
from tests.support.summaries import PREVISIT, example, mapping, source, summary_of

PAGE = "https://answers.example.org/summary/response-1/"
LAUNCH = "https://answers.example.org/launch"


def card_of(summary: Summary, ways: Ways | None = None) -> dict[str, Any]:
    return card(summary, mapping().levels, "response-1", 1, ways or Ways(PAGE))


def typical(name: str = "typical") -> Summary:
    return summary_of(source(PREVISIT, example(PREVISIT, name)))


def without_flags(summary: Summary) -> Summary:
    return replace(summary, sections=tuple(s for s in summary.sections if s.kind.style != "flags"))


def flagged(summary: Summary, words: str) -> Summary:
    """The summary with the label of each flag replaced."""

    def changed(section: Section) -> Section:
        if section.kind.style != "flags":
            return section
        return replace(section, facts=tuple(replace(f, label=words) for f in section.facts))

    return replace(summary, sections=tuple(changed(section) for section in summary.sections))


def test_the_typical_card_says_the_worst_flag_and_where_the_summary_is() -> None:
    made = card_of(typical())
    assert made["indicator"] == "warning"
    assert made["summary"].startswith("Patient's answers of 2026-11-20; CALL NOW, ")
    assert made["source"]["label"]
    assert "**CALL NOW** Fever of 100.4°F" in made["detail"]
    assert "Not reviewed before this visit." in made["detail"]
    assert [link["type"] for link in made["links"]] == ["absolute"]
    assert all("appContext" not in link for link in made["links"])


def test_a_launch_is_offered_first_and_alone_has_a_context() -> None:
    smart, absolute = card_of(typical(), Ways(PAGE, LAUNCH))["links"]
    assert (smart["type"], smart["url"]) == ("smart", LAUNCH)
    assert smart["appContext"] == '{"response":"response-1"}'
    assert (absolute["type"], absolute["url"]) == ("absolute", PAGE)
    assert "appContext" not in absolute


@pytest.mark.parametrize(
    ("words", "indicator"), [("CALL 911", "critical"), ("CRISIS", "warning"), ("other", "warning")]
)
def test_a_card_is_critical_for_an_emergency_alone(words: str, indicator: str) -> None:
    assert card_of(flagged(typical(), words))["indicator"] == indicator


def test_without_a_flag_a_card_informs() -> None:
    made = card_of(without_flags(typical()))
    assert made["indicator"] == "info"
    assert "red flag" not in made["summary"]


@given(st.text(max_size=400))
def test_the_summary_stays_below_its_size_whatever_a_level_is_called(words: str) -> None:
    made = card_of(flagged(typical(), words))
    assert 0 < len(made["summary"]) < SUMMARY_BELOW
    assert "\n" not in made["summary"]


def test_the_same_answers_make_the_same_card_and_a_new_version_another() -> None:
    one = card(typical(), mapping().levels, "response-1", 1, Ways(PAGE))
    assert one == card(typical(), mapping().levels, "response-1", 1, Ways(PAGE))
    two = card(typical(), mapping().levels, "response-1", 2, Ways(PAGE))
    assert one["uuid"] != two["uuid"]


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;alert\\(1\\)&lt;/script&gt;"),
        ("[look](javascript:x)", "\\[look\\]\\(javascript\\:x\\)"),
        ("![x](//evil.example)", "\\!\\[x\\]\\(//evil.example\\)"),
        ("https://evil.example", "https\\://evil.example"),
        ("www.evil.example", "www\\.evil.example"),
        ("me@evil.example", "me\\@evil.example"),
        ("# head\n\n- item", "\\# head - item"),
        ("- item", "\\- item"),
        ("2019. item", "2019\\. item"),
        ("> said", "&gt; said"),
        ("a | b\n---|---", "a \\| b ---\\|---"),
        ("&lt;b&gt;", "&amp;lt;b&amp;gt;"),
        ("a\u202eb", "a&lt;U\\+202E&gt;b"),
        ("**bold** `code` ~~no~~", "\\*\\*bold\\*\\* \\`code\\` \\~\\~no\\~\\~"),
        ("It hurts: a lot", "It hurts: a lot"),
    ],
)
def test_hostile_words_stay_words(hostile: str, shown: str) -> None:
    assert escaped(hostile) == shown


@given(st.text(alphabet=st.characters(exclude_categories=("C", "Z")), max_size=200))
def test_words_can_be_read_back_whole(words: str) -> None:
    shown = escaped(words)
    read = html.unescape(re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", shown))
    assert read == " ".join(visible(words).split())
    assert not set("<>\n") & set(shown)


def test_long_words_are_cut_and_say_so() -> None:
    shown = escaped("word " * 500)
    assert len(shown) == 300
    assert shown.endswith("…")


def test_the_patients_words_in_a_card_are_escaped() -> None:
    path = folder("questionnaires") / PREVISIT / "responses" / "typical.json"
    words = b"My back has hurt", b"<b>My back</b> [has](http://x) hurt"
    response = read_json(path.read_bytes().replace(*words))
    made = card_of(summary_of(source(PREVISIT, response)))
    assert "&lt;b&gt;My back" in made["detail"]
    assert "<b>" not in made["detail"]
    assert "](" not in made["detail"]


def test_the_discovery_names_each_hook_once() -> None:
    services = discovery()["services"]
    assert {s["hook"] for s in services} == {"patient-view", "encounter-start", "appointment-book"}
    assert len({s["id"] for s in services}) == len(SERVICES)
    assert all(s["description"] and "prefetch" not in s for s in services)
