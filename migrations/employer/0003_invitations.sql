-- Who is invited to a round, and with what. When the round closes all of it is deleted but the counts.

CREATE TABLE invitations (
  round INTEGER PRIMARY KEY,
  people INTEGER NOT NULL,               -- how many are invited
  codes_used INTEGER,                    -- how many codes got a token; null until the round is closed
  reissued INTEGER NOT NULL DEFAULT 0,   -- how many invitations were issued a second time
  mailed INTEGER NOT NULL DEFAULT 0,     -- whether the invitations were put into the queue
  halfway INTEGER NOT NULL DEFAULT 0,    -- whether the reminder at half time was decided on
  reminded_ms INTEGER                    -- when the last reminder was put into the queue
) STRICT;

-- The people of a round, frozen when it was signed.
CREATE TABLE invitees (
  round INTEGER NOT NULL,
  person INTEGER NOT NULL,               -- people.id then
  email TEXT NOT NULL,
  name TEXT NOT NULL,
  unit TEXT NOT NULL,                    -- path
  language TEXT,                         -- BCP 47; null: the company's own
  group_index INTEGER NOT NULL,
  issue INTEGER NOT NULL DEFAULT 1 CHECK (issue IN (1, 2)),  -- which of their two codes counts
  PRIMARY KEY (round, person),
  UNIQUE (round, email)
) STRICT, WITHOUT ROWID;

-- Two codes a person, the second for the one reissue, in an order drawn when the round was signed. No
-- person and no time is in here. Nothing is inserted into a round's rows later: a use overwrites fields
-- of one width in place, so that neither rows nor pages nor what is left between them tell the order of
-- use. The index has nothing in it that a use changes.
CREATE TABLE codes (
  id INTEGER PRIMARY KEY,                -- a round's rows follow one another
  round INTEGER NOT NULL,
  code_hash BLOB NOT NULL UNIQUE CHECK (length(code_hash) = 32),      -- SHA-256 of the code
  group_index INTEGER NOT NULL,
  active INTEGER NOT NULL CHECK (active IN (0, 1)),                   -- 0: not issued, or replaced
  request_hash BLOB NOT NULL CHECK (length(request_hash) = 32)        -- SHA-256 of the TokenRequest; 0: unused
) STRICT;

-- Mail that a mail server has not taken yet. Its text is made when it is sent, so that no code lies here.
CREATE TABLE mail_queue (
  id INTEGER PRIMARY KEY,
  round INTEGER NOT NULL,
  person INTEGER NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('invitation', 'reminder', 'reissue')),
  attempts INTEGER NOT NULL DEFAULT 0,
  due_ms INTEGER NOT NULL,               -- not to be tried before
  refused INTEGER NOT NULL DEFAULT 0,    -- 1: the mail server will never take it
  UNIQUE (round, person, kind)
) STRICT;
CREATE INDEX mail_queue_by_due ON mail_queue (refused, due_ms);
