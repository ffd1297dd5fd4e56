"""Fifty identical conditional creates at once give one resource, on both databases."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from tests.support.databases import NO_SERVER, Server
from tests.support.service import answers, short_form
from tests.support.serving import Served, environment, free_port, run

PARALLEL = 50
ROUNDS = 2


def _sent(
    served: Served, token: str, method: str, path: str, body: object, **more: str
) -> tuple[int, bytes]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{served.port}{path}",
        data=None if body is None else json.dumps(body).encode(),
        method=method,
        headers={
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/fhir+json",
            **more,
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:  # noqa: S310  our own server
            return reply.status, reply.read()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read()


@pytest.mark.parametrize(
    "database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]
)
def test_fifty_identical_posts_give_one_201_and_else_200_and_one_row(
    database: str, server: Server | None, tmp_path: Path
) -> None:
    settings = {"DATA_DIR": str(tmp_path)}
    if database == "postgresql":
        if server is None:
            pytest.skip(NO_SERVER)
        settings |= {"DATABASE_URL": server.new_database(), "WORKERS": "2"}
    env = environment(**settings)
    with Served(free_port(), tmp_path / "log", env) as served:
        token = run("token", "--scope", "system/*.cruds", env=env).stdout.strip()
        form = short_form() | {"id": "short-form"}
        assert _sent(served, token, "PUT", "/fhir/Questionnaire/short-form", form)[0] == 201
        for number in range(ROUNDS):
            value = f"visit-{number}"
            body = answers(identifier={"system": "urn:kiosk", "value": value})
            together = Barrier(PARALLEL)

            def post(
                _: int, body: object = body, value: str = value, together: Barrier = together
            ) -> tuple[int, str]:
                together.wait()
                status, said = _sent(
                    served,
                    token,
                    "POST",
                    "/fhir/QuestionnaireResponse",
                    body,
                    **{"If-None-Exist": f"identifier=urn:kiosk|{value}"},
                )
                return status, json.loads(said)["id"]

            with ThreadPoolExecutor(PARALLEL) as pool:
                answered = list(pool.map(post, range(PARALLEL)))
            assert Counter(status for status, _ in answered) == {201: 1, 200: PARALLEL - 1}
            assert len({id_ for _, id_ in answered}) == 1
            found = _sent(
                served,
                token,
                "GET",
                f"/fhir/QuestionnaireResponse?identifier={value}&_summary=count",
                None,
            )
            assert json.loads(found[1])["total"] == 1
