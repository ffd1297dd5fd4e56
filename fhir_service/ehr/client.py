"""An EHR by its FHIR R4 interface, over the one way out (workflow.ehr.Ehr).

A read that meets 429 or 503 is asked again after as long as the EHR asks for; a write is sent
once, and what came of it is told. http://hl7.org/fhir/R4/http.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol
from urllib.parse import quote, urlencode, urljoin, urlsplit

import msgspec
import orjson

from fhir_service.ehr.outbound import Outbound, OutboundFailed, OutboundRefused, Reply
from fhir_service.ehr.pace import Pace, retry_after_seconds
from fhir_service.workflow.ehr import EhrTrouble, Params, TroubleKind, Written

JSON = "application/fhir+json"

_TRIES = 3
_LONGEST_WAIT_SECONDS = 30.0
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_NAME = re.compile(r"[A-Z][A-Za-z]{1,63}")
_CREATED = 201
_NO_CONTENT = 204
_UNAUTHORIZED = 401
_FORBIDDEN = 403
_GONE = (404, 410)
_REQUEST_TIMEOUT = 408
_TOO_MANY = 429
_UNAVAILABLE = 503
_REFUSED = 400
_FAULT = 500
_MOST_PAGES = 100

_LOST: Mapping[str, TroubleKind] = {
    "refused": "unreachable",
    "timeout-before": "unreachable",
    "lost": "lost",
    "too-large": "too-large",
}


class Authorization(Protocol):
    """What makes the Authorization header."""

    def header(self) -> str | None:
        """Its value, or None where none is to be sent. Raises EhrTrouble."""

    def forget(self) -> None:
        """The EHR did not take the last one: get another before the next request."""


class Nobody:
    """An EHR that asks for no authorization, on loopback say."""

    def header(self) -> str | None:
        """None."""
        return None

    def forget(self) -> None:
        """Nothing to forget."""


@dataclass(frozen=True, slots=True)
class _Request:
    method: Literal["GET", "POST", "PUT"]
    url: str
    body: bytes | None = None
    headers: Mapping[str, str] | None = None


def _as_json(resource: Mapping[str, Any]) -> bytes:
    """As JSON; decimals keep their digits."""
    return msgspec.json.Encoder(decimal_format="number").encode(resource)


class EhrClient:
    """One EHR; threads may share it. ``base`` is its FHIR base."""

    def __init__(
        self,
        outbound: Outbound,
        base: str,
        authorization: Authorization | None = None,
        pace: Pace | None = None,
    ) -> None:
        self._outbound = outbound
        self._base = base.rstrip("/")
        self._authorization = authorization or Nobody()
        self._pace = pace or Pace()

    @property
    def base(self) -> str:
        """As Ehr says."""
        return self._base

    def read(self, resource_type: str, id_: str) -> dict[str, Any] | None:
        """As Ehr says."""
        if not _NAME.fullmatch(resource_type) or not _ID.fullmatch(id_):
            return None
        reply = self._ask(f"{self._base}/{resource_type}/{id_}")
        if reply.status in _GONE:
            return None
        found = _resource(_good(reply))
        if found.get("resourceType") != resource_type or found.get("id") != id_:
            raise EhrTrouble("not-understood", reply.status)
        return found

    def search(
        self, resource_type: str, params: Params = "", most: int = 200
    ) -> Iterator[dict[str, Any]]:
        """As Ehr says."""
        query = params if isinstance(params, str) else urlencode(dict(params), doseq=True)
        url: str | None = f"{self._base}/{resource_type}"
        if query:
            url = f"{url}?{query}"
        seen: set[str] = set()
        given = 0
        while url is not None and url not in seen and len(seen) < _MOST_PAGES:
            seen.add(url)
            page = _resource(_good(self._ask(url)))
            if page.get("resourceType") != "Bundle":
                raise EhrTrouble("not-understood")
            for entry in page.get("entry", ()):
                resource = entry.get("resource")
                if resource is None or resource.get("resourceType") == "OperationOutcome":
                    continue
                if given == most:
                    return
                given += 1
                yield resource
            url = self._next(page)

    def create(self, resource: Mapping[str, Any], if_none_exist: str | None = None) -> Written:
        """As Ehr says."""
        return self.create_bytes(
            resource["resourceType"], orjson.dumps(dict(resource)), if_none_exist
        )

    def create_bytes(
        self, resource_type: str, body: bytes, if_none_exist: str | None = None
    ) -> Written:
        """As Ehr says."""
        headers = {"If-None-Exist": if_none_exist} if if_none_exist else {}
        request = _Request("POST", f"{self._base}/{resource_type}", body, headers)
        return _written(_good(self._tell(request)), resource_type)

    def update(self, resource: Mapping[str, Any], if_match: str | None = None) -> Written:
        """As Ehr says."""
        url = f"{self._base}/{resource['resourceType']}/{quote(str(resource['id']), safe='')}"
        headers = {"If-Match": f'W/"{if_match}"'} if if_match else {}
        request = _Request("PUT", url, orjson.dumps(dict(resource)), headers)
        return _written(_good(self._tell(request)), resource["resourceType"])

    def transaction(self, bundle: Mapping[str, Any]) -> dict[str, Any]:
        """As Ehr says."""
        return _resource(_good(self._tell(_Request("POST", self._base, _as_json(bundle)))))

    def capabilities(self) -> dict[str, Any]:
        """As Ehr says."""
        return _resource(_good(self._ask(f"{self._base}/metadata", authorized=False)))

    def smart_configuration(self) -> dict[str, Any] | None:
        """As Ehr says. https://hl7.org/fhir/smart-app-launch/conformance.html"""
        reply = self._ask(f"{self._base}/.well-known/smart-configuration", authorized=False)
        if reply.status in _GONE:
            return None
        return _resource(_good(reply))

    def _ask(self, url: str, *, authorized: bool = True) -> Reply:
        """A read, asked again where the EHR is busy and says for how long."""
        for left in range(_TRIES - 1, -1, -1):
            try:
                return self._send(_Request("GET", url), authorized=authorized)
            except EhrTrouble as trouble:
                pause = trouble.retry_after_seconds or 0.0
                if left == 0 or trouble.kind != "busy" or pause > _LONGEST_WAIT_SECONDS:
                    raise
        raise EhrTrouble("busy")

    def _tell(self, request: _Request) -> Reply:
        return self._send(request, authorized=True)

    def _send(self, request: _Request, *, authorized: bool) -> Reply:
        """One answer; 401 is answered once with a new token, since it says that nothing was done.

        Raises EhrTrouble for what is no answer, and for an EHR that is busy.
        """
        reply = self._once(request, authorized=authorized)
        if reply.status == _UNAUTHORIZED and authorized:
            self._authorization.forget()
            reply = self._once(request, authorized=authorized)
        pause = retry_after_seconds(reply.headers)
        if reply.status == _TOO_MANY or (reply.status == _UNAVAILABLE and pause is not None):
            if pause:
                self._pace.rest(min(pause, _LONGEST_WAIT_SECONDS))
            raise EhrTrouble("busy", reply.status, pause)
        return reply

    def _once(self, request: _Request, *, authorized: bool) -> Reply:
        headers = {"Accept": JSON, "Prefer": "return=minimal", **(request.headers or {})}
        if request.method == "GET":
            del headers["Prefer"]
        if request.body is not None:
            headers["Content-Type"] = JSON
        token = self._authorization.header() if authorized else None
        if token is not None:
            headers["Authorization"] = token
        self._pace.wait()
        try:
            return self._outbound.send(
                request.method, request.url, headers=headers, data=request.body
            )
        except OutboundRefused:
            raise EhrTrouble("not-configured") from None
        except OutboundFailed as failed:
            raise EhrTrouble(_LOST[failed.kind]) from None

    def _next(self, page: Mapping[str, Any]) -> str | None:
        """The next page's address; one outside the EHR's own base is not followed."""
        for link in page.get("link", ()):
            if link.get("relation") == "next" and isinstance(link.get("url"), str):
                url = urljoin(f"{self._base}/", link["url"])
                return url if _within(url, self._base) else None
        return None


def _within(url: str, base: str) -> bool:
    """Whether the address lies under the base, both compared as parsed."""
    one, two = urlsplit(url), urlsplit(base)
    same = (one.scheme, one.netloc.lower()) == (two.scheme, two.netloc.lower())
    inside = one.path == two.path or one.path.startswith(two.path.rstrip("/") + "/")
    return same and inside and "/.." not in one.path and "\\" not in url


def _good(reply: Reply) -> Reply:
    """The reply of a request that was done. Raises EhrTrouble for every other status."""
    status = reply.status
    if _CREATED <= status <= _NO_CONTENT or status == 200:  # noqa: PLR2004  as HTTP has it
        return reply
    if status in (_UNAUTHORIZED, _FORBIDDEN):
        raise EhrTrouble("not-authorized", status, codes=_codes(reply))
    if _REFUSED <= status < _FAULT and status != _REQUEST_TIMEOUT:
        raise EhrTrouble("refused", status, codes=_codes(reply))
    if status >= _FAULT or status == _REQUEST_TIMEOUT:
        raise EhrTrouble("fault", status, retry_after_seconds(reply.headers), _codes(reply))
    raise EhrTrouble("not-understood", status)


def _resource(reply: Reply) -> dict[str, Any]:
    try:
        found = orjson.loads(reply.body)
    except ValueError:
        raise EhrTrouble("not-understood", reply.status) from None
    if not isinstance(found, dict):
        raise EhrTrouble("not-understood", reply.status)
    return found


def _written(reply: Reply, resource_type: str) -> Written:
    """Where it lies now: by Location (absolute or relative), else by the resource in the body."""
    resource = None
    if reply.body.strip():
        try:
            found = orjson.loads(reply.body)
        except ValueError:
            found = None
        if isinstance(found, dict) and found.get("resourceType") == resource_type:
            resource = found
    id_, version = _located(reply.headers, resource_type)
    if resource is not None:
        id_ = id_ or resource.get("id")
        version = version or resource.get("meta", {}).get("versionId")
    return Written(reply.status, id_, version or _tag(reply.headers), resource)


def _located(headers: Mapping[str, str], resource_type: str) -> tuple[str | None, str | None]:
    said = headers.get("location") or headers.get("content-location") or ""
    found = re.search(
        rf"(?:^|/){resource_type}/([A-Za-z0-9\-.]{{1,64}})"
        r"(?:/_history/([A-Za-z0-9\-.]{1,64}))?/?$",
        urlsplit(said).path,
    )
    return (found[1], found[2]) if found else (None, None)


def _tag(headers: Mapping[str, str]) -> str | None:
    found = re.fullmatch(r'(?:W/)?"([A-Za-z0-9\-.]{1,64})"', headers.get("etag", "").strip())
    return found[1] if found else None


def _codes(reply: Reply) -> tuple[str, ...]:
    """The issue codes, and the codes that details carry: at most five, each a short code."""
    try:
        outcome = orjson.loads(reply.body)
    except ValueError:
        return ()
    if not isinstance(outcome, dict) or outcome.get("resourceType") != "OperationOutcome":
        return ()
    found: list[str] = []
    for issue in outcome.get("issue", ()):
        codings = issue.get("details", {}).get("coding", ()) if isinstance(issue, dict) else ()
        codes = [issue.get("code"), *(coding.get("code") for coding in codings)]
        found += [c for c in codes if isinstance(c, str) and re.fullmatch(r"[\w.\-]{1,40}", c)]
    return tuple(dict.fromkeys(found))[:5]
