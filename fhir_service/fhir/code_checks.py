"""$validate-code and $lookup: is this a code of that value set, and what is known of it.

http://hl7.org/fhir/R4/valueset-operation-validate-code.html,
http://hl7.org/fhir/R4/codesystem-operation-lookup.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fhir_service.fhir.code_systems import CodeSystem, Concept
from fhir_service.fhir.designations import display, languages, plain, texts
from fhir_service.fhir.issues import Issue, NotHere, NotUnderstood
from fhir_service.fhir.parameters import Accepts, parameter, parameters, parts
from fhir_service.fhir.terminology import Json, Sources
from fhir_service.fhir.value_set_filters import cannot
from fhir_service.fhir.value_sets import Composer, Member
from fhir_service.fhir.value_sets import parts as compose_parts

VALIDATE_CODE: Mapping[str, Accepts] = {
    "url": Accepts("uri"),
    "valueSet": Accepts("resource"),
    "valueSetVersion": Accepts("string"),
    "code": Accepts("code"),
    "system": Accepts("uri"),
    "systemVersion": Accepts("string"),
    "display": Accepts("string"),
    "coding": Accepts("Coding"),
    "codeableConcept": Accepts("CodeableConcept"),
    "abstract": Accepts("boolean"),
    "displayLanguage": Accepts("code"),
}

LOOKUP: Mapping[str, Accepts] = {
    "code": Accepts("code"),
    "system": Accepts("uri"),
    "version": Accepts("string"),
    "coding": Accepts("Coding"),
    "displayLanguage": Accepts("code"),
    "property": Accepts("code", many=True),
}


@dataclass(frozen=True, slots=True)
class _Told:
    """What is found for one Coding; ``result`` None: it can not be told."""

    result: bool | None
    says: str | None = None
    display: str | None = None


def validate_code(value_set: Json, given: Mapping[str, Any], composer: Composer) -> dict[str, Any]:
    """The Parameters (result, message, display) for the code in ``given``.

    ``given`` is what read_parameters makes of VALIDATE_CODE. A CodeableConcept is good when one
    of its codings is. Raises NotUnderstood when not exactly one code is given, and NotValid
    (``not-supported``) when it can not be told.
    """
    codings = _codings(given)
    told = [_check(value_set, one, given, composer) for one in codings]
    best = next((one for one in told if one.result), None)
    if best is None:
        if any(one.result is None for one in told):
            raise cannot(
                "It can not be told whether the code is in the value set: a code system or value "
                "set that it is made of is not stored here in full.",
                "code-system-unknown",
            )
        best = told[0]
    return parameters(
        parameter("result", "boolean", best.result),
        parameter("message", "string", best.says) if best.says else None,
        parameter("display", "string", best.display) if best.display else None,
    )


def lookup(given: Mapping[str, Any], sources: Sources) -> dict[str, Any]:
    """The Parameters (name, version, display, designation, property) of one code.

    Raises NotUnderstood when code and system are not given once, NotHere when the code system is
    not stored or has no such code.
    """
    coding = _lookup_coding(given)
    system = sources.code_system(coding["system"], coding.get("version"))
    if system is None:
        raise NotHere(f"The code system {coding['system']} is not stored here.")
    concept = system.concept(coding["code"])
    if concept is None:
        raise NotHere(f"{system.url} has no code {coding['code']!r}.")
    wanted = languages(given.get("displayLanguage"))
    named = display(_as_member(system, concept), wanted) or concept.code
    asked = set(given.get("property", ()))
    return parameters(
        parameter("name", "string", system.name),
        parameter("version", "string", system.version) if system.version else None,
        parameter("display", "string", named),
        *(_designation(one) for one in concept.designations() if _is_named(one, asked)),
        *(one for one in _properties(system, concept) if _is_wanted(one, asked)),
    )


def _codings(given: Mapping[str, Any]) -> list[Json]:
    """The codings to check, at least one, each with system and code."""
    if sum(name in given for name in ("code", "coding", "codeableConcept")) != 1:
        raise _unfit("Exactly one of code (with system), coding, codeableConcept is given.")
    if "code" in given:
        if "system" not in given:
            raise _unfit("A code is given with its system.")
        made = {"system": given["system"], "code": given["code"]}
        for name, element in (("systemVersion", "version"), ("display", "display")):
            if name in given:
                made[element] = given[name]
        return [made]
    if "coding" in given:
        codings = [given["coding"]]
    else:
        listed = given["codeableConcept"].get("coding")
        codings = listed if isinstance(listed, list) else []
    if not codings:
        raise _unfit("The CodeableConcept has no coding to check.")
    for one in codings:
        _must_be_coding(one)
    return codings


def _lookup_coding(given: Mapping[str, Any]) -> Json:
    if ("code" in given) == ("coding" in given):
        raise _unfit("Either code with system, or coding is given.")
    if "coding" in given:
        coding: Json = given["coding"]
    else:
        coding = {k: given[k] for k in ("system", "code", "version") if k in given}
    _must_be_coding(coding)
    return coding


def _must_be_coding(one: Any) -> None:
    if not isinstance(one, Mapping):
        raise _unfit("A coding is an object.")
    for name in ("system", "code"):
        if not isinstance(one.get(name), str) or not one[name]:
            raise _unfit(f"A coding to check has a {name}.")
    for name in ("version", "display"):
        if name in one and not isinstance(one[name], str):
            raise _unfit(f"The {name} of a coding is text.")


def _unfit(says: str) -> NotUnderstood:
    return NotUnderstood(says, Issue(key="parameter", code="required", says=says))


def _check(value_set: Json, coding: Json, given: Mapping[str, Any], composer: Composer) -> _Told:
    url, code = coding["system"], coding["code"]
    told = composer.has(value_set, url, code)
    if told is None:
        return _Told(None)
    if not told:
        name = value_set.get("title") or value_set.get("name") or value_set.get("url") or "given"
        return _Told(False, f"The code {code!r} of {url} is not in the value set {name}.")
    member = _member(value_set, coding, composer)
    best = display(member, languages(given.get("displayLanguage")))
    objection = _objection(member, coding, best, abstract=given.get("abstract", False))
    if objection is not None:
        return _Told(False, objection, best)
    hint = f"The code {code!r} of {url} is out of use." if member.inactive else None
    return _Told(True, hint, best)


def _objection(member: Member, coding: Json, best: str | None, *, abstract: bool) -> str | None:
    """What is wrong with this coding of a member: its version, its use, its display; or None."""
    told = f"The code {member.code!r} of {member.system}"
    if "version" in coding and member.version not in {None, coding["version"]}:
        return f"{told} is in the value set in version {member.version} of its system."
    if member.abstract and not abstract:
        return f"{told} groups others and is not to be chosen."
    names = {_plain(one) for one in texts(member)}
    if "display" in coding and names and _plain(coding["display"]) not in names:
        return f"{told} is in the value set, but its display is {best!r}."
    return None


def _member(value_set: Json, coding: Json, composer: Composer) -> Member:
    """The member with all that is said of it; the words of the value set where they can be had."""
    url, code = coding["system"], coding["code"]
    system = composer.sources.code_system(url, None, value_set)
    concept = system.concept(code) if system else None
    known = concept.code if concept else code
    for part in compose_parts(value_set.get("compose", {}), "include"):
        if part.get("system") == url:
            for one in part.get("concept", ()):
                if one.get("code") == known:
                    return Member(
                        url,
                        known,
                        part.get("version"),
                        concept,
                        system.language if system else None,
                        one,
                        value_set.get("language"),
                    )
    if system is not None and concept is not None:
        return _as_member(system, concept)
    return Member(url, code)


def displays(value_set: Json, coding: Json, composer: Composer) -> tuple[str, ...]:
    """Every word that a member (system and code) goes by, the usual one first; () for none."""
    return tuple(texts(_member(value_set, coding, composer)))


def same_display(one: str, other: str) -> bool:
    """Whether two displays say the same; letter case, accents and spaces make no difference."""
    return _plain(one) == _plain(other)


def _as_member(system: CodeSystem, concept: Concept) -> Member:
    return Member(system.url, concept.code, system.version, concept, system.language)


def _plain(text: str) -> str:
    """A display as compared: letter case, accents and runs of spaces make no difference."""
    return " ".join(plain(text).split())


def _designation(one: Json) -> dict[str, Any]:
    return parts(
        "designation",
        parameter("language", "code", one["language"]) if "language" in one else None,
        parameter("use", "Coding", one["use"]) if "use" in one else None,
        parameter("value", "string", one.get("value", "")),
    )


def _is_named(one: Json, asked: set[str]) -> bool:
    language = str(one.get("language", ""))
    return not asked or "designation" in asked or f"lang.{language}" in asked


def _is_wanted(one: Json, asked: set[str]) -> bool:
    return not asked or one["part"][0]["valueCode"] in asked


def _properties(system: CodeSystem, concept: Concept) -> Sequence[dict[str, Any]]:
    """What the code system says of the concept, one entry for each value."""
    made: list[dict[str, Any]] = []
    if isinstance(concept.raw.get("definition"), str):
        made.append(_property("definition", "valueString", concept.raw["definition"]))
    made += [_property("parent", "valueCode", code) for code in concept.parents]
    made += [
        _property("child", "valueCode", code) for code in system.children.get(concept.code, ())
    ]
    for one in concept.properties():
        element = next((key for key in one if key.startswith("value")), None)
        code = one.get("code")
        if element and isinstance(code, str) and code not in {"parent", "child"}:
            made.append(_property(code, element, one[element]))
    return made


def _property(code: str, element: str, value: Any) -> dict[str, Any]:
    return parts("property", parameter("code", "code", code), {"name": "value", element: value})
