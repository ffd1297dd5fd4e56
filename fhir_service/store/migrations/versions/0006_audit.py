"""Audit: what a line needs to be an AuditEvent; history of a type and of the system."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_COLUMNS = ("search", "reason", "agent", "address", "sources", "software")


def upgrade() -> None:
    """Add the columns and indexes."""
    for name in _COLUMNS:
        op.add_column("audit", sa.Column(name, sa.Text(), nullable=True))
    op.create_index(
        "version_by_update", "resource_version", ["last_updated", "resource_type", "id"]
    )


def downgrade() -> None:
    """Take them away again."""
    op.drop_index("version_by_update", table_name="resource_version")
    for name in _COLUMNS:
        op.drop_column("audit", name)
