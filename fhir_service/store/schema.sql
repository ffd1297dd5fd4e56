CREATE TABLE alembic_version (
  version_num VARCHAR(32) NOT NULL,
  CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

CREATE TABLE audit (
  id INTEGER NOT NULL,
  recorded BIGINT NOT NULL,
  interaction TEXT NOT NULL,
  client TEXT NOT NULL,
  outcome TEXT NOT NULL,
  token TEXT,
  patient TEXT,
  resource_type TEXT,
  resource_id TEXT,
  resource_version INTEGER,
  request_id TEXT,
  search TEXT,
  reason TEXT,
  agent TEXT,
  address TEXT,
  sources TEXT,
  software TEXT,
  CONSTRAINT audit_key PRIMARY KEY (id)
);

CREATE INDEX audit_by_patient ON audit (patient, id) WHERE patient IS NOT NULL;

CREATE TABLE claim (
  claimed TEXT NOT NULL,
  CONSTRAINT claim_key PRIMARY KEY (claimed)
);

CREATE TABLE outbox (
  id INTEGER NOT NULL,
  resource_id TEXT NOT NULL,
  resource_version INTEGER NOT NULL,
  patient TEXT NOT NULL,
  state TEXT NOT NULL,
  due BIGINT NOT NULL,
  created BIGINT NOT NULL,
  attempts INTEGER DEFAULT 0 NOT NULL,
  leased_by TEXT,
  leased_until BIGINT,
  reason TEXT,
  deadline BIGINT,
  released BIGINT,
  finished BIGINT,
  encounter TEXT,
  ehr_type TEXT,
  ehr_id TEXT,
  ehr_version TEXT,
  looks INTEGER DEFAULT 0 NOT NULL,
  CONSTRAINT outbox_key PRIMARY KEY (id)
);

CREATE INDEX outbox_open ON outbox (due, id) WHERE state IN ('waiting-for-encounter', 'due', 'sending', 'unknown', 'released');

CREATE UNIQUE INDEX owed_once ON outbox (resource_id, resource_version);

CREATE TABLE resource_version (
  resource_type TEXT NOT NULL,
  id TEXT NOT NULL,
  version INTEGER NOT NULL,
  last_updated BIGINT NOT NULL,
  patient TEXT,
  method TEXT NOT NULL,
  deleted SMALLINT NOT NULL,
  sha256 BLOB NOT NULL,
  body BLOB NOT NULL,
  CONSTRAINT resource_version_key PRIMARY KEY (resource_type, id, version)
);

CREATE INDEX version_by_update ON resource_version (last_updated, resource_type, id);

CREATE TABLE search_value (
  resource_type TEXT NOT NULL,
  id TEXT NOT NULL,
  parameter TEXT NOT NULL,
  system TEXT NOT NULL,
  head TEXT NOT NULL,
  whole TEXT,
  exact TEXT,
  low BIGINT NOT NULL,
  high BIGINT NOT NULL
);

CREATE INDEX search_value_found ON search_value (resource_type, parameter, head, id);

CREATE INDEX search_value_of ON search_value (resource_type, id);

CREATE TABLE signing_key (
  number INTEGER NOT NULL,
  jwk TEXT NOT NULL,
  created BIGINT NOT NULL,
  longest BIGINT,
  verifies_until BIGINT,
  CONSTRAINT signing_key_key PRIMARY KEY (number)
);

CREATE TABLE resource (
  resource_type TEXT NOT NULL,
  id TEXT NOT NULL,
  version INTEGER NOT NULL,
  last_updated BIGINT NOT NULL,
  patient TEXT,
  deleted SMALLINT NOT NULL,
  canonical TEXT,
  canonical_version TEXT NOT NULL,
  status TEXT,
  low BIGINT NOT NULL,
  high BIGINT NOT NULL,
  CONSTRAINT resource_key PRIMARY KEY (resource_type, id),
  CONSTRAINT resource_has_its_version FOREIGN KEY(resource_type, id, version) REFERENCES resource_version (resource_type, id, version)
) WITHOUT ROWID;

CREATE UNIQUE INDEX published_once ON resource (resource_type, canonical, canonical_version) WHERE deleted = 0 AND status IN ('active', 'retired') AND resource_type IN ('Questionnaire', 'ValueSet', 'CodeSystem', 'ConceptMap');

CREATE INDEX resource_by_canonical ON resource (resource_type, canonical, low, id);

CREATE INDEX resource_by_date ON resource (resource_type, low, id);

CREATE INDEX resource_by_patient ON resource (patient, resource_type, low, id) WHERE patient IS NOT NULL;

CREATE INDEX resource_by_update ON resource (resource_type, last_updated, id);

CREATE INDEX resource_dated_roughly ON resource (resource_type) WHERE high - low > 86400000000;

CREATE TABLE browser_session (
  fingerprint BLOB NOT NULL,
  kind TEXT NOT NULL,
  patient TEXT,
  response TEXT,
  details TEXT NOT NULL,
  sealed BLOB,
  created BIGINT NOT NULL,
  idle_until BIGINT NOT NULL,
  expires BIGINT NOT NULL,
  CONSTRAINT browser_session_key PRIMARY KEY (fingerprint)
);

CREATE INDEX browser_session_ending ON browser_session (idle_until);

CREATE INDEX browser_session_by_patient ON browser_session (patient) WHERE patient IS NOT NULL;

CREATE TABLE link (
  id TEXT NOT NULL,
  fingerprint BLOB NOT NULL,
  patient TEXT NOT NULL,
  questionnaire TEXT NOT NULL,
  response TEXT NOT NULL,
  language TEXT,
  task TEXT,
  made_by TEXT NOT NULL,
  created BIGINT NOT NULL,
  expires BIGINT NOT NULL,
  uses_left INTEGER NOT NULL,
  tries_left INTEGER NOT NULL,
  revoked BIGINT,
  CONSTRAINT link_key PRIMARY KEY (id)
);

CREATE UNIQUE INDEX link_found ON link (fingerprint);

CREATE INDEX link_by_patient ON link (patient, created);

CREATE TABLE one_time (
  fingerprint BLOB NOT NULL,
  purpose TEXT NOT NULL,
  details BLOB NOT NULL,
  tries_left INTEGER NOT NULL,
  expires BIGINT NOT NULL,
  CONSTRAINT one_time_key PRIMARY KEY (fingerprint)
);

CREATE INDEX one_time_ending ON one_time (expires);

CREATE TABLE attempt (
  id INTEGER NOT NULL,
  outbox_id INTEGER NOT NULL,
  began BIGINT NOT NULL,
  ended BIGINT,
  route TEXT NOT NULL,
  result TEXT,
  status INTEGER,
  reason TEXT,
  ehr_id TEXT,
  sha256 BLOB NOT NULL,
  size INTEGER NOT NULL,
  CONSTRAINT attempt_key PRIMARY KEY (id),
  CONSTRAINT attempt_of_an_entry FOREIGN KEY(outbox_id) REFERENCES outbox (id)
);

CREATE TABLE ehr_key (
  number INTEGER NOT NULL,
  jwk TEXT NOT NULL,
  created BIGINT NOT NULL,
  CONSTRAINT ehr_key_key PRIMARY KEY (number)
);

CREATE TABLE ehr_statement (
  id INTEGER NOT NULL,
  base TEXT NOT NULL,
  kind TEXT NOT NULL,
  first_seen BIGINT NOT NULL,
  last_seen BIGINT NOT NULL,
  sha256 BLOB NOT NULL,
  body BLOB NOT NULL,
  CONSTRAINT ehr_statement_key PRIMARY KEY (id)
);

CREATE INDEX outbox_held ON outbox (state, id) WHERE state IN ('unknown', 'refused', 'given-up');

CREATE INDEX outbox_by_patient ON outbox (patient, id);

CREATE INDEX attempt_of ON attempt (outbox_id, id);

CREATE INDEX ehr_statement_of ON ehr_statement (base, kind, id);

CREATE TABLE oauth_client (
  id TEXT NOT NULL,
  details TEXT NOT NULL,
  created BIGINT NOT NULL,
  CONSTRAINT oauth_client_key PRIMARY KEY (id)
);

CREATE TABLE used_jti (
  fingerprint BLOB NOT NULL,
  expires BIGINT NOT NULL,
  CONSTRAINT used_jti_key PRIMARY KEY (fingerprint)
) WITHOUT ROWID;

CREATE TABLE oauth_grant (
  id TEXT NOT NULL,
  client TEXT NOT NULL,
  patient TEXT,
  details TEXT NOT NULL,
  created BIGINT NOT NULL,
  revoked SMALLINT DEFAULT 0 NOT NULL,
  code BLOB NOT NULL,
  code_expires BIGINT NOT NULL,
  code_used SMALLINT DEFAULT 0 NOT NULL,
  kept_until BIGINT NOT NULL,
  CONSTRAINT oauth_grant_key PRIMARY KEY (id)
);

CREATE UNIQUE INDEX oauth_grant_found ON oauth_grant (code);

CREATE INDEX oauth_grant_of_client ON oauth_grant (client);

CREATE INDEX oauth_grant_ending ON oauth_grant (kept_until);

CREATE INDEX oauth_grant_by_patient ON oauth_grant (patient) WHERE patient IS NOT NULL;

CREATE TABLE oauth_refresh (
  fingerprint BLOB NOT NULL,
  grant_id TEXT NOT NULL,
  expires BIGINT NOT NULL,
  used SMALLINT DEFAULT 0 NOT NULL,
  CONSTRAINT oauth_refresh_key PRIMARY KEY (fingerprint)
);

CREATE INDEX oauth_refresh_of ON oauth_refresh (grant_id);

CREATE INDEX oauth_refresh_ending ON oauth_refresh (expires);

CREATE TABLE revoked_token (
  mark TEXT NOT NULL,
  expires BIGINT NOT NULL,
  CONSTRAINT revoked_token_key PRIMARY KEY (mark)
);

CREATE INDEX resource_open_task ON resource (resource_type, status, patient, id) WHERE resource_type = 'Task' AND deleted = 0 AND status IN ('requested', 'ready', 'received', 'accepted', 'in-progress', 'on-hold');
