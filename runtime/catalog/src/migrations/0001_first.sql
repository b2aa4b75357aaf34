-- Backups and services. Times are UTC, RFC 3339, with a fixed number of digits, so that their text sorts as they do.
CREATE TABLE backups (
    id                TEXT    NOT NULL PRIMARY KEY,
    project_id        TEXT    NOT NULL,
    user_id           TEXT    NOT NULL,
    host              TEXT    NOT NULL,
    backend           TEXT    NOT NULL,
    driver            TEXT,
    availability_zone TEXT    NOT NULL,
    status            TEXT    NOT NULL,
    placed            INTEGER NOT NULL,
    name              TEXT,
    description       TEXT,
    volume_id         TEXT    NOT NULL,
    volume_path       TEXT    NOT NULL,
    volume_bytes      INTEGER NOT NULL,
    size_gib          INTEGER NOT NULL,
    container         TEXT,
    prefix            TEXT,
    algorithm         TEXT    NOT NULL,
    object_size       INTEGER,
    block_size        INTEGER,
    object_count      INTEGER NOT NULL,
    stored_bytes      INTEGER NOT NULL,
    metadata_seal     TEXT,
    sha256file_seal   TEXT,
    parent_id         TEXT,
    fail_code         TEXT,
    fail_reason       TEXT,
    created_at        TEXT    NOT NULL,
    updated_at        TEXT    NOT NULL,
    data_timestamp    TEXT    NOT NULL,
    verified_at       TEXT,
    verify_result     TEXT,
    deleted_at        TEXT
) STRICT;

CREATE INDEX backups_by_age ON backups (created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX backups_unfinished ON backups (status) WHERE status IN ('creating', 'restoring', 'deleting');
CREATE INDEX backups_by_parent ON backups (parent_id) WHERE parent_id IS NOT NULL AND deleted_at IS NULL;

CREATE TABLE services (
    name         TEXT    NOT NULL,
    host         TEXT    NOT NULL,
    driver       TEXT    NOT NULL,
    phase        TEXT    NOT NULL,
    code         TEXT,
    message      TEXT,
    report_count INTEGER NOT NULL,
    updated_at   TEXT    NOT NULL,
    PRIMARY KEY (host, name)
) STRICT;
