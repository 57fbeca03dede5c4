-- The index of one folder. What is here and not in the files: UIDs, mod-sequences, and keywords without a letter.
-- The files are the truth: this can be made anew from them, with another UIDVALIDITY.

CREATE TABLE folder (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    uid_validity INTEGER NOT NULL,
    uid_next INTEGER NOT NULL DEFAULT 1,
    modseq INTEGER NOT NULL DEFAULT 1,
    folder_id TEXT NOT NULL,
    first_unclaimed INTEGER NOT NULL DEFAULT 1,  -- from this UID on messages are \Recent to who comes next
    forgotten INTEGER NOT NULL DEFAULT 0,  -- what departed up to this mod-sequence is not known any more
    new_ns INTEGER NOT NULL DEFAULT -1,  -- when new last changed, as it was when we knew what is in it
    new_read_ns INTEGER NOT NULL DEFAULT -1,  -- when it was read
    cur_ns INTEGER NOT NULL DEFAULT -1,
    cur_read_ns INTEGER NOT NULL DEFAULT -1
) STRICT;

-- Narrow, for it is read whole.
CREATE TABLE message (
    uid INTEGER PRIMARY KEY,
    flags INTEGER NOT NULL,
    modseq INTEGER NOT NULL
) STRICT;
CREATE INDEX message_by_modseq ON message (modseq);

-- part 0: in new; 1: in cur; 2: on its way into cur, and no message yet.
CREATE TABLE file (
    uid INTEGER PRIMARY KEY,
    part INTEGER NOT NULL,
    base TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    internal_us INTEGER NOT NULL,
    saved_us INTEGER NOT NULL,
    octets INTEGER,
    email_id TEXT
) STRICT;
CREATE INDEX file_by_part ON file (part) WHERE part <> 1;

CREATE TABLE departed (uid INTEGER PRIMARY KEY, modseq INTEGER NOT NULL) STRICT;
CREATE INDEX departed_by_modseq ON departed (modseq);

CREATE TABLE keyword (number INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;

CREATE TABLE cached (
    uid INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    octets BLOB NOT NULL,
    PRIMARY KEY (uid, kind)
) STRICT;
