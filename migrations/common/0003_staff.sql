-- People with a role at this party, and how they sign in. Nothing here is about people who answer.

CREATE TABLE staff (
  id INTEGER PRIMARY KEY,
  email TEXT NOT NULL UNIQUE,            -- in small letters
  role TEXT NOT NULL CHECK (role IN ('admin', 'manager', 'auditor', 'guardian')),
  added_ms INTEGER NOT NULL              -- when this role was given
) STRICT;

-- The units whose people a manager manages; those under them are theirs too.
CREATE TABLE staff_units (
  staff_id INTEGER NOT NULL REFERENCES staff ON DELETE CASCADE,
  path TEXT NOT NULL,                    -- names from the company down, separated by " / "
  PRIMARY KEY (staff_id, path)
) STRICT, WITHOUT ROWID;

-- One-time links that were mailed and not used. Who has this table can sign in as nobody.
CREATE TABLE sign_in_links (
  hash BLOB PRIMARY KEY,                 -- SHA-256 of the link's 32 random bytes
  staff_id INTEGER NOT NULL REFERENCES staff ON DELETE CASCADE,
  ends_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sign_in_links_by_staff ON sign_in_links (staff_id);

-- One row a browser that is signed in.
CREATE TABLE staff_sessions (
  hash BLOB PRIMARY KEY,                 -- SHA-256 of the cookie's 32 random bytes
  staff_id INTEGER NOT NULL REFERENCES staff ON DELETE CASCADE,
  began_ms INTEGER NOT NULL,             -- its absolute end is counted from here
  seen_ms INTEGER NOT NULL               -- its sliding end from here; written every few minutes
) STRICT, WITHOUT ROWID;
CREATE INDEX staff_sessions_by_staff ON staff_sessions (staff_id);
