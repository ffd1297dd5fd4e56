"""gzip in and out, and leave for apps of other origins, as the setting says."""

from __future__ import annotations

import gzip
import json
import zlib

import pytest

from tests.support.service import Running, answers, start

PATH = "/fhir/QuestionnaireResponse"
GZIPPED = gzip.compress(b"{}", mtime=0)
APP = "https://app.example.org"


def packed(running: Running, data: bytes, encoding: str = "gzip") -> int:
    headers = {"Content-Type": "application/fhir+json", "Content-Encoding": encoding}
    return running.send("POST", PATH, data, headers=headers).status_code


def test_a_body_may_come_as_gzip(running: Running) -> None:
    body = json.dumps(answers("zip")).encode()
    assert packed(running, gzip.compress(body)) == 201
    assert packed(running, body, "identity") == 201


def test_what_unpacks_to_too_much_is_refused_and_not_unpacked(running: Running) -> None:
    bomb = gzip.compress(b" " * 50_000_000, 9)
    assert len(bomb) < 100_000
    assert packed(running, bomb) == 413


@pytest.mark.parametrize(
    ("sent", "encoding", "status"),
    [
        (b"{}", "gzip", 400),
        (GZIPPED[:-5], "gzip", 400),
        (GZIPPED + b"more", "gzip", 400),
        (GZIPPED * 2, "gzip", 400),
        (zlib.compress(b"{}"), "deflate", 415),
        (b"{}", "br", 415),
        (GZIPPED, "gzip, gzip", 415),
    ],
    ids=["plain", "cut off", "more after it", "twice", "deflate", "brotli", "two layers"],
)
def test_what_is_no_sound_gzip_is_refused(
    running: Running, sent: bytes, encoding: str, status: int
) -> None:
    assert packed(running, sent, encoding) == status


@pytest.mark.parametrize(
    ("accepts", "squeezed"),
    [
        ("gzip", True),
        ("br;q=1.0, gzip;q=0.8", True),
        ("*", True),
        ("gzip;q=0", False),
        ("gzip;q=0.000, br", False),
        ("br", False),
        ("x-gzip-not", False),
    ],
)
def test_an_answer_is_squeezed_where_that_is_accepted(
    running: Running, accepts: str, squeezed: bool
) -> None:
    address = "/fhir/metadata"
    plain = running.send("GET", address)
    reply = running.send("GET", address, headers={"Accept-Encoding": accepts})
    assert (reply.headers.get("Content-Encoding") == "gzip") == squeezed
    data = gzip.decompress(reply.data) if squeezed else reply.data
    assert data == plain.data
    assert int(reply.headers["Content-Length"]) == len(reply.data)


def test_head_has_the_headers_of_get_and_no_body(running: Running) -> None:
    got = running.send("GET", "/fhir/Questionnaire/short-form")
    head = running.send("HEAD", "/fhir/Questionnaire/short-form")
    assert head.status_code == 200
    assert head.data == b""
    for name in ("ETag", "Last-Modified", "Content-Type", "Content-Length"):
        assert head.headers[name] == got.headers[name], name


def test_options_tells_what_is_offered(running: Running) -> None:
    reply = running.send("OPTIONS", f"{PATH}/1")
    assert reply.status_code == 200
    assert {"GET", "PUT", "DELETE"} <= set(reply.headers["Allow"].split(", "))


@pytest.fixture(scope="module")
def open_to_an_app(tmp_path_factory: pytest.TempPathFactory) -> Running:
    return start(tmp_path_factory.mktemp("cors"), CORS_ORIGINS=APP)


def preflight(running: Running, origin: str, path: str = PATH) -> dict[str, str]:
    headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    return dict(running.client.open(path, method="OPTIONS", headers=headers).headers)


def test_the_app_of_the_setting_may_call_and_read(open_to_an_app: Running) -> None:
    asked = preflight(open_to_an_app, APP)
    assert asked["Access-Control-Allow-Origin"] == APP
    assert "If-None-Exist" in asked["Access-Control-Allow-Headers"]
    reply = open_to_an_app.send("GET", "/fhir/Questionnaire", headers={"Origin": APP})
    assert reply.headers["Access-Control-Allow-Origin"] == APP
    assert "ETag" in reply.headers["Access-Control-Expose-Headers"]
    refused = open_to_an_app.client.get("/fhir/Questionnaire", headers={"Origin": APP})
    assert refused.status_code == 401
    assert refused.headers["Access-Control-Allow-Origin"] == APP
    statement = json.loads(open_to_an_app.client.get("/fhir/metadata").data)
    assert statement["rest"][0]["security"]["cors"] is True


@pytest.mark.parametrize(
    ("origin", "path"),
    [
        ("https://evil.example.org", PATH),
        (f"{APP}.evil.org", PATH),
        ("null", PATH),
        (APP, "/link/x"),
    ],
)
def test_no_other_app_and_no_page_is_opened(
    open_to_an_app: Running, origin: str, path: str
) -> None:
    assert "Access-Control-Allow-Origin" not in preflight(open_to_an_app, origin, path)


def test_without_the_setting_no_app_may(running: Running) -> None:
    assert "Access-Control-Allow-Origin" not in preflight(running, APP)
    statement = json.loads(running.client.get("/fhir/metadata").data)
    assert statement["rest"][0]["security"]["cors"] is False
