"""Which of the scopes that a client asks for it is given.

https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html and
https://hl7.org/fhir/smart-app-launch/backend-services.html
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from fhir_service.fhir.issues import NotUnderstood
from fhir_service.smart.scopes import (
    LAUNCHING,
    SIGNING_IN,
    STAYING,
    Scope,
    is_within,
    names_resource,
    narrowed_to,
    read_scope,
    read_scopes,
    scope_words,
)

_SAID_APART = SIGNING_IN | STAYING | LAUNCHING


def backend_scope(asked: str | None, registered: str) -> str:
    """The scopes of a backend token: exactly what was asked for, or all that is registered.

    A backend has the system level alone, and is refused rather than given less than it asked
    for: nobody is there to notice. Raises NotUnderstood.
    """
    allowed = _resources(registered)
    if not asked or not asked.strip():
        words = [one.spelled() for one in allowed if one.level == "system"]
    else:
        words = list(scope_words(asked))
        for word in words:
            scope = read_scope(word)
            if scope.level != "system":
                raise NotUnderstood("A backend service is given scopes of the system level alone.")
            if not is_within(scope, allowed):
                raise NotUnderstood(f"The client is not registered for {word}.")
    granted = " ".join(words)
    read_scopes(granted)
    return granted


def app_scope(asked: str | None, registered: str) -> str:
    """The scopes that an app is given of those it asked for: never more than is registered.

    What is no scope, or not registered, is left out, and the token's ``scope`` says so. Raises
    NotUnderstood when no resource is left.
    """
    allowed = [one for one in _resources(registered) if one.level != "system"]
    known = set(scope_words(registered)) & _SAID_APART
    granted: list[str] = []
    for word in scope_words(asked or registered):
        if not names_resource(word):
            granted += [word] if word in known else []
        else:
            granted += _narrowed(word, allowed)
    if "openid" not in granted:
        granted = [word for word in granted if word not in SIGNING_IN]
    text = " ".join(dict.fromkeys(granted))
    read_scopes(text)
    return text


def within_person(scope: str, person: str, *, is_patient: bool) -> str:
    """The part of an app's scopes that the person at the screen may do herself.

    A patient hands on what she may see of her own record; of staff each ``user`` scope goes for a
    patient whom they pick as well. Raises NotUnderstood when no resource is left.
    """
    own = _resources(person)
    allowed = [one for one in own if one.level == "patient"]
    if not is_patient:
        staff = [one for one in own if one.level == "user"]
        allowed += [*staff, *(replace(one, level="patient") for one in staff)]
    granted: list[str] = []
    for word in scope_words(scope):
        granted += _narrowed(word, allowed) if names_resource(word) else [word]
    text = " ".join(dict.fromkeys(granted))
    read_scopes(text)
    return text


def refreshed_scope(asked: str | None, granted: str) -> str:
    """The scopes of a refreshed token: what was granted, or the part of it that is asked for.

    https://www.rfc-editor.org/rfc/rfc6749#section-6  Raises NotUnderstood for more than that.
    """
    if not asked or not asked.strip():
        return granted
    words, before = scope_words(asked), set(scope_words(granted))
    allowed = _resources(granted)
    for word in words:
        if word in before:
            continue
        if not names_resource(word) or not is_within(read_scope(word), allowed):
            raise NotUnderstood(f"{word} was not granted before.")
    read_scopes(asked)
    return " ".join(words)


def must_be_registrable(scope: str) -> None:
    """Refuse scopes that a client can not be registered for. Raises NotUnderstood."""
    for word in scope_words(scope):
        if names_resource(word):
            read_scope(word)
        elif word not in _SAID_APART:
            raise NotUnderstood(f"{word} is no scope of this server.")
    read_scopes(scope)


def _resources(scope: str) -> tuple[Scope, ...]:
    return tuple(read_scope(word) for word in scope_words(scope) if names_resource(word))


def _narrowed(word: str, allowed: Iterable[Scope]) -> list[str]:
    try:
        scope = read_scope(word)
    except NotUnderstood:
        return []
    parts = [part for one in allowed if (part := narrowed_to(scope, one)) is not None]
    if scope in parts:
        return [word]
    return [part.spelled() for part in parts]
