"""``serve`` with a certificate of its own speaks https, and its links and cookies say so."""

from __future__ import annotations

import socket
import ssl
import time
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.serving import READY_SECONDS, Served, environment, free_port, run


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with cert.pem and key.pem, for this machine, trusted by nobody else."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "example")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
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
