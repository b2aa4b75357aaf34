//! The columns that lists may be filtered and sorted by, with Cinder's names.
//!
//! A list's SQL is built from these enums alone: whatever a user writes is either the name of a variant or a bound value.

use std::str::FromStr;

/// How a column's values are written and compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Text,
    /// An id.
    Id,
    /// A whole number.
    Integer,
    /// True or false.
    Boolean,
    /// A moment.
    Time,
}

/// A column of one kind of record.
pub trait Column: Copy + PartialEq + std::fmt::Debug + FromStr<Err = String> + Send + Sync + 'static {
    /// The table.
    const TABLE: &'static str;
    /// Whether the table's rows are kept when they are deleted.
    const SOFT_DELETED: bool;
    /// The column that ties are ordered by.
    const ID: Self;
    /// The newest first: what a list is ordered by when nothing is asked for.
    const AGE: Self;

    /// Its name in the database.
    fn sql(self) -> &'static str;
    /// What its values are.
    fn kind(self) -> Kind;
    /// Whether it may be without a value. Such a row is sorted as one with an empty text.
    fn nullable(self) -> bool;
}

macro_rules! columns {
    ($(#[$doc:meta])* $name:ident of $table:literal, soft_deleted $soft:literal, {
        $($variant:ident $kind:ident $nullable:literal $sql:literal $(, $also:literal)*;)+
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[allow(missing_docs, reason = "the names are Cinder's columns")]
        pub enum $name {
            $($variant,)+
        }

        impl $name {
            /// All of them.
            pub const ALL: &'static [$name] = &[$($name::$variant,)+];
        }

        impl Column for $name {
            const TABLE: &'static str = $table;
            const SOFT_DELETED: bool = $soft;
            const ID: Self = $name::Id;
            const AGE: Self = $name::CreatedAt;

            fn sql(self) -> &'static str {
                match self {
                    $($name::$variant => $sql,)+
                }
            }

            fn kind(self) -> Kind {
                match self {
                    $($name::$variant => Kind::$kind,)+
                }
            }

            fn nullable(self) -> bool {
                match self {
                    $($name::$variant => $nullable,)+
                }
            }
        }

        impl FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                match text {
                    $($sql $(| $also)* => Ok($name::$variant),)+
                    _ => Err(format!("{text:?} is no column of {}", $table)),
                }
            }
        }
    };
}

columns! {
    /// Columns of backups.
    BackupColumn of "backups", soft_deleted true, {
        Id Id false "id";
        Status Text false "status";
        Name Text true "name", "display_name";
        Description Text true "description", "display_description";
        CreatedAt Time false "created_at";
        UpdatedAt Time false "updated_at";
        Size Integer false "size_gib", "size";
        VolumeId Id false "volume_id";
        Container Text true "container";
        AvailabilityZone Text false "availability_zone";
        ProjectId Text false "project_id", "tenant_id";
        UserId Text false "user_id";
        Host Text false "host";
        Backend Text false "backend", "service";
        FailReason Text true "fail_reason";
        ObjectCount Integer false "object_count";
        DataTimestamp Time false "data_timestamp";
        ParentId Id true "parent_id";
        SnapshotId Id true "snapshot_id";
        RestoreVolumeId Id true "restore_volume_id";
        ServiceMetadata Text true "prefix", "service_metadata";
        VerifiedAt Time true "verified_at";
    }
}

columns! {
    /// Columns of volumes.
    VolumeColumn of "volumes", soft_deleted true, {
        Id Id false "id";
        Status Text false "status";
        Name Text true "name", "display_name";
        Description Text true "description", "display_description";
        CreatedAt Time false "created_at";
        UpdatedAt Time false "updated_at";
        Size Integer false "size_gib", "size";
        Location Text false "location";
        VolumeType Text false "volume_type", "volume_type_id";
        AvailabilityZone Text false "availability_zone";
        Bootable Boolean false "bootable";
        ReadOnly Boolean false "read_only", "readonly";
        Managed Boolean false "managed";
        ProjectId Text false "project_id", "tenant_id";
        UserId Text false "user_id";
        SnapshotId Id true "snapshot_id";
        SourceVolumeId Id true "source_volume_id", "source_volid";
        BackupId Id true "backup_id";
        FailReason Text true "fail_reason";
    }
}

columns! {
    /// Columns of snapshots.
    SnapshotColumn of "snapshots", soft_deleted true, {
        Id Id false "id";
        Status Text false "status";
        Name Text true "name", "display_name";
        Description Text true "description", "display_description";
        CreatedAt Time false "created_at";
        UpdatedAt Time false "updated_at";
        Size Integer false "size_gib", "size", "volume_size";
        VolumeId Id false "volume_id";
        ProjectId Text false "project_id", "tenant_id";
        UserId Text false "user_id";
    }
}

columns! {
    /// Columns of messages.
    MessageColumn of "messages", soft_deleted false, {
        Id Id false "id";
        EventId Text false "event_id";
        ResourceType Text false "resource_type";
        ResourceUuid Id true "resource_uuid";
        RequestId Text true "request_id";
        Level Text false "level", "message_level";
        ProjectId Text false "project_id";
        CreatedAt Time false "created_at";
        ExpiresAt Time false "expires_at", "guaranteed_until";
    }
}
