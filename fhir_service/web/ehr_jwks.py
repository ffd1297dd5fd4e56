"""/auth/ehr/jwks: the public keys by which an EHR verifies us when we ask it for a token.

https://hl7.org/fhir/smart-app-launch/client-confidential-asymmetric.html#registering-a-client-communicating-public-keys
"""

from __future__ import annotations

import orjson
from flask import Flask, Response

from fhir_service.workflow.site import Site

ADDRESS = "/auth/ehr/jwks"


def register(app: Flask, site: Site) -> None:
    """Add the address; it is open, and may be remembered for five minutes."""

    def ehr_jwks() -> Response:
        reply = Response(orjson.dumps(site.ehr_jwks()), 200, content_type="application/json")
        reply.headers["Cache-Control"] = "public, max-age=300"
        return reply

    app.add_url_rule(ADDRESS, "ehr-jwks", ehr_jwks)
