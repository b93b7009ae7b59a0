-- What each round costs every person (ρ of zCDP), kept longer than the round: its twelve months are
-- counted even where its results are deleted.
CREATE TABLE account (
  round INTEGER PRIMARY KEY,             -- its number
  first_day INTEGER NOT NULL,            -- since 1970-01-01
  cost_numerator INTEGER NOT NULL,
  cost_denominator INTEGER NOT NULL,
  preset TEXT NOT NULL CHECK (preset IN ('standard', 'strong', 'light')),
  noised INTEGER NOT NULL DEFAULT 0      -- 1: noise was drawn for it, so it is not given back
) STRICT;
