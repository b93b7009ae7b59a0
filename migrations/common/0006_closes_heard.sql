-- A round that is closed ahead of time is closed at the guardian first; it is not counted before the
-- employer knows of the same moment.
ALTER TABLE rounds ADD COLUMN close_heard INTEGER NOT NULL DEFAULT 1; -- guardian: 0: closed early, and the employer does not know
