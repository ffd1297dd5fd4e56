"""Delivery: what the EHR said to each attempt, our keys there, and its statements over time."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_OPEN = "state IN ('waiting-for-encounter', 'due', 'sending', 'unknown', 'released')"
_HELD = "state IN ('unknown', 'refused', 'given-up')"
_FORMER = "state IN ('waiting-for-encounter', 'due', 'sending', 'unknown')"


def _ordered() -> sa.types.TypeEngine[str]:
    return sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _number() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def upgrade() -> None:
    """Add the columns, indexes and tables."""
    for column in (
        sa.Column("deadline", sa.BigInteger(), nullable=True),
        sa.Column("released", sa.BigInteger(), nullable=True),
        sa.Column("finished", sa.BigInteger(), nullable=True),
        sa.Column("encounter", sa.Text(), nullable=True),
        sa.Column("ehr_type", sa.Text(), nullable=True),
        sa.Column("ehr_id", sa.Text(), nullable=True),
        sa.Column("ehr_version", sa.Text(), nullable=True),
        sa.Column("looks", sa.Integer(), nullable=False, server_default=sa.text("0")),
    ):
        op.add_column("outbox", column)
    op.drop_index("outbox_open", table_name="outbox")
    op.create_index("outbox_open", "outbox", ["due", "id"], **_where(_OPEN))
    op.create_index("outbox_held", "outbox", ["state", "id"], **_where(_HELD))
    op.create_index("outbox_by_patient", "outbox", ["patient", "id"])
    op.create_table(
        "attempt",
        sa.Column("id", _number(), autoincrement=True, nullable=False),
        sa.Column("outbox_id", _number(), nullable=False),
        sa.Column("began", sa.BigInteger(), nullable=False),
        sa.Column("ended", sa.BigInteger(), nullable=True),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("ehr_id", sa.Text(), nullable=True),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["outbox_id"], ["outbox.id"], name="attempt_of_an_entry"),
        sa.PrimaryKeyConstraint("id", name="attempt_key"),
    )
    op.create_index("attempt_of", "attempt", ["outbox_id", "id"])
    op.create_table(
        "ehr_key",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("jwk", sa.Text(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="ehr_key_key"),
    )
    op.create_table(
        "ehr_statement",
        sa.Column("id", _number(), autoincrement=True, nullable=False),
        sa.Column("base", _ordered(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("first_seen", sa.BigInteger(), nullable=False),
        sa.Column("last_seen", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="ehr_statement_key"),
    )
    op.create_index("ehr_statement_of", "ehr_statement", ["base", "kind", "id"])


def downgrade() -> None:
    """Take them away again; what was delivered is then forgotten."""
    for table in ("ehr_statement", "ehr_key", "attempt"):
        op.drop_table(table)
    for index in ("outbox_by_patient", "outbox_held", "outbox_open"):
        op.drop_index(index, table_name="outbox")
    for column in (
        "deadline",
        "released",
        "finished",
        "encounter",
        "ehr_type",
        "ehr_id",
        "ehr_version",
        "looks",
    ):
        op.drop_column("outbox", column)
    op.create_index("outbox_open", "outbox", ["due", "id"], **_where(_FORMER))
