"""Who asks behind proxies, and what is kept for a year."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from fhir_service.fhir.issues import NotSignedIn
from fhir_service.store.sealing import Vault, secret_of
from fhir_service.web.proxies import Proxies, asked_by
from fhir_service.web.static_files import contents, mark_of
from tests.support.service import Running, start
from tests.support.ways import a_link, a_patient, born, csrf_in, offered_form, publish


@pytest.mark.parametrize(
    ("header", "trusted", "found"),
    [
        ("203.0.113.7", 1, "203.0.113.7"),
        ("6.6.6.6, 203.0.113.7", 1, "203.0.113.7"),
        ("6.6.6.6, 203.0.113.7, 10.0.0.1", 2, "203.0.113.7"),
        ("[2001:db8::1]", 1, "2001:db8::1"),
        ("203.0.113.7", 2, None),
        ("", 1, None),
        ("unknown", 1, None),
        ("<script>", 1, None),
    ],
)
def test_whom_the_outermost_trusted_proxy_saw(
    header: str, trusted: int, found: str | None
) -> None:
    assert asked_by(header, trusted) == found


@pytest.mark.parametrize(("trusted", "seen"), [(0, "10.0.0.1"), (1, "203.0.113.7")])
def test_without_a_trusted_proxy_the_header_is_not_believed(trusted: int, seen: str) -> None:
    met: list[str] = []

    def within(environ: Any, start_response: Any) -> Iterable[bytes]:
        met.append(environ["REMOTE_ADDR"])
        return []

    environ = {"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": "203.0.113.7"}
    Proxies(within, trusted)(environ, lambda *_: None)  # type: ignore[arg-type]
    assert met == [seen]


def test_a_static_file_is_kept_for_a_year_under_the_mark_of_its_content(
    running: Running,
) -> None:
    for name in contents():
        kept = running.client.get(f"/static/{name}?v={mark_of(name)}")
        assert kept.status_code == 200
        assert kept.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert running.client.get(f"/static/{name}").headers["Cache-Control"] == "no-store"
    assert running.client.get("/static/secret.key").status_code == 404


def test_what_is_sealed_opens_with_the_same_key_at_the_same_place_alone(tmp_path: Path) -> None:
    vault = Vault(lambda: secret_of(tmp_path))
    sealed = vault.seal(b"the token", b"here")
    assert b"the token" not in sealed
    assert Vault(lambda: secret_of(tmp_path)).open(sealed, b"here") == b"the token"
    for place, bytes_ in (
        (b"there", sealed),
        (b"here", sealed[:-1] + b"x"),
        (b"here", b""),
    ):
        with pytest.raises(NotSignedIn):
            vault.open(bytes_, place)
    with pytest.raises(NotSignedIn):
        Vault(lambda: "another key").open(sealed, b"here")


def test_the_key_file_can_be_read_by_its_owner_alone(tmp_path: Path) -> None:
    made = secret_of(tmp_path / "new")
    assert secret_of(tmp_path / "new") == made
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["secret.key"]
    assert (tmp_path / "new" / "secret.key").stat().st_mode & 0o777 == 0o600


def test_behind_a_proxy_every_address_is_the_public_one(tmp_path: Path) -> None:
    """Whatever Host and X-Forwarded-Host say: they are the asker's words."""
    behind = start(tmp_path, BASE_URL="https://clinic.example.org/answers", TRUSTED_PROXIES="1")
    publish(behind, offered_form())
    a_patient(behind)
    link = a_link(behind)
    assert link.address.startswith("https://clinic.example.org/answers/link/")
    path = "/link/" + link.address.rpartition("/")[2]
    lies = {"Host": "evil.example.org", "X-Forwarded-Host": "evil.example.org"}
    page = behind.client.get(path, headers=lies)
    assert 'href="/answers/static/plain.css?v=' in page.text
    assert "evil" not in page.text
    fields = born() | {"csrf": csrf_in(page)}
    reply = behind.client.post(path, data=fields, headers=lies)
    assert (reply.status_code, reply.headers["Location"]) == (303, "/answers/forms/")
    assert "Secure" in reply.headers["Set-Cookie"]
    behind.close()
