"""Conditional create; forms are found by what they are meant for (context-type-value)."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa
from alembic import op

from fhir_service.fhir.indexing import values_of
from fhir_service.fhir.search_parameters import CANONICAL_TYPES, parameter_of

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_NAME = "context-type-value"
_BODIES = sa.text(
    "SELECT r.resource_type, r.id, v.body FROM resource r JOIN resource_version v"
    " ON v.resource_type = r.resource_type AND v.id = r.id AND v.version = r.version"
    " WHERE r.resource_type = :kind AND r.deleted = 0"
)
_INSERT = sa.text(
    "INSERT INTO search_value (resource_type, id, parameter, system, head, low, high)"
    " VALUES (:kind, :id, :name, :system, :head, :low, :high)"
)


def _ordered() -> sa.types.TypeEngine[str]:
    return sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the table, and the search values of what was published before."""
    op.create_table(
        "claim",
        sa.Column("claimed", _ordered(), nullable=False),
        sa.PrimaryKeyConstraint("claimed", name="claim_key"),
    )
    connection = op.get_bind()
    for kind in CANONICAL_TYPES:
        for row in connection.execute(_BODIES, {"kind": kind}).all():
            for found in _found(kind, bytes(row[2])):
                connection.execute(_INSERT, {"kind": kind, "id": row[1], **found})


def _found(kind: str, body: bytes) -> list[dict[str, Any]]:
    parameter = parameter_of(kind, _NAME)
    if parameter is None:
        return []
    return [
        {"name": _NAME, "system": v.system, "head": v.text[:200], "low": v.low, "high": v.high}
        for v in dict.fromkeys(values_of(msgspec.json.decode(body), parameter))
    ]


def downgrade() -> None:
    """Take them away again."""
    op.execute(sa.text(f"DELETE FROM search_value WHERE parameter = '{_NAME}'"))  # noqa: S608  our own name
    op.drop_table("claim")
