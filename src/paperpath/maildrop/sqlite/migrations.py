"""What makes a queue of each older version one of the next; run by `database.create_database`.

A step is one script in one transaction with its new version number, so it has happened or it has not.
"""

MIGRATIONS = {
    1: """
        ALTER TABLE message ADD COLUMN international INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE message ADD COLUMN ret TEXT NOT NULL DEFAULT '';
        ALTER TABLE message ADD COLUMN envid TEXT NOT NULL DEFAULT '';
        ALTER TABLE recipient ADD COLUMN notify TEXT NOT NULL DEFAULT '';
        ALTER TABLE recipient ADD COLUMN orcpt TEXT NOT NULL DEFAULT '';
    """,
    # The table of recipients is made anew, for SQLite cannot change what a column may hold.
    2: """
        ALTER TABLE meta ADD COLUMN epoch INTEGER NOT NULL DEFAULT 1;
        ALTER TABLE meta ADD COLUMN accepted INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE meta ADD COLUMN reported INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE meta ADD COLUMN made INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE meta ADD COLUMN expanded INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE meta ADD COLUMN relayed INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE meta ADD COLUMN failed INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE meta ADD COLUMN discarded INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE meta ADD COLUMN removed INTEGER NOT NULL DEFAULT 0;
        UPDATE meta SET accepted = recipients;
        ALTER TABLE destination ADD COLUMN suspended_until_us INTEGER;
        ALTER TABLE destination ADD COLUMN reason TEXT NOT NULL DEFAULT '';
        ALTER TABLE destination ADD COLUMN probe INTEGER;
        ALTER TABLE message ADD COLUMN origin TEXT NOT NULL DEFAULT 'relay';
        ALTER TABLE message ADD COLUMN deadline_us INTEGER NOT NULL DEFAULT 0;
        CREATE TABLE new_recipient (
            id               INTEGER PRIMARY KEY,
            message_id       INTEGER NOT NULL REFERENCES message (id),
            accepted_address TEXT NOT NULL,
            address          TEXT NOT NULL,
            state            TEXT NOT NULL
                             CHECK (state IN ('unsorted', 'ready', 'claimed', 'held', 'settled')),
            transport        TEXT,
            destination_id   INTEGER REFERENCES destination (id),
            due_us           INTEGER,
            worker           INTEGER,
            tried            INTEGER NOT NULL DEFAULT 0,
            attempts         INTEGER NOT NULL DEFAULT 0,
            last_reply       TEXT NOT NULL DEFAULT '',
            notify           TEXT NOT NULL DEFAULT '',
            orcpt            TEXT NOT NULL DEFAULT '',
            return_path      TEXT,
            expanded_via     TEXT NOT NULL DEFAULT '',
            route_override   TEXT NOT NULL DEFAULT '',
            epoch            INTEGER NOT NULL DEFAULT 0,
            key              TEXT NOT NULL DEFAULT ''
        );
        INSERT INTO new_recipient (id, message_id, accepted_address, address, state, transport,
                                   destination_id, due_us, worker, tried, attempts, last_reply, notify, orcpt)
        SELECT id, message_id, accepted_address, address, state, transport, destination_id,
               due_us, worker, tried, attempts, last_reply, notify, orcpt FROM recipient;
        DROP TABLE recipient;
        ALTER TABLE new_recipient RENAME TO recipient;
        CREATE INDEX recipient_unsorted ON recipient (id) WHERE state = 'unsorted';
        CREATE INDEX recipient_ready ON recipient (transport, destination_id, due_us) WHERE state = 'ready';
        CREATE INDEX recipient_claimed ON recipient (worker) WHERE state = 'claimed';
        CREATE INDEX recipient_by_message ON recipient (message_id);
        CREATE INDEX recipient_by_epoch ON recipient (epoch) WHERE state = 'ready';
        CREATE INDEX recipient_held ON recipient (id) WHERE state = 'held';
        CREATE INDEX message_in_file ON message (queue_id) WHERE content_file = 1;
        CREATE TABLE taken (
            key TEXT PRIMARY KEY
        ) WITHOUT ROWID;
    """,
    3: """
        ALTER TABLE destination ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE destination ADD COLUMN contacts INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE recipient ADD COLUMN warned INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE recipient ADD COLUMN contacts INTEGER NOT NULL DEFAULT 0;
        CREATE INDEX recipient_by_unit ON recipient (message_id, destination_id)
            WHERE state = 'ready' AND transport = 'remote';
        CREATE INDEX destination_suspended ON destination (transport) WHERE suspended_until_us IS NOT NULL;
        ALTER TABLE message ADD COLUMN client_tls TEXT NOT NULL DEFAULT '';
        ALTER TABLE message ADD COLUMN client_service TEXT NOT NULL DEFAULT '';
    """,
    4: """
        ALTER TABLE message ADD COLUMN client_account TEXT NOT NULL DEFAULT '';
        CREATE INDEX message_by_account ON message (client_account) WHERE client_account <> '';
    """,
}
