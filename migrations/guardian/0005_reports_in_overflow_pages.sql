-- As common/0002: the sealed halves of a report lie in overflow pages only.
CREATE TABLE padded_box (
  task_id BLOB NOT NULL REFERENCES tasks,
  report_id BLOB NOT NULL,
  padding BLOB NOT NULL,
  report BLOB NOT NULL,
  PRIMARY KEY (task_id, report_id)
) STRICT;

INSERT INTO padded_box
  SELECT task_id, report_id, zeroblob(4600 - length(report) % 4092), report FROM box ORDER BY rowid;
DROP TABLE box;
ALTER TABLE padded_box RENAME TO box;
