-- Who may be asked, and where they stand. All of it stays at the employer; the guardian is told
-- unit paths and how many people are directly at each.

-- Raised by every change of the roster, so that a change is applied to the roster that was looked at.
CREATE TABLE roster (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  version INTEGER NOT NULL
) STRICT;
INSERT INTO roster (id, version) VALUES (1, 0);

CREATE TABLE units (
  id INTEGER PRIMARY KEY,
  path TEXT NOT NULL UNIQUE              -- names from the company down, separated by " / "
) STRICT;

CREATE TABLE people (
  id INTEGER PRIMARY KEY,                -- kept as long as the address is on the roster
  email TEXT NOT NULL UNIQUE,            -- in small letters
  name TEXT NOT NULL,
  unit_id INTEGER NOT NULL REFERENCES units,
  language TEXT                          -- BCP 47; null: the company's own
) STRICT;
CREATE INDEX people_by_unit ON people (unit_id);

-- Which units a person manages; a unit may have several managers, or none.
CREATE TABLE managers (
  person_id INTEGER NOT NULL REFERENCES people ON DELETE CASCADE,
  unit_id INTEGER NOT NULL REFERENCES units,
  PRIMARY KEY (person_id, unit_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX managers_by_unit ON managers (unit_id);

-- The sizes a round was planned from: a roster that changes later does not change the round.
CREATE TABLE round_units (
  round INTEGER NOT NULL,                -- its number; frozen before the round is signed
  path TEXT NOT NULL,
  people INTEGER NOT NULL CHECK (people > 0),
  group_index INTEGER NOT NULL,          -- the group of the people directly at this unit
  PRIMARY KEY (round, path)
) STRICT, WITHOUT ROWID;
