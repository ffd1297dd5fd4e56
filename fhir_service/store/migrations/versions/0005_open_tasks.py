"""The open Tasks have an index of their own: few, and asked for with every response."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_OPEN = (
    "resource_type = 'Task' AND deleted = 0"
    " AND status IN ('requested', 'ready', 'received', 'accepted', 'in-progress', 'on-hold')"
)


def upgrade() -> None:
    """Make the index."""
    op.create_index(
        "resource_open_task",
        "resource",
        ["resource_type", "status", "patient", "id"],
        sqlite_where=sa.text(_OPEN),
        postgresql_where=sa.text(_OPEN),
    )
