-- A withdrawn report's id is not used again, in whatever group: looked up at every upload.
CREATE INDEX withdrawn_ids ON outcomes (report_id) WHERE outcome = 'withdrawn';
