"""What goes back: stored resources, findings and dictionaries as HTTP responses.

http://hl7.org/fhir/R4/http.html#general
"""

from __future__ import annotations

from collections.abc import Iterable
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import msgspec
from flask import Response, request
from werkzeug.datastructures import Headers

from fhir_service.fhir.issues import Issue, operation_outcome
from fhir_service.fhir.searching import WHOLE, Shape
from fhir_service.fhir.splice import with_identity
from fhir_service.fhir.subsetting import shaped
from fhir_service.sdc.keys import KEYS
from fhir_service.web.negotiation import Preference, unchanged
from fhir_service.web.pretty import indented
from fhir_service.web.told import told
from fhir_service.workflow.ports import Stored

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

NO_CONTENT = 204

_encode = msgspec.json.Encoder(decimal_format="number").encode


class Reply(Response):
    """A response whose headers are whole as they are made."""

    def get_wsgi_headers(self, environ: WSGIEnvironment) -> Headers:  # type: ignore[explicit-override]
        """The headers as they stand. Ours need no mending: addresses are absolute, lengths set."""
        if 200 <= self.status_code < 300:  # noqa: PLR2004  the span of success
            return self.headers
        return super().get_wsgi_headers(environ)


def bare(status: int, headers: dict[str, str]) -> Response:
    """An answer without a body."""
    reply = Reply(status=status, headers=headers)
    reply.headers.pop("Content-Type", None)
    if status == NO_CONTENT:
        reply.headers.pop("Content-Length", None)
    return reply


def json_reply(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """These bytes of FHIR JSON, in the type that was negotiated, indented where asked for."""
    if b"_pretty" in request.query_string and request.args.get("_pretty") == "true":
        body = indented(body)
    kind = f"{told().json_type};charset=utf-8"
    return Reply(body, status, headers=headers, content_type=kind)


def resource(made: dict[str, Any], status: int = 200) -> Response:
    """A resource made for this answer (R4 JSON as a dictionary)."""
    return json_reply(as_bytes(made), status)


def outcome(issues: Iterable[Issue], status: int = 200) -> Response:
    """An OperationOutcome of these findings."""
    found = tuple(issues)
    headers = {"Content-Language": language_of(found)}
    return json_reply(as_bytes(operation_outcome(found)), status, headers)


def language_of(issues: tuple[Issue, ...]) -> str:
    """The language that these findings are told in.

    Those on a response against its form come in the caller's language, all others in English.
    """
    caller = told().caller
    asked = caller.language if caller else None
    return asked if asked and any(issue.key in KEYS for issue in issues) else "en"


def as_bytes(made: dict[str, Any]) -> bytes:
    """JSON of a dictionary; decimals keep their digits."""
    return _encode(made)


def served(stored: Stored) -> bytes:
    """The stored bytes as every reader sees them: with id, versionId and lastUpdated."""
    return with_identity(stored.body, stored.id, stored.version, stored.last_updated)


def version_headers(stored: Stored) -> dict[str, str]:
    """ETag and Last-Modified of one version. http://hl7.org/fhir/R4/http.html#versioning"""
    return {
        "ETag": f'W/"{stored.version}"',
        "Last-Modified": format_datetime(stored.last_updated, usegmt=True),
    }


def one(stored: Stored, shape: Shape = WHOLE) -> Response:
    """The answer to read and vread; 304 when the caller has this version already."""
    headers = version_headers(stored)
    if unchanged(request.headers, stored.version, stored.last_updated):
        return bare(304, headers)
    return json_reply(shaped(stored.resource_type, served(stored), shape), 200, headers)


def written(
    stored: Stored,
    created: bool,
    findings: tuple[Issue, ...],
    base: str,
    wants: Preference | None,
) -> Response:
    """The answer to create and update, as Prefer asks; without Prefer the resource as stored."""
    headers = version_headers(stored)
    headers["Location"] = f"{base}/{stored.resource_type}/{stored.id}/_history/{stored.version}"
    told().findings = findings
    status = 201 if created else 200
    if wants == "minimal":
        return bare(status, headers)
    if wants == "OperationOutcome":
        headers["Content-Language"] = language_of(findings)
        return json_reply(as_bytes(operation_outcome(findings)), status, headers)
    return json_reply(served(stored), status, headers)
