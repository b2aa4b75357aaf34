"""The driver {{name}}: backups as files in a directory that the deployer grants.

An object is the file `<{{ident}}_path>/<container>/<name>`. All that touches files is the SDK's `Directory`, which writes
under a hidden name, syncs, renames and syncs the folder; this module adds the options, `placement` the names.

No byte of an object enters this program: `Directory.store` and `Directory.read` let the host move them.
"""

import placement
from cofferdam_driver import (
    BackupIdentity,
    BodyInfo,
    ByteRange,
    ContainerPage,
    Driver,
    DriverInfo,
    InputStream,
    ObjectAddress,
    ObjectInfo,
    OptionInfo,
    OptionKind,
    OutputStream,
    Page,
    Placement,
    Settings,
    export,
)
from cofferdam_driver.placement import CINDERS_BLOCK_SIZE, CINDERS_OBJECT_SIZE, Portions

PATH = "{{ident}}_path"
OBJECT_SIZE = "{{ident}}_file_size"
BLOCK_SIZE = "{{ident}}_sha_block_size_bytes"


class Files(Driver):
    """Keeps each object as a file."""

    @classmethod
    def describe(cls) -> DriverInfo:
        return DriverInfo(
            name="{{name}}",
            version="0.1.0",
            vendor="me",
            description="Keeps backups as files in a directory.",
            options=(
                OptionInfo(
                    PATH,
                    OptionKind.DIRECTORY,
                    "The absolute path of the directory that holds the backups.",
                    required=True,
                ),
                OptionInfo(
                    OBJECT_SIZE,
                    OptionKind.SIZE,
                    f"Bytes of volume in one object: a positive multiple of {BLOCK_SIZE}.",
                    default=str(CINDERS_OBJECT_SIZE),
                ),
                OptionInfo(
                    BLOCK_SIZE,
                    OptionKind.SIZE,
                    "Bytes of volume for which one SHA-256 is kept, the unit of incremental backups: 1 to 4294967295.",
                    default=str(CINDERS_BLOCK_SIZE),
                ),
            ),
        )

    def __init__(self, settings: Settings):
        self.portions = Portions.from_settings(settings, OBJECT_SIZE, BLOCK_SIZE)
        self.directory = settings.required_directory(PATH)

    def check_for_setup_error(self) -> None:
        self.directory.check()

    def probe(self) -> None:
        self.directory.probe()

    def place_backup(self, backup: BackupIdentity, container: str | None) -> Placement:
        return placement.place(backup, container, self.portions)

    def create_container(self, container: str) -> None:
        self.directory.create_dir_all(container)

    def put_object(self, at: ObjectAddress, body: InputStream, info: BodyInfo) -> None:
        self.directory.store(at.container, at.name, body, info)

    def get_object(self, at: ObjectAddress, range: ByteRange | None, sink: OutputStream) -> int:
        return self.directory.read(at.container, at.name, range, sink)

    def stat_object(self, at: ObjectAddress) -> ObjectInfo:
        return ObjectInfo(at.name, self.directory.stat(at.container, at.name))

    def delete_object(self, at: ObjectAddress) -> None:
        self.directory.delete(at.container, at.name)

    def list_objects(self, container: str, prefix: str, after: str | None, limit: int) -> Page:
        return self.directory.list(container, prefix, after, limit)

    def list_containers(self, after: str | None, limit: int) -> ContainerPage:
        return self.directory.list_containers(after, limit)


BackupDriver, ObjectStore = export(Files)
