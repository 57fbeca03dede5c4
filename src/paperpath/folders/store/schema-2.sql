-- What came to schema.sql later, so that a folder is selected and counted without reading all its rows.
-- The numbers are the bits of \Seen and \Deleted; index.py names both indexes, and fails where they are others.

CREATE INDEX message_unseen ON message (uid) WHERE flags & 16 = 0;
CREATE INDEX message_deleted ON message (uid) WHERE flags & 32 <> 0;

-- The UIDs of all messages as they were at a mod-sequence: a list of 32 bits each, in the order of octets that
-- is said, or without one all from the first to the last. What came and went since then is found by that
-- mod-sequence (looking.py), so nobody has to keep this in step.
CREATE TABLE listed (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    uid_next INTEGER NOT NULL,
    modseq INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    byte_order TEXT NOT NULL,
    octets BLOB
) STRICT;
