-- A service's whole status as its last change or heartbeat left it, and the history of events.
-- The old table held nothing that the next start does not write again.
DROP TABLE services;

CREATE TABLE services (
    host         TEXT    NOT NULL,
    name         TEXT    NOT NULL,
    status       TEXT    NOT NULL,
    heartbeat_at TEXT,
    report_count INTEGER NOT NULL,
    updated_at   TEXT    NOT NULL,
    PRIMARY KEY (host, name)
) STRICT;

CREATE TABLE events (
    number  INTEGER PRIMARY KEY AUTOINCREMENT,
    host    TEXT NOT NULL,
    backend TEXT NOT NULL,
    kind    TEXT NOT NULL,
    at      TEXT NOT NULL,
    payload TEXT NOT NULL
) STRICT;

CREATE INDEX events_by_backend ON events (host, backend, number);
