"""The process is killed under load at random moments; what was answered with 201 is there."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.databases import Server, new_url
from tests.support.serving import Served, environment, free_port, run

THREADS = 4
SECONDS = (0.02, 0.6)
FORM = "https://fhir-service.example.org/fhir/Questionnaire/doctor-questions|1.0.0"


@dataclass
class Acknowledged:
    """What was answered with 201: where it lies, and the bytes that were sent."""

    sent: dict[str, bytes] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)


def body(number: int) -> bytes:
    """A response that is like no other; white space and digits are those of a careless sender."""
    worry = json.dumps(f"Question {number}: ¿vuelve? 1.10 \U0001f33b")
    return (
        '{"resourceType":"QuestionnaireResponse", "status" : "completed",\n'
        f'  "questionnaire":"{FORM}",\t"subject":{{"reference":"Patient/ada-{number % 7}"}},'
        f'"authored":"2026-11-20T09:30:00-06:00","item":[{{"linkId":"question-list",'
        f'"item":[{{"linkId":"own-question","answer":[{{"valueString":{worry}}}]}}]}},'
        f'{{"linkId":"top-questions","item":[{{"linkId":"top-question-1",'
        f'"answer":[{{"valueString":{worry}}}]}}]}}]}}'
    ).encode()


def post_until(
    killed: threading.Event, port: int, token: str, numbers: range, kept: Acknowledged
) -> None:
    """Post on one connection until the process is gone."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/fhir+json"}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    for number in numbers:
        if killed.is_set():
            break
        sent = body(number)
        try:
            connection.request("POST", "/fhir/QuestionnaireResponse", sent, headers)
            reply = connection.getresponse()
            location = reply.headers.get("Location")
            said = reply.read()
        except (OSError, http.client.HTTPException):
            break  # not acknowledged: it may be there or not
        if reply.status == 201 and location:
            kept.sent[location] = sent
        else:
            kept.refused.append(f"{reply.status} {said[:300]!r}")
    connection.close()


def load_and_kill(served: Served, token: str, first: int, dice: random.Random) -> Acknowledged:
    """Post from several threads; kill everything in the middle of it, once some are kept."""
    kept, killed = Acknowledged(), threading.Event()
    threads = [
        threading.Thread(
            target=post_until,
            args=(killed, served.port, token, range(first + n, first + 10**6, THREADS), kept),
        )
        for n in range(THREADS)
    ]
    for thread in threads:
        thread.start()
    until = time.monotonic() + 30  # a busy machine is no finding
    while len(kept.sent) < 2 and not kept.refused and time.monotonic() < until:
        time.sleep(0.01)
    time.sleep(dice.uniform(*SECONDS))
    served.kill()
    killed.set()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    return kept


def must_be_there(served: Served, token: str, sent: dict[str, bytes]) -> None:
    """Each acknowledged response comes back as it was sent, but for our id and meta."""
    for location, body_sent in sent.items():
        path = "/fhir" + location.split("/fhir", 1)[1]
        status, found = served.get(path, token)
        assert status == 200, f"{path} was acknowledged, and is answered {status}"
        start = b'{"resourceType":"QuestionnaireResponse"'
        head, rest = body_sent[: len(start)], body_sent[len(start) :]
        assert found.startswith(head), path
        assert found.endswith(rest), path
        added = found[len(head) : len(found) - len(rest)]
        ours = json.loads(b"{" + added.removeprefix(b",") + b"}")
        assert set(ours) == {"id", "meta"}
        assert set(ours["meta"]) == {"versionId", "lastUpdated"}


def kill_again_and_again(url: str, folder: Path, rounds: int) -> None:
    """As many rounds of start, load, kill; after each start the round before is read back."""
    seed = random.SystemRandom().randrange(10**9)
    dice = random.Random(seed)
    port = free_port()
    env = environment(DATA_DIR=str(folder), DATABASE_URL=url, LOG_LEVEL="error")
    everything: dict[str, bytes] = {}
    before: dict[str, bytes] = {}
    token = ""
    for number in range(rounds):
        with Served(port, folder / "log", env) as served:
            if not token:
                made = run("token", "--scope", "system/*.cruds", env=env)
                assert made.returncode == 0, made.stderr
                token = made.stdout.strip()
            must_be_there(served, token, before)
            kept = load_and_kill(served, token, number * 10**6, dice)
            assert not kept.refused, (seed, kept.refused[:3])
            before = kept.sent
            everything |= before
    with Served(port, folder / "log", env) as served:
        must_be_there(served, token, everything)
        assert served.stop() == 0
    checked = run("db", "check", env=env)
    assert checked.returncode == 0, (seed, checked.stdout)
    assert len(everything) > rounds, f"too little was acknowledged to prove anything (seed {seed})"


KINDS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_acknowledged_survives_some_kills(
    kind: str, tmp_path: Path, server: Server | None
) -> None:
    kill_again_and_again(new_url(kind, tmp_path, server), tmp_path, rounds=2)


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_what_was_acknowledged_survives_a_hundred_kills(
    kind: str, tmp_path: Path, server: Server | None
) -> None:
    kill_again_and_again(new_url(kind, tmp_path, server), tmp_path, rounds=100)
