"""``serve`` with a certificate of its own speaks https, and its links and cookies say so."""

from __future__ import annotations

import socket
import ssl
import time
from pathlib import Path

import pytest
import requests

from tests.support.serving import READY_SECONDS, Served, environment, free_port, run
from tests.support.tls import make_certificate


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with cert.pem and key.pem."""
    folder = tmp_path_factory.mktemp("tls")
    make_certificate(folder)
    return folder


def spoken(port: int, trusted: str, version: ssl.TLSVersion) -> str | None:
    """The version that is spoken with a client that knows this one alone."""
    context = ssl.create_default_context(cafile=trusted)
    context.minimum_version = context.maximum_version = version
    with (
        socket.create_connection(("127.0.0.1", port), 10) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as secure,
    ):
        return secure.version()


def test_https_by_setting(tmp_path: Path, certificate: Path) -> None:
    port = free_port()
    env = environment(
        DATA_DIR=str(tmp_path / "data"),
        TLS_CERTIFICATE=str(certificate / "cert.pem"),
        TLS_KEY=str(certificate / "key.pem"),
    )
    served = Served(port, tmp_path / "log", env)
    trusted = str(certificate / "cert.pem")
    address = f"https://127.0.0.1:{port}"
    try:
        until = time.monotonic() + READY_SECONDS
        while True:
            try:
                if requests.get(f"{address}/readyz", verify=trusted, timeout=5).ok:
                    break
            except requests.ConnectionError:
                assert time.monotonic() < until, (tmp_path / "log").read_text()
                time.sleep(0.2)
        page = requests.get(f"{address}/login", verify=trusted, timeout=10)
        assert page.headers["Strict-Transport-Security"] == "max-age=31536000"
        assert page.headers["Set-Cookie"].startswith("__Host-")
        assert "; Secure" in page.headers["Set-Cookie"]
        said = requests.get(f"{address}/fhir/metadata", verify=trusted, timeout=10).json()
        assert said["implementation"]["url"] == f"{address}/fhir"
        with pytest.raises(requests.ConnectionError):
            requests.get(f"http://127.0.0.1:{port}/readyz", timeout=5)
        assert spoken(port, trusted, ssl.TLSVersion.TLSv1_2) == "TLSv1.2"
        assert spoken(port, trusted, ssl.TLSVersion.TLSv1_3) == "TLSv1.3"
    finally:
        served.process.terminate()
        served.process.wait(60)


def test_a_certificate_without_its_key_stops_the_start(certificate: Path, tmp_path: Path) -> None:
    env = environment(DATA_DIR=str(tmp_path), TLS_CERTIFICATE=str(certificate / "cert.pem"))
    done = run("serve", "--port", str(free_port()), env=env)
    assert done.returncode == 2
    assert "TLS_CERTIFICATE and FHIR_SERVICE_TLS_KEY belong together" in done.stderr
