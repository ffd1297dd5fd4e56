"""All tables on one page, and the type of our times.

Bodies are kept as received. What a resource is found by lies beside them in columns; what is rare
or comes several times lies in rows of its own. https://docs.sqlalchemy.org/en/20/core/metadata.html
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    text,
)

from fhir_service.store import authorization_tables
from fhir_service.store.columns import Instant, metadata, ordered

__all__ = ["Instant", "authorization_tables", "metadata", "ordered"]

CANONICAL = "'Questionnaire', 'ValueSet', 'CodeSystem', 'ConceptMap'"
OPEN = "'waiting-for-encounter', 'due', 'sending', 'unknown', 'released'"
"""The states of the outbox in which something still has to happen."""
HELD = "'unknown', 'refused', 'given-up'"
"""The states of the outbox that a person may have to look at."""

version = Table(
    "resource_version",
    metadata,
    Column("resource_type", ordered(), nullable=False),
    Column("id", ordered(), nullable=False),
    Column("version", Integer, nullable=False),
    Column("last_updated", Instant, nullable=False),
    Column("patient", ordered()),
    Column("method", Text, nullable=False),
    Column("deleted", SmallInteger, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
    PrimaryKeyConstraint("resource_type", "id", "version", name="resource_version_key"),
)
"""Every version of every resource; never changed, removed only when a patient is erased."""

Index("version_by_update", version.c.last_updated, version.c.resource_type, version.c.id)

resource = Table(
    "resource",
    metadata,
    Column("resource_type", ordered(), nullable=False),
    Column("id", ordered(), nullable=False),
    Column("version", Integer, nullable=False),
    Column("last_updated", Instant, nullable=False),
    Column("patient", ordered()),
    Column("deleted", SmallInteger, nullable=False),
    Column("canonical", ordered()),
    Column("canonical_version", ordered(), nullable=False),
    Column("status", ordered()),
    Column("low", BigInteger, nullable=False),
    Column("high", BigInteger, nullable=False),
    PrimaryKeyConstraint("resource_type", "id", name="resource_key"),
    ForeignKeyConstraint(
        ["resource_type", "id", "version"],
        ["resource_version.resource_type", "resource_version.id", "resource_version.version"],
        name="resource_has_its_version",
    ),
    sqlite_with_rowid=False,
)
"""One row for each resource: its current version, and what it is found by.

``canonical`` is the url of what is published, and of a response that of its form; ``low`` and
``high`` are its date (of a response: authored) in microseconds.
"""

Index(
    "resource_by_patient",
    resource.c.patient,
    resource.c.resource_type,
    resource.c.low,
    resource.c.id,
    sqlite_where=text("patient IS NOT NULL"),
    postgresql_where=text("patient IS NOT NULL"),
)
Index(
    "resource_by_canonical",
    resource.c.resource_type,
    resource.c.canonical,
    resource.c.low,
    resource.c.id,
)
Index("resource_by_date", resource.c.resource_type, resource.c.low, resource.c.id)
Index("resource_by_update", resource.c.resource_type, resource.c.last_updated, resource.c.id)
Index(
    "resource_dated_roughly",
    resource.c.resource_type,
    sqlite_where=text("high - low > 86400000000"),
    postgresql_where=text("high - low > 86400000000"),
)

_OPEN_TASK = text(
    "resource_type = 'Task' AND deleted = 0"
    " AND status IN ('requested', 'ready', 'received', 'accepted', 'in-progress', 'on-hold')"
)
Index(
    "resource_open_task",
    resource.c.resource_type,
    resource.c.status,
    resource.c.patient,
    resource.c.id,
    sqlite_where=_OPEN_TASK,
    postgresql_where=_OPEN_TASK,
)

_FIXED = text(
    f"deleted = 0 AND status IN ('active', 'retired') AND resource_type IN ({CANONICAL})"
)
Index(
    "published_once",
    resource.c.resource_type,
    resource.c.canonical,
    resource.c.canonical_version,
    unique=True,
    sqlite_where=_FIXED,
    postgresql_where=_FIXED,
)

search_value = Table(
    "search_value",
    metadata,
    Column("resource_type", ordered(), nullable=False),
    Column("id", ordered(), nullable=False),
    Column("parameter", ordered(), nullable=False),
    Column("system", ordered(), nullable=False),
    Column("head", ordered(), nullable=False),
    Column("whole", ordered()),
    Column("exact", ordered()),
    Column("low", BigInteger, nullable=False),
    Column("high", BigInteger, nullable=False),
)
"""Values of the parameters without a column. ``head`` begins the text, as far as an index goes.

``whole`` is the text where it is longer; ``exact`` a string as it was written.
"""

Index(
    "search_value_found",
    search_value.c.resource_type,
    search_value.c.parameter,
    search_value.c.head,
    search_value.c.id,
)
Index("search_value_of", search_value.c.resource_type, search_value.c.id)

claim = Table(
    "claim",
    metadata,
    Column("claimed", ordered(), nullable=False),
    PrimaryKeyConstraint("claimed", name="claim_key"),
)
"""What a conditional create holds while it looks and stores; no row outlives its transaction."""

audit = Table(
    "audit",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), autoincrement=True),
    Column("recorded", Instant, nullable=False),
    Column("interaction", Text, nullable=False),
    Column("client", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("token", Text),
    Column("patient", ordered()),
    Column("resource_type", Text),
    Column("resource_id", Text),
    Column("resource_version", Integer),
    Column("request_id", Text),
    Column("search", Text),
    Column("reason", Text),
    Column("agent", Text),
    Column("address", Text),
    Column("sources", Text),
    Column("software", Text),
    PrimaryKeyConstraint("id", name="audit_key"),
)
"""Who did what; lines are only ever added. AuditEvent and Provenance are read out of them."""


Index(
    "audit_by_patient",
    audit.c.patient,
    audit.c.id,
    sqlite_where=text("patient IS NOT NULL"),
    postgresql_where=text("patient IS NOT NULL"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), autoincrement=True),
    Column("resource_id", ordered(), nullable=False),
    Column("resource_version", Integer, nullable=False),
    Column("patient", ordered(), nullable=False),
    Column("state", Text, nullable=False),
    Column("due", Instant, nullable=False),
    Column("created", Instant, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("leased_by", Text),
    Column("leased_until", Instant),
    Column("reason", Text),
    Column("deadline", Instant),
    Column("released", Instant),
    Column("finished", Instant),
    Column("encounter", Text),
    Column("ehr_type", Text),
    Column("ehr_id", Text),
    Column("ehr_version", Text),
    Column("looks", Integer, nullable=False, server_default=text("0")),
    PrimaryKeyConstraint("id", name="outbox_key"),
)
"""What an EHR is owed. ``reason`` is why the last attempt failed: a key, never an answer.

``due`` is when it is looked at next; while it is being sent, when the lease ends. After
``deadline`` nothing is sent, unless a person ``released`` it. ``ehr_type`` and ``ehr_id`` say
where it lies at the EHR; ``looks`` counts readings back, or looks for an encounter.
"""

Index("owed_once", outbox.c.resource_id, outbox.c.resource_version, unique=True)
_OPEN = text(f"state IN ({OPEN})")
Index("outbox_open", outbox.c.due, outbox.c.id, sqlite_where=_OPEN, postgresql_where=_OPEN)

Index(
    "outbox_held",
    outbox.c.state,
    outbox.c.id,
    sqlite_where=text(f"state IN ({HELD})"),
    postgresql_where=text(f"state IN ({HELD})"),
)
Index("outbox_by_patient", outbox.c.patient, outbox.c.id)

attempt = Table(
    "attempt",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), autoincrement=True),
    Column("outbox_id", BigInteger().with_variant(Integer, "sqlite"), nullable=False),
    Column("began", Instant, nullable=False),
    Column("ended", Instant),
    Column("route", Text, nullable=False),
    Column("result", Text),
    Column("status", Integer),
    Column("reason", Text),
    Column("ehr_id", Text),
    Column("sha256", LargeBinary, nullable=False),
    Column("size", Integer, nullable=False),
    ForeignKeyConstraint(["outbox_id"], ["outbox.id"], name="attempt_of_an_entry"),
    PrimaryKeyConstraint("id", name="attempt_key"),
)
"""The ledger: a row before anything is sent, filled in after. An open one: the end is unknown."""

Index("attempt_of", attempt.c.outbox_id, attempt.c.id)

ehr_key = Table(
    "ehr_key",
    metadata,
    Column("number", Integer, nullable=False, autoincrement=False),
    Column("jwk", Text, nullable=False),
    Column("created", Instant, nullable=False),
    PrimaryKeyConstraint("number", name="ehr_key_key"),
)
"""Our private keys at the EHR, as JWK; the newest two generations are published."""

ehr_statement = Table(
    "ehr_statement",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), autoincrement=True),
    Column("base", ordered(), nullable=False),
    Column("kind", Text, nullable=False),
    Column("first_seen", Instant, nullable=False),
    Column("last_seen", Instant, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
    PrimaryKeyConstraint("id", name="ehr_statement_key"),
)
"""What an EHR said of itself (``capabilities``, ``smart``), each time it said something else."""

Index("ehr_statement_of", ehr_statement.c.base, ehr_statement.c.kind, ehr_statement.c.id)

signing_key = Table(
    "signing_key",
    metadata,
    Column("number", Integer, nullable=False, autoincrement=False),
    Column("jwk", Text, nullable=False),
    Column("created", Instant, nullable=False),
    Column("longest", Instant),
    Column("verifies_until", Instant),
    PrimaryKeyConstraint("number", name="signing_key_key"),
)
"""The private keys that tokens are signed with, as JWK; of each kind the highest number is in use.

``longest`` is when the last of the operator's tokens signed with it ends; ``verifies_until`` is
set once the key was rotated out.
"""

browser_session = Table(
    "browser_session",
    metadata,
    Column("fingerprint", LargeBinary, nullable=False),
    Column("kind", Text, nullable=False),
    Column("patient", ordered()),
    Column("response", Text),
    Column("details", Text, nullable=False),
    Column("sealed", LargeBinary),
    Column("created", Instant, nullable=False),
    Column("idle_until", Instant, nullable=False),
    Column("expires", Instant, nullable=False),
    PrimaryKeyConstraint("fingerprint", name="browser_session_key"),
)
"""Who is at a browser. ``fingerprint`` is the hash of what the browser holds.

``sealed`` is what the EHR gave out for this session, encrypted.
"""

Index("browser_session_ending", browser_session.c.idle_until)
Index(
    "browser_session_by_patient",
    browser_session.c.patient,
    sqlite_where=text("patient IS NOT NULL"),
    postgresql_where=text("patient IS NOT NULL"),
)

link = Table(
    "link",
    metadata,
    Column("id", ordered(), nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("patient", ordered(), nullable=False),
    Column("questionnaire", Text, nullable=False),
    Column("response", Text, nullable=False),
    Column("language", Text),
    Column("task", Text),
    Column("made_by", Text, nullable=False),
    Column("created", Instant, nullable=False),
    Column("expires", Instant, nullable=False),
    Column("uses_left", Integer, nullable=False),
    Column("tries_left", Integer, nullable=False),
    Column("revoked", Instant),
    PrimaryKeyConstraint("id", name="link_key"),
)
"""A way to one form for one patient, without login. ``fingerprint`` is the hash of its token."""

Index("link_found", link.c.fingerprint, unique=True)
Index("link_by_patient", link.c.patient, link.c.created)

one_time = Table(
    "one_time",
    metadata,
    Column("fingerprint", LargeBinary, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("details", LargeBinary, nullable=False),
    Column("tries_left", Integer, nullable=False),
    Column("expires", Instant, nullable=False),
    PrimaryKeyConstraint("fingerprint", name="one_time_key"),
)
"""What is good once and soon gone: the state of a launch, a code to log in with."""

Index("one_time_ending", one_time.c.expires)
