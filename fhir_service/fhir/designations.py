"""The words of a member of a value set: in a language, and found again by what a person types.

http://hl7.org/fhir/R4/valueset-operation-expand.html (displayLanguage, filter)
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fhir_service.fhir.value_sets import Member

_WORDS = re.compile(r"\w+")


def languages(asked: str | None) -> tuple[str, ...]:
    """The tags asked for, the best first, each followed by its base: ``es-MX`` gives es-MX, es.

    Takes one tag, or a list as in Accept-Language with its weights; ``*`` says nothing.
    """
    weighed: list[tuple[float, str]] = []
    for one in (asked or "").split(","):
        tag, _, weight = one.strip().partition(";")
        try:
            value = float(weight.strip().removeprefix("q=") or 1)
        except ValueError:
            value = 0.0
        if tag.strip() not in {"", "*"} and value > 0:
            weighed.append((-value, tag.strip().lower()))
    wanted: list[str] = []
    for _, tag in sorted(weighed, key=lambda pair: pair[0]):
        wanted += [tag, tag.split("-", maxsplit=1)[0]]
    return tuple(dict.fromkeys(wanted))


def display(member: Member, wanted: Sequence[str]) -> str | None:
    """The word to show: in the first of these languages that it has, else the usual one.

    What the value set says goes before what the code system says. None when neither says any.
    """
    named = list(_names(member))
    for language in wanted:
        for tag, text in named:
            if tag == language or tag.split("-", maxsplit=1)[0] == language:
                return text
    listed = member.listed.get("display")
    return listed or (member.concept.display if member.concept else None)


def designations(member: Member) -> list[Mapping[str, Any]]:
    """All its other names, those of the value set first, each once."""
    made: list[Mapping[str, Any]] = []
    for one in _designations(member):
        if one not in made:
            made.append(one)
    return made


def texts(member: Member) -> list[str]:
    """Every word it goes by, its code not among them."""
    found = [member.listed.get("display"), member.concept.display if member.concept else None]
    found += [one.get("value") for one in _designations(member)]
    return list(dict.fromkeys(text for text in found if isinstance(text, str)))


def matches(member: Member, typed: str) -> bool:
    """Whether each word typed begins a word of one of its names, or is the beginning of its code.

    Letter case and accents make no difference.
    """
    words = _WORDS.findall(plain(typed))
    if not words:
        return True
    if plain(member.code).startswith(plain(typed).strip()):
        return True
    return any(_begins_each(words, _WORDS.findall(plain(text))) for text in texts(member))


def plain(text: str) -> str:
    """The text without letter case and accents, for comparing alone."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in parts if not unicodedata.combining(sign))


def _begins_each(words: Sequence[str], name: Sequence[str]) -> bool:
    return all(any(part.startswith(word) for part in name) for word in words)


def _names(member: Member) -> Iterator[tuple[str, str]]:
    """Language tag (lower case) and word, in the order of who has the say."""
    if member.language and member.listed.get("display"):
        yield member.language.lower(), member.listed["display"]
    yield from _tagged(member.listed.get("designation", ()))
    if member.concept:
        if member.system_language and member.concept.display:
            yield member.system_language.lower(), member.concept.display
        yield from _tagged(member.concept.designations())


def _tagged(given: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Designations with a language; those without a special use first."""
    tagged = [one for one in given if one.get("language") and one.get("value")]
    for one in sorted(tagged, key=_is_special):
        yield str(one["language"]).lower(), str(one["value"])


def _is_special(one: Mapping[str, Any]) -> bool:
    use = one.get("use")
    return isinstance(use, Mapping) and use.get("code", "display") != "display"


def _designations(member: Member) -> Iterator[Mapping[str, Any]]:
    yield from member.listed.get("designation", ())
    if member.concept:
        yield from member.concept.designations()
