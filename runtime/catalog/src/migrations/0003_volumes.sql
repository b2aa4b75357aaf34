-- Volumes, snapshots, messages, quotas, switches; claims and more columns of backups; indices for lists of a million rows.
-- Forward only; nothing that was there is changed.
ALTER TABLE backups ADD COLUMN metadata          TEXT NOT NULL DEFAULT '{}';
ALTER TABLE backups ADD COLUMN snapshot_id       TEXT;
ALTER TABLE backups ADD COLUMN restore_volume_id TEXT;
ALTER TABLE backups ADD COLUMN scheduling        TEXT;
ALTER TABLE backups ADD COLUMN request_id        TEXT;
-- The token of the newest claim. It only grows, so whoever lost a claim holds a number that is not in the row any more.
ALTER TABLE backups ADD COLUMN claim_token INTEGER NOT NULL DEFAULT 0;
ALTER TABLE backups ADD COLUMN claim_owner TEXT;
ALTER TABLE backups ADD COLUMN claim_until TEXT;
-- What a name is sorted by. A column and not an expression: SQLite compares rows of columns alone by an index.
ALTER TABLE backups ADD COLUMN name_key TEXT GENERATED ALWAYS AS (coalesce(name, '')) VIRTUAL;

CREATE TABLE volumes (
    id                TEXT    NOT NULL PRIMARY KEY,
    project_id        TEXT    NOT NULL,
    user_id           TEXT    NOT NULL,
    status            TEXT    NOT NULL,
    previous_status   TEXT,
    name              TEXT,
    description       TEXT,
    size_gib          INTEGER NOT NULL,
    location          TEXT    NOT NULL,
    managed           INTEGER NOT NULL,
    volume_type       TEXT    NOT NULL,
    availability_zone TEXT    NOT NULL,
    bootable          INTEGER NOT NULL,
    read_only         INTEGER NOT NULL,
    metadata          TEXT    NOT NULL,
    snapshot_id       TEXT,
    source_volume_id  TEXT,
    backup_id         TEXT,
    fail_reason       TEXT,
    created_at        TEXT    NOT NULL,
    updated_at        TEXT    NOT NULL,
    deleted_at        TEXT,
    name_key          TEXT GENERATED ALWAYS AS (coalesce(name, '')) VIRTUAL
) STRICT;

CREATE TABLE snapshots (
    id          TEXT    NOT NULL PRIMARY KEY,
    project_id  TEXT    NOT NULL,
    user_id     TEXT    NOT NULL,
    volume_id   TEXT    NOT NULL,
    status      TEXT    NOT NULL,
    name        TEXT,
    description TEXT,
    size_gib    INTEGER NOT NULL,
    location    TEXT    NOT NULL,
    metadata    TEXT    NOT NULL,
    created_at  TEXT    NOT NULL,
    updated_at  TEXT    NOT NULL,
    deleted_at  TEXT,
    name_key    TEXT GENERATED ALWAYS AS (coalesce(name, '')) VIRTUAL
) STRICT;

CREATE TABLE messages (
    id            TEXT NOT NULL PRIMARY KEY,
    project_id    TEXT NOT NULL,
    request_id    TEXT,
    resource_type TEXT NOT NULL,
    resource_uuid TEXT,
    event_id      TEXT NOT NULL,
    level         TEXT NOT NULL,
    user_message  TEXT NOT NULL,
    created_at    TEXT NOT NULL,
    expires_at    TEXT NOT NULL
) STRICT;

CREATE TABLE quotas (
    project_id TEXT    NOT NULL,
    resource   TEXT    NOT NULL,
    most       INTEGER NOT NULL,
    PRIMARY KEY (project_id, resource)
) STRICT, WITHOUT ROWID;

CREATE TABLE switches (
    host        TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    disabled    INTEGER NOT NULL,
    reason      TEXT,
    modified_at TEXT    NOT NULL,
    PRIMARY KEY (host, name)
) STRICT, WITHOUT ROWID;

-- What each project has. Only the triggers below write it, in the same statement as the row that they count.
CREATE TABLE usage (
    project_id TEXT    NOT NULL,
    kind       TEXT    NOT NULL,
    count      INTEGER NOT NULL,
    gigabytes  INTEGER NOT NULL,
    PRIMARY KEY (project_id, kind)
) STRICT, WITHOUT ROWID;

INSERT INTO usage (project_id, kind, count, gigabytes)
SELECT project_id, 'backups', count(*), sum(size_gib) FROM backups WHERE deleted_at IS NULL GROUP BY project_id;

CREATE TRIGGER backups_counted AFTER INSERT ON backups WHEN new.deleted_at IS NULL BEGIN
    INSERT INTO usage VALUES (new.project_id, 'backups', 1, new.size_gib)
    ON CONFLICT DO UPDATE SET count = count + 1, gigabytes = gigabytes + excluded.gigabytes;
END;
CREATE TRIGGER backups_recounted AFTER UPDATE OF deleted_at, size_gib, project_id ON backups BEGIN
    UPDATE usage SET count = count - 1, gigabytes = gigabytes - old.size_gib
    WHERE project_id = old.project_id AND kind = 'backups' AND old.deleted_at IS NULL;
    INSERT INTO usage SELECT new.project_id, 'backups', 1, new.size_gib WHERE new.deleted_at IS NULL
    ON CONFLICT DO UPDATE SET count = count + 1, gigabytes = gigabytes + excluded.gigabytes;
END;
CREATE TRIGGER backups_uncounted AFTER DELETE ON backups WHEN old.deleted_at IS NULL BEGIN
    UPDATE usage SET count = count - 1, gigabytes = gigabytes - old.size_gib
    WHERE project_id = old.project_id AND kind = 'backups';
END;

CREATE TRIGGER volumes_counted AFTER INSERT ON volumes WHEN new.deleted_at IS NULL BEGIN
    INSERT INTO usage VALUES (new.project_id, 'volumes', 1, new.size_gib)
    ON CONFLICT DO UPDATE SET count = count + 1, gigabytes = gigabytes + excluded.gigabytes;
END;
CREATE TRIGGER volumes_recounted AFTER UPDATE OF deleted_at, size_gib, project_id ON volumes BEGIN
    UPDATE usage SET count = count - 1, gigabytes = gigabytes - old.size_gib
    WHERE project_id = old.project_id AND kind = 'volumes' AND old.deleted_at IS NULL;
    INSERT INTO usage SELECT new.project_id, 'volumes', 1, new.size_gib WHERE new.deleted_at IS NULL
    ON CONFLICT DO UPDATE SET count = count + 1, gigabytes = gigabytes + excluded.gigabytes;
END;
CREATE TRIGGER volumes_uncounted AFTER DELETE ON volumes WHEN old.deleted_at IS NULL BEGIN
    UPDATE usage SET count = count - 1, gigabytes = gigabytes - old.size_gib
    WHERE project_id = old.project_id AND kind = 'volumes';
END;

CREATE TRIGGER snapshots_counted AFTER INSERT ON snapshots WHEN new.deleted_at IS NULL BEGIN
    INSERT INTO usage VALUES (new.project_id, 'snapshots', 1, new.size_gib)
    ON CONFLICT DO UPDATE SET count = count + 1, gigabytes = gigabytes + excluded.gigabytes;
END;
CREATE TRIGGER snapshots_recounted AFTER UPDATE OF deleted_at, size_gib, project_id ON snapshots BEGIN
    UPDATE usage SET count = count - 1, gigabytes = gigabytes - old.size_gib
    WHERE project_id = old.project_id AND kind = 'snapshots' AND old.deleted_at IS NULL;
    INSERT INTO usage SELECT new.project_id, 'snapshots', 1, new.size_gib WHERE new.deleted_at IS NULL
    ON CONFLICT DO UPDATE SET count = count + 1, gigabytes = gigabytes + excluded.gigabytes;
END;
CREATE TRIGGER snapshots_uncounted AFTER DELETE ON snapshots WHEN old.deleted_at IS NULL BEGIN
    UPDATE usage SET count = count - 1, gigabytes = gigabytes - old.size_gib
    WHERE project_id = old.project_id AND kind = 'snapshots';
END;

-- Lists: every order that is asked for often, of all projects and of one. `deleted_at` takes no room, being NULL, but with it an
-- index answers alone, so that an offset is skipped several times as fast.
DROP INDEX backups_by_age;
CREATE INDEX backups_by_age ON backups (created_at, id, deleted_at) WHERE deleted_at IS NULL;
CREATE INDEX backups_by_name ON backups (name_key, id, deleted_at) WHERE deleted_at IS NULL;
CREATE INDEX backups_by_size ON backups (size_gib, id, deleted_at) WHERE deleted_at IS NULL;
CREATE INDEX backups_by_status ON backups (status, id, deleted_at) WHERE deleted_at IS NULL;
CREATE INDEX backups_of_project_by_age ON backups (project_id, created_at, id, deleted_at) WHERE deleted_at IS NULL;
CREATE INDEX backups_of_project_by_name ON backups (project_id, name_key, id, deleted_at) WHERE deleted_at IS NULL;
CREATE INDEX backups_of_project_by_size ON backups (project_id, size_gib, id, deleted_at) WHERE deleted_at IS NULL;
CREATE INDEX backups_of_project_by_status ON backups (project_id, status, id, deleted_at) WHERE deleted_at IS NULL;
-- The questions of the operations.
CREATE INDEX backups_by_volume  ON backups (volume_id)   WHERE deleted_at IS NULL;
CREATE INDEX backups_by_path    ON backups (volume_path) WHERE deleted_at IS NULL;
CREATE INDEX backups_placed     ON backups (backend, created_at, id) WHERE placed;
CREATE INDEX backups_unverified ON backups (coalesce(verified_at, updated_at))
    WHERE status = 'available' AND deleted_at IS NULL;

CREATE INDEX volumes_by_age ON volumes (created_at, id, deleted_at) WHERE deleted_at IS NULL;
CREATE INDEX volumes_of_project_by_age ON volumes (project_id, created_at, id, deleted_at) WHERE deleted_at IS NULL;
CREATE INDEX volumes_by_name ON volumes (name_key, id, deleted_at) WHERE deleted_at IS NULL;
CREATE INDEX snapshots_by_age ON snapshots (created_at, id, deleted_at) WHERE deleted_at IS NULL;
CREATE INDEX snapshots_of_project_by_age ON snapshots (project_id, created_at, id, deleted_at) WHERE deleted_at IS NULL;
CREATE INDEX snapshots_by_volume         ON snapshots (volume_id) WHERE deleted_at IS NULL;
CREATE INDEX messages_by_age            ON messages (created_at, id);
CREATE INDEX messages_of_project_by_age ON messages (project_id, created_at, id);
CREATE INDEX messages_by_end            ON messages (expires_at);
