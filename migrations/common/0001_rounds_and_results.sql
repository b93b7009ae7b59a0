-- What both parties keep alike. Times are milliseconds since 1970 (UTC) by the party's own clock.

-- The latest time this party has acted on; its clock never goes back behind it.
CREATE TABLE clock (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  latest_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE sheets (
  hash BLOB PRIMARY KEY,                 -- SHA-256 of bytes
  bytes BLOB NOT NULL,                   -- canonical JSON
  state TEXT NOT NULL
    CHECK (state IN ('draft', 'submitted', 'approved', 'refused', 'retired')),
  guardian_signature BLOB,               -- the guardian's approval
  reason TEXT,                           -- the guardian's reason for refusing
  changed_ms INTEGER NOT NULL            -- when it came into this state
) STRICT;

CREATE TABLE rounds (
  manifest_hash BLOB PRIMARY KEY,        -- SHA-256 of head
  number INTEGER NOT NULL UNIQUE,
  sheet_hash BLOB NOT NULL REFERENCES sheets,
  head BLOB NOT NULL,                    -- canonical JSON, without signatures
  guardian_signature BLOB,
  employer_signature BLOB,               -- null until the employer has compared and signed
  opens_ms INTEGER NOT NULL,
  closes_ms INTEGER NOT NULL,
  deadline_ms INTEGER NOT NULL,          -- what is not noised by then is withheld
  state TEXT NOT NULL DEFAULT 'planned'
    CHECK (state IN ('planned', 'open', 'closed', 'expired')),
  list_root BLOB,                        -- of the signed list of ids, once every group is done
  list_guardian_signature BLOB,
  list_employer_signature BLOB
) STRICT;

-- One DAP task a group and round.
CREATE TABLE tasks (
  task_id BLOB PRIMARY KEY,
  manifest_hash BLOB NOT NULL REFERENCES rounds,
  group_index INTEGER NOT NULL,
  group_name TEXT NOT NULL,
  department TEXT NOT NULL,
  roster_size INTEGER NOT NULL,
  entry BLOB NOT NULL,                   -- canonical JSON of the manifest's entry
  configuration BLOB NOT NULL,           -- DAP TaskConfiguration, verbatim
  state TEXT NOT NULL DEFAULT 'boxed'
    CHECK (state IN ('boxed', 'counting', 'sealed', 'noised', 'confirmed', 'withheld')),
  withheld_reason TEXT,
  heard INTEGER NOT NULL DEFAULT 0,      -- withheld, and the other party knows
  accepted INTEGER NOT NULL DEFAULT 0,   -- guardian: acknowledged reports now in the box
  lots INTEGER NOT NULL DEFAULT 0,       -- guardian: lots at the start of the count
  UNIQUE (manifest_hash, group_index)
) STRICT;

-- The running sum of one group, from its first lot until it is noised (guardian) or confirmed (employer).
CREATE TABLE buckets (
  task_id BLOB PRIMARY KEY REFERENCES tasks,
  share BLOB NOT NULL,                   -- encoded aggregate share
  count INTEGER NOT NULL,
  checksum BLOB NOT NULL                 -- XOR of SHA-256 of the report ids
) STRICT;

-- How each acknowledged report ended. In a withheld group nothing is listed.
CREATE TABLE outcomes (
  task_id BLOB NOT NULL REFERENCES tasks,
  report_id BLOB NOT NULL,
  outcome TEXT NOT NULL CHECK (outcome IN ('counted', 'refused', 'withdrawn')),
  reason TEXT,                           -- ReportError name of a refusal
  PRIMARY KEY (task_id, report_id)
) STRICT, WITHOUT ROWID;

-- What both parties agreed a group's sealed bucket to be.
CREATE TABLE seals (
  task_id BLOB PRIMARY KEY REFERENCES tasks,
  count INTEGER NOT NULL,
  checksum BLOB NOT NULL,
  ids_root BLOB NOT NULL,                -- RFC 6962 root over the sorted counted ids
  commitment BLOB NOT NULL,              -- SHA-256(employer's share, random)
  employer_signature BLOB NOT NULL,
  random BLOB                            -- employer only, until confirmed
) STRICT;

-- Released totals. Shown only once both signatures are there.
CREATE TABLE results (
  task_id BLOB PRIMARY KEY REFERENCES tasks,
  published BLOB NOT NULL,               -- canonical JSON of count and noised totals
  employer_signature BLOB NOT NULL,
  guardian_signature BLOB                -- null: unconfirmed
) STRICT;

-- The signed list of a round for receipts, in 256 slices by the first byte of the report id.
CREATE TABLE list_slices (
  manifest_hash BLOB NOT NULL REFERENCES rounds,
  slice INTEGER NOT NULL CHECK (slice BETWEEN 0 AND 255),
  bytes BLOB NOT NULL,
  PRIMARY KEY (manifest_hash, slice)
) STRICT;

-- What happened, for people: no person, no address, no share, no report id.
CREATE TABLE events (
  id INTEGER PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  round INTEGER,
  group_index INTEGER,
  kind TEXT NOT NULL,
  sentence TEXT NOT NULL
) STRICT;
