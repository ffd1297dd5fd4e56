"""A HAPI FHIR R4 server of its own process, as the EHR and as the judge of what we send.

Use the fixture ``hapi`` (tests/interop/conftest.py); ``make interop`` fetches and compiles it.
https://hapifhir.io/hapi-fhir/docs/server_plain/introduction.html
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".cache" / "interop"


class Hapi:
    """The running server. ``base`` is its FHIR base; what it is sent it validates first."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.base = f"http://127.0.0.1:{port}/fhir"
        self._session = requests.Session()

    def validate(self, resource: Mapping[str, Any] | bytes) -> list[dict[str, Any]]:
        """The issues of severity error or fatal that HAPI finds; the resource is not kept."""
        return [one for one in self.findings(resource) if one["severity"] in ("error", "fatal")]

    def findings(self, resource: Mapping[str, Any] | bytes) -> list[dict[str, Any]]:
        """Every issue that HAPI finds."""
        body = resource if isinstance(resource, bytes) else json.dumps(resource).encode()
        url = f"http://127.0.0.1:{self.port}/validate"
        told = self._session.post(url, data=body, timeout=120).json()
        found: list[dict[str, Any]] = told.get("issue", [])
        return found

    def put(self, resource: Mapping[str, Any]) -> None:
        """Keep it under its id. Fails with HAPI's words when it is not valid."""
        self._must("PUT", f"{self.base}/{resource['resourceType']}/{resource['id']}", resource)

    def post(self, resource: Mapping[str, Any]) -> str:
        """Keep it under a new id, which is given back."""
        reply = self._must("POST", f"{self.base}/{resource['resourceType']}", resource)
        found = re.search(r"/([^/]+)/_history/", reply.headers["Location"])
        assert found is not None
        return found[1]

    def transaction(self, bundle: Mapping[str, Any]) -> dict[str, Any]:
        """The response Bundle of a transaction."""
        told: dict[str, Any] = self._must("POST", self.base, bundle).json()
        return told

    def read(self, resource_type: str, id_: str) -> dict[str, Any]:
        """What is kept."""
        reply = self._session.get(f"{self.base}/{resource_type}/{id_}", timeout=60)
        assert reply.status_code == 200, reply.text
        told: dict[str, Any] = reply.json()
        return told

    def search(self, resource_type: str, query: str = "") -> list[dict[str, Any]]:
        """What matches, the first hundred."""
        url = f"{self.base}/{resource_type}?_count=100&{query}"
        bundle = self._session.get(url, timeout=60).json()
        return [entry["resource"] for entry in bundle.get("entry", ())]

    def _must(self, method: str, url: str, resource: Mapping[str, Any]) -> requests.Response:
        headers = {"Content-Type": "application/fhir+json"}
        body = json.dumps(resource).encode()
        reply = self._session.request(method, url, data=body, headers=headers, timeout=120)
        assert reply.status_code < 300, reply.text
        return reply


def is_built() -> bool:
    """Whether the server was fetched and compiled (``.ci/interop-needs``)."""
    return (FOLDER / "classes" / "Main.class").exists() and (FOLDER / "lib").is_dir()


@contextmanager
def running(log: Path) -> Iterator[Hapi]:
    """The server on a free port of loopback until the end of the block."""
    command = [
        "java",
        "-Xmx1g",
        "-XX:TieredStopAtLevel=1",
        "-cp",
        os.pathsep.join((str(FOLDER / "classes"), str(FOLDER / "lib" / "*"))),
        "Main",
        "0",
    ]
    with log.open("wb") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("port "), log.read_text(encoding="utf-8")[-2000:]
        yield Hapi(int(line.split()[1]))
    finally:
        process.terminate()
        process.wait(20)
        if process.stdout is not None:
            process.stdout.close()
