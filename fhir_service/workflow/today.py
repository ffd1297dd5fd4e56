"""What the EHR says of itself today, kept and compared with what it said before.

Sites upgrade on dates of their own, so the CapabilityStatement and the SMART configuration are
read once a day; what changed is told, and the routes follow it.
http://hl7.org/fhir/R4/capabilitystatement.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, Literal, Protocol, get_args

import orjson

from fhir_service.workflow.ehr import Ehr, EhrTrouble
from fhir_service.workflow.plan import Plan, declared, plan
from fhir_service.workflow.site import Site
from fhir_service.workflow.targets import Target

Kind = Literal["capabilities", "smart"]
KINDS: tuple[Kind, ...] = get_args(Kind)

A_DAY = timedelta(days=1)
AGAIN = timedelta(seconds=30)
SOON = timedelta(minutes=5)
"""How long an EHR that could not be asked is left alone."""

_VOLATILE = ("date", "id", "meta", "text")


@dataclass(frozen=True, slots=True)
class Said:
    """One text that an EHR gave, from its first to its last day."""

    first_seen: datetime
    last_seen: datetime
    body: bytes

    def json(self) -> dict[str, Any]:
        """As a dictionary."""
        found: dict[str, Any] = json.loads(self.body)
        return found


class Statements(Protocol):
    """What EHRs said, kept."""

    def newest(self, base: str, kind: Kind, count: int = 2) -> tuple[Said, ...]:
        """The newest texts, newest first."""

    def keep(self, base: str, kind: Kind, body: bytes, now: datetime) -> bool:
        """Keep it, or note that the last was seen again; whether it differs from one before."""


def read_today(ehr: Ehr, statements: Statements, now: datetime) -> tuple[str, ...]:
    """Read both texts, keep them; what changed since the last time, in lines. Raises EhrTrouble.

    A text's own date does not count as a change.
    """
    changed = list[str]()
    for kind in KINDS:
        said = ehr.capabilities() if kind == "capabilities" else ehr.smart_configuration() or {}
        before = statements.newest(ehr.base, kind, 1)
        if statements.keep(ehr.base, kind, _steady(said), now) and before:
            changed += changes(kind, before[0].json(), said)
    return tuple(changed)


def changes(kind: Kind, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What the second text says that the first did not, and the other way round, in lines."""
    if kind == "smart":
        return list(_members("smart-configuration", before, after))
    found = [*_members("software", before.get("software", {}), after.get("software", {}))]
    found += _members("CapabilityStatement", _flat(before), _flat(after))
    for name in sorted(_types(before) | _types(after)):
        found += _type_changes(name, before, after)
    return found


def _type_changes(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    one, two = declared(before, name), declared(after, name)
    for what, old, new in (
        ("", one.interactions, two.interactions),
        ("search by ", one.parameters, two.parameters),
    ):
        for gone in sorted(old - new):
            yield f"{name}: {what}{gone} is gone"
        for come in sorted(new - old):
            yield f"{name}: {what}{come} is new"
    if one.conditional_create != two.conditional_create:
        yield f"{name}: conditional create is {'new' if two.conditional_create else 'gone'}"


def _members(where: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted({*before, *after}):
        if before.get(name) == after.get(name):
            continue
        if name not in after:
            yield f"{where}: {name} is gone"
        elif name not in before:
            yield f"{where}: {name} is new: {_short(after[name])}"
        else:
            yield f"{where}: {name} was {_short(before[name])}, is {_short(after[name])}"


def _flat(statement: Mapping[str, Any]) -> dict[str, Any]:
    return {key: statement[key] for key in ("fhirVersion", "format") if key in statement}


def _types(statement: Mapping[str, Any]) -> set[str]:
    return {
        str(resource.get("type"))
        for rest in statement.get("rest", ())
        for resource in rest.get("resource", ())
    }


def _short(value: Any) -> str:
    said = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return said if len(said) <= 80 else f"{said[:77]}..."  # noqa: PLR2004  a line's width


def _steady(said: Mapping[str, Any]) -> bytes:
    kept = {key: value for key, value in said.items() if key not in _VOLATILE}
    return orjson.dumps(kept, option=orjson.OPT_SORT_KEYS)


class Today:
    """The plan of a target at the site's EHR (workflow.deliver.Day), made anew once a day.

    ``tell`` is handed what changed. Threads may share it.
    """

    def __init__(
        self,
        site: Site,
        target: Target,
        statements: Statements,
        tell: Callable[[tuple[str, ...]], None] = lambda _: None,
    ) -> None:
        self._site = site
        self._target = target
        self._statements = statements
        self._tell = tell
        self._lock = Lock()
        self._plan: Plan | None = None
        self._until: datetime | None = None
        self._trouble: tuple[datetime, EhrTrouble] | None = None

    def plan(self) -> Plan:
        """As Day says. While the EHR can not be asked, what it said last holds.

        One that was never asked and does not answer is asked again half a minute later.
        """
        with self._lock:
            now = self._site.clock.now()
            if self._plan is None or self._until is None or now >= self._until:
                self._plan, self._until = self._asked(now)
            return self._plan

    def _asked(self, now: datetime) -> tuple[Plan, datetime]:
        if self._trouble is not None and now < self._trouble[0]:
            raise self._trouble[1]
        try:
            return self._made(now)
        except EhrTrouble as trouble:
            self._trouble = (now + AGAIN, trouble)
            raise

    def _made(self, now: datetime) -> tuple[Plan, datetime]:
        ehr = self._site.ehr
        if ehr is None or all(route.kind == "folder" for route in self._target.routes):
            return plan(self._target, None), now + A_DAY
        kept = self._statements.newest(ehr.base, "capabilities", 1)
        if kept and now < kept[0].last_seen + A_DAY:
            return plan(self._target, kept[0].json()), kept[0].last_seen + A_DAY
        try:
            changed = read_today(ehr, self._statements, now)
        except EhrTrouble:
            if not kept:
                raise
            return plan(self._target, kept[0].json()), now + SOON
        if changed:
            self._tell(changed)
        newest = self._statements.newest(ehr.base, "capabilities", 1)[0]
        return plan(self._target, newest.json()), now + A_DAY
