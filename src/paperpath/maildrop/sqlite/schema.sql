-- The maildrop, version 5. Times are microseconds since 1970. docs/maildrop-states.md tells what moves a recipient.

CREATE TABLE meta (
    only       INTEGER PRIMARY KEY CHECK (only = 1),
    messages   INTEGER NOT NULL,  -- the id of the last one
    recipients INTEGER NOT NULL,  -- likewise: ids are never reused, and names of deliveries are made from them
    epoch      INTEGER NOT NULL,  -- of routing
    mended     INTEGER NOT NULL,  -- counts returns from a failed flush
    -- With the states of recipients, the books of promise P2.
    accepted   INTEGER NOT NULL,
    reported   INTEGER NOT NULL,
    made       INTEGER NOT NULL,
    expanded   INTEGER NOT NULL,
    delivered  INTEGER NOT NULL,
    relayed    INTEGER NOT NULL,
    failed     INTEGER NOT NULL,
    discarded  INTEGER NOT NULL,
    removed    INTEGER NOT NULL
);
INSERT INTO meta VALUES (1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

CREATE TABLE worker (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,  -- never given twice: queue ids are made from it
    kind       TEXT NOT NULL,
    started_us INTEGER NOT NULL
);

CREATE TABLE destination (
    id                 INTEGER PRIMARY KEY,
    transport          TEXT NOT NULL,
    name               TEXT NOT NULL,
    suspended_until_us INTEGER,  -- NULL: not suspended
    reason             TEXT NOT NULL DEFAULT '',
    probe              INTEGER,  -- the recipient that was claimed last while suspended
    failures           INTEGER NOT NULL DEFAULT 0,  -- failed contacts in a row
    contacts           INTEGER NOT NULL DEFAULT 0,  -- failed contacts ever
    UNIQUE (transport, name)
);

CREATE TABLE message (
    id              INTEGER PRIMARY KEY,
    queue_id        TEXT NOT NULL,
    sender          TEXT NOT NULL,  -- empty: the null sender
    body            TEXT NOT NULL,
    client_address  TEXT NOT NULL,
    client_port     INTEGER NOT NULL,
    client_hello    TEXT NOT NULL,
    client_protocol TEXT NOT NULL,
    size            INTEGER NOT NULL,
    digest          BLOB NOT NULL,
    arrived_us      INTEGER NOT NULL,
    open_recipients INTEGER NOT NULL,
    content_file    INTEGER NOT NULL,  -- 1: the content lies in a file named by the queue id
    international   INTEGER NOT NULL DEFAULT 0,  -- 1: MAIL had SMTPUTF8
    ret             TEXT NOT NULL DEFAULT '',
    envid           TEXT NOT NULL DEFAULT '',
    origin          TEXT NOT NULL DEFAULT 'relay',
    deadline_us     INTEGER NOT NULL DEFAULT 0,
    client_tls      TEXT NOT NULL DEFAULT '',  -- version and cipher
    client_service  TEXT NOT NULL DEFAULT '',
    client_account  TEXT NOT NULL DEFAULT ''  -- who logged in
);

-- Apart from message, so that scans of messages never read bodies.
CREATE TABLE content (
    message_id INTEGER PRIMARY KEY REFERENCES message (id),
    octets     BLOB NOT NULL
);

CREATE TABLE recipient (
    id               INTEGER PRIMARY KEY,
    message_id       INTEGER NOT NULL REFERENCES message (id),
    accepted_address TEXT NOT NULL,
    address          TEXT NOT NULL,
    state            TEXT NOT NULL CHECK (state IN ('unsorted', 'ready', 'claimed', 'held', 'settled')),
    transport        TEXT,
    destination_id   INTEGER REFERENCES destination (id),
    due_us           INTEGER,
    worker           INTEGER,
    tried            INTEGER NOT NULL DEFAULT 0,  -- 1: a claim ended without an outcome
    attempts         INTEGER NOT NULL DEFAULT 0,
    last_reply       TEXT NOT NULL DEFAULT '',
    notify           TEXT NOT NULL DEFAULT '',
    orcpt            TEXT NOT NULL DEFAULT '',
    return_path      TEXT,  -- NULL: the message's sender; empty: the null sender
    expanded_via     TEXT NOT NULL DEFAULT '',  -- a JSON array of alias keys; empty: none
    route_override   TEXT NOT NULL DEFAULT '',
    epoch            INTEGER NOT NULL DEFAULT 0,
    key              TEXT NOT NULL DEFAULT '',  -- equal ones of a message get one copy
    warned           INTEGER NOT NULL DEFAULT 0,  -- 1: the delay was reported
    contacts         INTEGER NOT NULL DEFAULT 0  -- the destination's, when it was sorted there
);

-- Keys under which messages are taken once only; they outlive their messages.
CREATE TABLE taken (
    key TEXT PRIMARY KEY
) WITHOUT ROWID;

-- One partial index per question of the hot path; nothing else is indexed.
CREATE INDEX recipient_unsorted ON recipient (id) WHERE state = 'unsorted';
CREATE INDEX recipient_ready ON recipient (transport, destination_id, due_us) WHERE state = 'ready';
CREATE INDEX recipient_claimed ON recipient (worker) WHERE state = 'claimed';
CREATE INDEX recipient_by_message ON recipient (message_id);
CREATE INDEX recipient_by_epoch ON recipient (epoch) WHERE state = 'ready';
CREATE INDEX recipient_by_unit ON recipient (message_id, destination_id)
    WHERE state = 'ready' AND transport = 'remote';
-- These cost nothing where nothing is held or suspended, for what is small, and for what no account handed in.
CREATE INDEX recipient_held ON recipient (id) WHERE state = 'held';
CREATE INDEX message_in_file ON message (queue_id) WHERE content_file = 1;
CREATE INDEX message_by_account ON message (client_account) WHERE client_account <> '';
CREATE INDEX destination_suspended ON destination (transport) WHERE suspended_until_us IS NOT NULL;
