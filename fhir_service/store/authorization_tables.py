"""The tables of the embedded authorization server.

What a client holds (codes, refresh tokens, assertions) is kept as its SHA-256 alone.
https://www.rfc-editor.org/rfc/rfc9700
"""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    text,
)

from fhir_service.store.columns import Instant, metadata, ordered

oauth_client = Table(
    "oauth_client",
    metadata,
    Column("id", ordered(), nullable=False),
    Column("details", Text, nullable=False),
    Column("created", Instant, nullable=False),
    PrimaryKeyConstraint("id", name="oauth_client_key"),
)
"""Who may ask for tokens, as the operator registered them."""

used_jti = Table(
    "used_jti",
    metadata,
    Column("fingerprint", LargeBinary, nullable=False),
    Column("expires", Instant, nullable=False),
    PrimaryKeyConstraint("fingerprint", name="used_jti_key"),
    sqlite_with_rowid=False,
)
"""Assertions that were shown already; each opens once. A row lives for minutes."""

oauth_grant = Table(
    "oauth_grant",
    metadata,
    Column("id", ordered(), nullable=False),
    Column("client", ordered(), nullable=False),
    Column("patient", ordered()),
    Column("details", Text, nullable=False),
    Column("created", Instant, nullable=False),
    Column("revoked", SmallInteger, nullable=False, server_default=text("0")),
    Column("code", LargeBinary, nullable=False),
    Column("code_expires", Instant, nullable=False),
    Column("code_used", SmallInteger, nullable=False, server_default=text("0")),
    Column("kept_until", Instant, nullable=False),
    PrimaryKeyConstraint("id", name="oauth_grant_key"),
)
"""What a person allowed a client, and the one code that it was given for that."""

Index("oauth_grant_found", oauth_grant.c.code, unique=True)
Index("oauth_grant_of_client", oauth_grant.c.client)
Index("oauth_grant_ending", oauth_grant.c.kept_until)
Index(
    "oauth_grant_by_patient",
    oauth_grant.c.patient,
    sqlite_where=text("patient IS NOT NULL"),
    postgresql_where=text("patient IS NOT NULL"),
)

oauth_refresh = Table(
    "oauth_refresh",
    metadata,
    Column("fingerprint", LargeBinary, nullable=False),
    Column("grant_id", ordered(), nullable=False),
    Column("expires", Instant, nullable=False),
    Column("used", SmallInteger, nullable=False, server_default=text("0")),
    PrimaryKeyConstraint("fingerprint", name="oauth_refresh_key"),
)
"""Refresh tokens, used ones too: one that comes back tells of a theft."""

Index("oauth_refresh_of", oauth_refresh.c.grant_id)
Index("oauth_refresh_ending", oauth_refresh.c.expires)

revoked_token = Table(
    "revoked_token",
    metadata,
    Column("mark", ordered(), nullable=False),
    Column("expires", Instant, nullable=False),
    PrimaryKeyConstraint("mark", name="revoked_token_key"),
)
"""Tokens that are good no more before their time: by jti, by grant, by client."""
