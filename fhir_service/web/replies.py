"""What goes back: stored resources, findings and dictionaries as HTTP responses.

http://hl7.org/fhir/R4/http.html#general
"""

from __future__ import annotations

from collections.abc import Iterable
from email.utils import format_datetime
from typing import Any

import msgspec
from flask import Response, g, request

from fhir_service.fhir.issues import Issue, operation_outcome
from fhir_service.fhir.splice import with_identity
from fhir_service.web.negotiation import FHIR_JSON, Preference, unchanged
from fhir_service.web.pretty import indented
from fhir_service.workflow.ports import Stored

_encode = msgspec.json.Encoder(decimal_format="number").encode


def json_reply(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """These bytes of FHIR JSON, in the type that was negotiated, indented where asked for."""
    if b"_pretty" in request.query_string and request.args.get("_pretty") == "true":
        body = indented(body)
    reply = Response(body, status, content_type=f"{g.get('json_type', FHIR_JSON)};charset=utf-8")
    if headers:
        reply.headers.extend(headers)
    return reply


def resource(made: dict[str, Any], status: int = 200) -> Response:
    """A resource made for this answer (R4 JSON as a dictionary)."""
    return json_reply(as_bytes(made), status)


def outcome(issues: Iterable[Issue], status: int = 200) -> Response:
    """An OperationOutcome of these findings."""
    return json_reply(as_bytes(operation_outcome(issues)), status)


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


def one(stored: Stored) -> Response:
    """The answer to read and vread; 304 when the caller has this version already."""
    headers = version_headers(stored)
    if unchanged(request.headers, stored.version, stored.last_updated):
        return Response(status=304, headers=headers)
    return json_reply(served(stored), 200, headers)


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
    g.findings = findings
    status = 201 if created else 200
    if wants == "minimal":
        reply = Response(b"", status, headers=headers)
        del reply.headers["Content-Type"]
        return reply
    if wants == "OperationOutcome":
        return json_reply(as_bytes(operation_outcome(findings)), status, headers)
    return json_reply(served(stored), status, headers)
