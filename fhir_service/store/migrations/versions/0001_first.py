"""The first tables: versions, what they are found by, audit, outbox, keys."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _ordered() -> sa.types.TypeEngine[str]:
    return sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _number() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "audit",
        sa.Column("id", _number(), autoincrement=True, nullable=False),
        sa.Column("recorded", sa.BigInteger(), nullable=False),
        sa.Column("interaction", sa.Text(), nullable=False),
        sa.Column("client", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=True),
        sa.Column("patient", _ordered(), nullable=True),
        sa.Column("resource_type", sa.Text(), nullable=True),
        sa.Column("resource_id", sa.Text(), nullable=True),
        sa.Column("resource_version", sa.Integer(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="audit_key"),
    )
    op.create_index(
        "audit_by_patient", "audit", ["patient", "id"], **_where("patient IS NOT NULL")
    )
    op.create_table(
        "outbox",
        sa.Column("id", _number(), autoincrement=True, nullable=False),
        sa.Column("resource_id", _ordered(), nullable=False),
        sa.Column("resource_version", sa.Integer(), nullable=False),
        sa.Column("patient", _ordered(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("leased_by", sa.Text(), nullable=True),
        sa.Column("leased_until", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="outbox_key"),
    )
    op.create_index(
        "outbox_open",
        "outbox",
        ["due", "id"],
        **_where("state IN ('waiting-for-encounter', 'due', 'sending', 'unknown')"),
    )
    op.create_index("owed_once", "outbox", ["resource_id", "resource_version"], unique=True)
    op.create_table(
        "resource_version",
        sa.Column("resource_type", _ordered(), nullable=False),
        sa.Column("id", _ordered(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("last_updated", sa.BigInteger(), nullable=False),
        sa.Column("patient", _ordered(), nullable=True),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("deleted", sa.SmallInteger(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("resource_type", "id", "version", name="resource_version_key"),
    )
    op.create_table(
        "search_value",
        sa.Column("resource_type", _ordered(), nullable=False),
        sa.Column("id", _ordered(), nullable=False),
        sa.Column("parameter", _ordered(), nullable=False),
        sa.Column("system", _ordered(), nullable=False),
        sa.Column("head", _ordered(), nullable=False),
        sa.Column("whole", _ordered(), nullable=True),
        sa.Column("exact", _ordered(), nullable=True),
        sa.Column("low", sa.BigInteger(), nullable=False),
        sa.Column("high", sa.BigInteger(), nullable=False),
    )
    op.create_index(
        "search_value_found", "search_value", ["resource_type", "parameter", "head", "id"]
    )
    op.create_index("search_value_of", "search_value", ["resource_type", "id"])
    op.create_table(
        "signing_key",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("jwk", sa.Text(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="signing_key_key"),
    )
    op.create_table(
        "resource",
        sa.Column("resource_type", _ordered(), nullable=False),
        sa.Column("id", _ordered(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("last_updated", sa.BigInteger(), nullable=False),
        sa.Column("patient", _ordered(), nullable=True),
        sa.Column("deleted", sa.SmallInteger(), nullable=False),
        sa.Column("canonical", _ordered(), nullable=True),
        sa.Column("canonical_version", _ordered(), nullable=False),
        sa.Column("status", _ordered(), nullable=True),
        sa.Column("low", sa.BigInteger(), nullable=False),
        sa.Column("high", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["resource_type", "id", "version"],
            ["resource_version.resource_type", "resource_version.id", "resource_version.version"],
            name="resource_has_its_version",
        ),
        sa.PrimaryKeyConstraint("resource_type", "id", name="resource_key"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "published_once",
        "resource",
        ["resource_type", "canonical", "canonical_version"],
        unique=True,
        **_where(
            "deleted = 0 AND status IN ('active', 'retired') AND "
            "resource_type IN ('Questionnaire', 'ValueSet', 'CodeSystem', 'ConceptMap')"
        ),
    )
    op.create_index(
        "resource_by_canonical", "resource", ["resource_type", "canonical", "low", "id"]
    )
    op.create_index("resource_by_date", "resource", ["resource_type", "low", "id"])
    op.create_index(
        "resource_by_patient",
        "resource",
        ["patient", "resource_type", "low", "id"],
        **_where("patient IS NOT NULL"),
    )
    op.create_index("resource_by_update", "resource", ["resource_type", "last_updated", "id"])
    op.create_index(
        "resource_dated_roughly",
        "resource",
        ["resource_type"],
        **_where("high - low > 86400000000"),
    )
