"""The EHR that is read from and written to."""

from __future__ import annotations

from typing import Final

from fhir_service.settings.setting import Setting

EHR: Final[tuple[Setting, ...]] = (
    Setting(
        "EHR_BASE",
        "url",
        None,
        "URL",
        "FHIR base of the EHR. Unset: no summary is owed to anybody.",
    ),
    Setting(
        "EHR_CLIENT_ID",
        "text",
        None,
        "text",
        "Our client id at the EHR, for SMART Backend Services. Unset: no token is sent.",
    ),
    Setting(
        "EHR_KEY",
        "client-key",
        None,
        "PEM or JWK",
        "Private key (P-384 or RSA) for the client id. Unset: one of our own, see /auth/ehr/jwks.",
        secret=True,
    ),
    Setting(
        "EHR_KEY_ALGORITHM",
        "algorithm",
        "ES384",
        "word",
        "Which of our own keys signs: ES384 or RS384.",
    ),
    Setting(
        "EHR_SCOPE",
        "words",
        None,
        "scopes",
        "Scopes to ask the EHR for. Unset: none are named, and those of the registration hold.",
    ),
    Setting(
        "EHR_TOKEN_URL",
        "url",
        None,
        "URL",
        "Token endpoint of the EHR; needed where it is on another host than EHR_BASE.",
    ),
    Setting(
        "EHR_TIMEOUT",
        "count",
        "30",
        "seconds",
        "How long the EHR may take for one answer.",
        most=600,
    ),
    Setting(
        "EHR_REQUESTS_PER_SECOND",
        "count",
        "10",
        "requests",
        "Most requests to the EHR in a second, by one process; 0: no limit.",
        least=0,
        most=10_000,
    ),
    Setting(
        "EHR_TARGET",
        "text",
        "us-core",
        "name",
        "What kind of EHR it is: a file of mappings/ehr-targets or EHR_TARGETS_DIR, or folder.",
    ),
    Setting(
        "EHR_TARGETS_DIR",
        "folder",
        None,
        "path",
        "Folder of the site's own targets, which come before those that ship.",
    ),
    Setting(
        "EHR_FOLDER",
        "folder",
        None,
        "path",
        "Folder that an interface engine watches; for the target folder.",
    ),
    Setting(
        "DELIVERY_WORKERS",
        "count",
        "1",
        "processes",
        "Processes beside the server that deliver; 0: deliver by `fhir-service deliver` alone.",
        least=0,
        most=64,
    ),
    Setting(
        "LAUNCH_CLIENT_ID",
        "text",
        None,
        "text",
        "Our client id as an app at EHR_BASE. Unset: that EHR does not launch us.",
    ),
    Setting(
        "LAUNCH_CLIENT_SECRET",
        "text",
        None,
        "text",
        "Secret of that app, where it is a confidential one. Unset: PKCE alone.",
        secret=True,
    ),
    Setting(
        "LAUNCH_SCOPE",
        "words",
        "openid fhirUser patient/Patient.r",
        "scopes",
        "What that app asks for; more of it fills forms where EHR_CLIENT_ID is not set.",
    ),
    Setting(
        "LAUNCH_EHRS",
        "file",
        None,
        "path",
        "More EHRs and portals that launch us (TOML, see mappings/README.md).",
    ),
    Setting(
        "OUTBOUND_NETWORKS",
        "networks",
        None,
        "CIDR list",
        "Private networks in which a configured host may lie, such as 10.0.0.0/8. Unset: none.",
    ),
    Setting(
        "OUTBOUND_CA_FILE",
        "file",
        None,
        "path",
        "Certificates (PEM) that a configured host is trusted by, in place of the public ones.",
    ),
)
