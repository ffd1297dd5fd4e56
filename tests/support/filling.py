"""A patient at the page, without a browser: opens a link, reads the page's form, sends it back."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from typing import Any

from flask.testing import FlaskClient
from typing_extensions import override
from werkzeug.test import TestResponse

from fhir_service.workflow.links import create_link
from tests.support.service import BASE_URL, Running

ADA = {
    "resourceType": "Patient",
    "id": "ada-example",
    "name": [{"family": "Example", "given": ["Ada"]}],
    "birthDate": "1951-03-27",
}
BORN = {"day": "27", "month": "3", "year": "1951", "who": "patient"}


@dataclass
class Form(HTMLParser):
    """The form of a page: its fields as a browser would send them, and what can be chosen."""

    fields: list[tuple[str, str]] = field(default_factory=list)
    choices: dict[str, list[str]] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)
    area: str | None = None
    select: str | None = None

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name, value = given.get("name") or "", given.get("value") or ""
        if tag == "textarea":
            self.area = name
            self.fields.append((name, ""))
        elif tag == "select":
            self.select = name
        elif tag == "option" and self.select is not None:
            self.choices.setdefault(self.select, []).append(value)
            if "selected" in given:
                self.fields.append((self.select, value))
        elif tag == "button":
            self.buttons.append((name, value))
        elif tag == "input" and given.get("type") in ("radio", "checkbox"):
            self.choices.setdefault(name, []).append(value)
            if "checked" in given:
                self.fields.append((name, value))
        elif tag == "input" and given.get("type") != "file":
            self.fields.append((name, value))

    @override
    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self.area = None
        elif tag == "select":
            self.select = None

    @override
    def handle_data(self, data: str) -> None:
        if self.area is not None:
            name, value = self.fields.pop()
            self.fields.append((name, value + data.removeprefix("\n") if not value else data))


@dataclass
class AtThePage:
    """One browser. ``base`` is the address of the response that it fills."""

    running: Running
    client: FlaskClient
    base: str = ""
    last: TestResponse | None = None

    def open(self, address: str, **who: str) -> None:
        """Open a link with the right date of birth; ``who`` answers, where it is a helper."""
        path = address.removeprefix(BASE_URL)
        csrf = re.search(r'name="csrf" value="([^"]+)"', self.client.get(path).text)
        assert csrf is not None
        entered = self.client.post(path, data={"csrf": csrf[1], **BORN, **who})
        assert entered.status_code == 303, entered.text
        to = self.client.get("/forms/").headers["Location"]
        self.base = to.removeprefix(BASE_URL)

    def begin(self) -> None:
        """Press Start."""
        self.send("", {})

    def get(self, below: str = "", **query: str) -> str:
        """A page below the response, as text."""
        self.last = self.client.get(self._path(below), query_string=query)
        assert self.last.status_code == 200, (below, self.last.status_code, self.last.text[:500])
        return self.last.text

    def form(self, below: str) -> Form:
        """The form of a page."""
        made = Form()
        made.feed(self.get(below))
        return made

    def send(
        self, below: str, values: Mapping[str, Any], *, go: str = "next", form: Form | None = None
    ) -> TestResponse:
        """Send a page's form with these values in place of what stands in it."""
        form = form or self.form(below)
        data: dict[str, Any] = {}
        for name, value in form.fields:
            data.setdefault(name, []).append(value)
        data |= {name: value for name, value in values.items() if value is not None}
        self.last = self.client.post(self._path(below), data={**data, "go": go})
        return self.last

    def errors(self) -> list[str]:
        """What the summary of problems on the last page says."""
        assert self.last is not None
        return [
            unescape(one) for one in re.findall(r'<li><a href="[^"]*">(.*?)</a>', self.last.text)
        ]

    def stored(self) -> dict[str, Any]:
        """The response as it is stored now."""
        id_ = self.base.rpartition("/")[2]
        reply = self.running.send("GET", f"/fhir/QuestionnaireResponse/{id_}")
        assert reply.status_code == 200, reply.text
        body: dict[str, Any] = json.loads(reply.data)
        return body

    def _path(self, below: str) -> str:
        return f"{self.base}/{below}" if below else self.base


def a_link(running: Running, canonical: str) -> str:
    """The address of a new link of Ada Example to this form (url|version)."""
    caller = running.service.door.caller(running.token())
    made = create_link(
        running.service.site, caller, patient="ada-example", questionnaire=canonical
    )
    return made.address


def at_the_page(running: Running, canonical: str) -> AtThePage:
    """A patient who has opened her link and pressed Start."""
    there = AtThePage(running, running.client.application.test_client())
    there.open(a_link(running, canonical))
    there.begin()
    return there
