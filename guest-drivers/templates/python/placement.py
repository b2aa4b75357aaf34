"""Where a new backup goes, and how its objects are called: as Cinder's posix driver has it. Pure, and so tested alone."""

from cofferdam_driver import BackupIdentity, Placement, names
from cofferdam_driver.errors import Unsupported
from cofferdam_driver.placement import Portions, prefix


def place(backup: BackupIdentity, container: str | None, portions: Portions) -> Placement:
    """The container that the user asked for, else one named after the backup."""
    backup_id = backup.backup_id
    if container is None:
        if len(backup_id) < 4 or not backup_id.isascii():
            raise Unsupported(f"the backup id {backup_id!a} is not a UUID")
        container = f"{backup_id[:2]}/{backup_id[2:4]}/{backup_id}"
    names.check_folder(container)
    names.check_object(prefix(backup))
    return Placement(container, prefix(backup), portions.object_size, portions.block_size)
