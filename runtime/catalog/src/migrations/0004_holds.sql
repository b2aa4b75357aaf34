-- The volume that a backup holds while it is made, so that another backup of the same file does not let go of it.
-- Forward only. What is being made while the schema changes is put right by the start of the service, which asks the volumes.
ALTER TABLE backups ADD COLUMN held_volume_id TEXT;
