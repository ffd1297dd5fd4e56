"""What tokens cost: issuing one, checking one on a stored response, turning down a bad one."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from fhir_service.smart.assertions import (
    Algorithm,
    client_key_set,
    new_client_key,
    public_client_keys,
)
from fhir_service.store import record
from fhir_service.store.opening import StoreDesk
from fhir_service.workflow import sign_in
from tests.benchmarks import forty
from tests.benchmarks.measuring import a_submission, cost, middle, publish_form
from tests.benchmarks.processes import ROOT, Server, service, token
from tests.benchmarks.reporting import Report
from tests.support.service import Running, start

ROUNDS = 5
TIMES = 150
WARM_UP = 150
NO_LIMIT = {"FHIR_SERVICE_AUTH_REQUESTS_PER_MINUTE": "0"}
CONNECTIONS = 8
"""As backends ask: several at once, so that what they have used is written down together."""

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def run(report: Report) -> None:
    """CPU of the server process, as ratios to what was measured beside it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        keys = {
            "es": new_client_key("es", "ES384"),
            "rs": new_client_key("rs", "RS384"),
        }
        _SIGNING["es"] = ECKey.import_key(dict(keys["es"]))
        _SIGNING["rs"] = RSAKey.import_key(dict(keys["rs"]))
        _register(folder, keys)
        with service(folder, NO_LIMIT) as server:
            allowed = token(folder)
            publish_form(server, allowed)
            _issuing(report, server, keys)
            _floods(report, server, allowed)
    with tempfile.TemporaryDirectory() as name:
        _check_and_audit(report, Path(name))


def _register(folder: Path, keys: dict[str, dict[str, object]]) -> None:
    file = folder / "jwks.json"
    file.write_text(json.dumps(public_client_keys(list(keys.values()))))
    command = [sys.executable, "-m", "fhir_service", "client", "add", "bench", "--backend"]
    command += ["--scope", "system/*.cruds", "--jwks", str(file)]
    subprocess.run(command, env={"FHIR_SERVICE_DATA_DIR": str(folder)}, cwd=ROOT, check=True)


def _issuing(report: Report, server: Server, keys: dict[str, dict[str, object]]) -> None:
    url = f"http://127.0.0.1:{server.port}/auth/token"
    algorithms: tuple[tuple[str, Algorithm, float | None], ...] = (
        ("es", "ES384", 3.0),
        ("rs", "RS384", None),
    )
    for kind, algorithm, goal in algorithms:
        key = keys[kind]

        def asks(count: int, key: dict[str, object] = key) -> list[bytes]:
            return [_ask(key, url) for _ in range(count)]

        cost(server, asks(WARM_UP), WARM_UP, 200)
        verifying = client_key_set(public_client_keys([key])["keys"])
        shown = _assertion(key, url)
        ratios, spent = [], []
        for _ in range(ROUNDS):
            prepared = asks(TIMES)
            check = _cpu(lambda: jwt.decode(shown, verifying, algorithms=[algorithm]), TIMES)  # noqa: B023
            spent.append(cost(server, prepared, TIMES, 200, CONNECTIONS))
            ratios.append(spent[-1] / check)
        report.note(f"a backend token by {algorithm}: {middle(spent):.2f} ms of CPU")
        name = f"issuing a backend token, against the check of its {algorithm} signature"
        report.figure(name, middle(ratios), goal)


def _floods(report: Report, server: Server, allowed: str) -> None:
    good = a_submission(allowed)
    header, claims, _ = allowed.split(".")
    body = forty.body(forty.response())
    kinds: dict[str, Callable[[int], str]] = {
        "rubbish": lambda n: f"rubbish-{n}",
        "a foreign signature": lambda n: f"{header}.{claims}.{n:086d}",
    }
    cost(server, good, WARM_UP, 201)
    for kind, made in kinds.items():
        ratios = []
        for turn in range(ROUNDS):
            many = 4 * TIMES  # each costs little, and CPU is told in hundredths of a second
            bad = [a_submission(made(turn * many + n), body) for n in range(many)]
            refused = cost(server, bad, len(bad), (401, 429))
            ratios.append(refused / cost(server, good, TIMES, 201))
        report.figure(f"a bad token ({kind}), against a good one", middle(ratios), 1 / 3)


def _check_and_audit(report: Report, folder: Path) -> None:
    """The same response stored, with the check of the token and the audit line, and without."""
    running = start(folder)
    form = forty.form()
    assert running.send("PUT", f"/fhir/Questionnaire/{form['id']}", form).status_code in (200, 201)
    allowed = running.token()
    for at_once, goal in ((CONNECTIONS, 15.0), (1, None)):
        _compare(report, running, allowed, at_once, goal)
    running.close()


def _compare(
    report: Report, running: Running, allowed: str, at_once: int, goal: float | None
) -> None:
    _stored(running, allowed, at_once)
    _without_both(running, allowed, at_once)
    lines = _audit_lines(running)
    with_both, without = [], []
    for turn in range(2 * ROUNDS):
        first, second = (_stored, _without_both) if turn % 2 else (_without_both, _stored)
        one, other = first(running, allowed, at_once), second(running, allowed, at_once)
        with_both.append(one if turn % 2 else other)
        without.append(other if turn % 2 else one)
    written = _audit_lines(running) - lines
    assert written == 2 * ROUNDS * TIMES, f"{written} audit lines: what is measured is not that"
    added = min(with_both) / min(without) - 1  # the least is what other work disturbed least
    report.note(f"with {min(with_both):.3f} ms, without {min(without):.3f} ms of CPU")
    name = f"token check and audit, added to a stored response, {at_once} at once"
    report.figure(name, added * 100, goal, "%")


def _audit_lines(running: Running) -> int:
    ((count,),) = running.service.store.database.rows("SELECT count(*) FROM audit")
    return int(count)


def _stored(running: Running, allowed: str, at_once: int) -> float:
    body = forty.body(forty.response())
    headers = {"Authorization": f"Bearer {allowed}", "Content-Type": "application/fhir+json"}
    path = "/fhir/QuestionnaireResponse"

    def post(_: int) -> None:
        client = running.client.application.test_client()
        reply = client.post(path, data=body, headers=headers)
        assert reply.status_code == 201, reply.text

    began = time.process_time()
    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(post, range(TIMES)))
    return (time.process_time() - began) / TIMES * 1000


def _without_both(running: Running, allowed: str, at_once: int) -> float:
    """As _stored, with a door that lets everybody in and a record that writes no audit line."""
    known = running.service.door.caller(allowed)
    with pytest.MonkeyPatch.context() as instead:
        instead.setattr(sign_in.Door, "caller", lambda *_: known)
        instead.setattr(sign_in.Door, "claims", lambda *_: None)
        instead.setattr(record.Recording, "tell", lambda *_: None)
        instead.setattr(StoreDesk, "note", lambda *_: None)
        return _stored(running, allowed, at_once)


def _cpu(work: Callable[[], object], times: int) -> float:
    """CPU of this process for one, in milliseconds."""
    began = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - began) / times * 1000


def _assertion(key: dict[str, object], url: str) -> str:
    now = int(time.time())
    claims = {"iss": "bench", "sub": "bench", "aud": url, "jti": str(uuid4())}
    header = {"alg": str(key["alg"]), "typ": "JWT", "kid": str(key["kid"])}
    signing = _SIGNING[str(key["kid"])]
    return jwt.encode(header, claims | {"exp": now + 240}, signing, algorithms=[header["alg"]])


_SIGNING: dict[str, ECKey | RSAKey] = {}
"""The keys ready to sign with: reading a private RSA key takes longer than all else here."""


def _ask(key: dict[str, object], url: str) -> bytes:
    form = urlencode(
        {
            "grant_type": "client_credentials",
            "scope": "system/QuestionnaireResponse.cruds",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": _assertion(key, url),
        }
    ).encode()
    head = [
        "POST /auth/token HTTP/1.1",
        "Host: 127.0.0.1",
        "Content-Type: application/x-www-form-urlencoded",
        f"Content-Length: {len(form)}",
    ]
    return "\r\n".join([*head, "", ""]).encode() + form
