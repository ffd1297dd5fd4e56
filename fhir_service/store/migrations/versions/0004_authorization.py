"""The authorization server: clients, grants, refresh tokens, revocations; keys that end."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def _ordered() -> sa.types.TypeEngine[str]:
    return sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def _no() -> dict[str, Any]:
    return {"nullable": False, "server_default": sa.text("0")}


def upgrade() -> None:
    """Add the columns, tables and indexes."""
    op.add_column("signing_key", sa.Column("longest", sa.BigInteger(), nullable=True))
    op.add_column("signing_key", sa.Column("verifies_until", sa.BigInteger(), nullable=True))
    op.create_table(
        "oauth_client",
        sa.Column("id", _ordered(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="oauth_client_key"),
    )
    op.create_table(
        "used_jti",
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", name="used_jti_key"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "oauth_grant",
        sa.Column("id", _ordered(), nullable=False),
        sa.Column("client", _ordered(), nullable=False),
        sa.Column("patient", _ordered(), nullable=True),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("revoked", sa.SmallInteger(), **_no()),
        sa.Column("code", sa.LargeBinary(), nullable=False),
        sa.Column("code_expires", sa.BigInteger(), nullable=False),
        sa.Column("code_used", sa.SmallInteger(), **_no()),
        sa.Column("kept_until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="oauth_grant_key"),
    )
    op.create_index("oauth_grant_found", "oauth_grant", ["code"], unique=True)
    op.create_index("oauth_grant_of_client", "oauth_grant", ["client"])
    op.create_index("oauth_grant_ending", "oauth_grant", ["kept_until"])
    op.create_index(
        "oauth_grant_by_patient", "oauth_grant", ["patient"], **_where("patient IS NOT NULL")
    )
    op.create_table(
        "oauth_refresh",
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("grant_id", _ordered(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.Column("used", sa.SmallInteger(), **_no()),
        sa.PrimaryKeyConstraint("fingerprint", name="oauth_refresh_key"),
    )
    op.create_index("oauth_refresh_of", "oauth_refresh", ["grant_id"])
    op.create_index("oauth_refresh_ending", "oauth_refresh", ["expires"])
    op.create_table(
        "revoked_token",
        sa.Column("mark", _ordered(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("mark", name="revoked_token_key"),
    )


def downgrade() -> None:
    """Take them away again; every client has to be registered anew then."""
    for table in ("revoked_token", "oauth_refresh", "oauth_grant", "used_jti", "oauth_client"):
        op.drop_table(table)
    for column in ("verifies_until", "longest"):
        op.drop_column("signing_key", column)
