"""In what portions a volume is stored, and how a backup's objects are called. Pure.

Source of the names and defaults: cinder/backup/drivers/posix.py.
"""

from dataclasses import dataclass

from .contract import BackupIdentity
from .errors import InvalidConfiguration
from .settings import Settings

#: Cinder's default of `backup_file_size`: the multiple of 32768 next below 2 GB.
CINDERS_OBJECT_SIZE = 1_999_994_880
#: Cinder's default of `backup_sha_block_size_bytes`.
CINDERS_BLOCK_SIZE = 32768

_GREATEST_BLOCK = (1 << 32) - 1


@dataclass(frozen=True)
class Portions:
    """Bytes of volume per object and per SHA-256."""

    object_size: int = CINDERS_OBJECT_SIZE
    block_size: int = CINDERS_BLOCK_SIZE

    @classmethod
    def from_settings(
        cls,
        settings: Settings,
        object_option: str,
        block_option: str,
        object_size: int = CINDERS_OBJECT_SIZE,
        block_size: int = CINDERS_BLOCK_SIZE,
    ) -> "Portions":
        """Reads both options; the sizes are the defaults. An object is a positive multiple of a block."""
        block = settings.size(block_option)
        block = block_size if block is None else block
        wanted = settings.size(object_option)
        if not 1 <= block <= _GREATEST_BLOCK:
            raise InvalidConfiguration(block_option, f"expected 1 to {_GREATEST_BLOCK} bytes, found {block}")
        if wanted is None:
            wanted = object_size
            if wanted % block:
                # Who wrote the one option is told of that one.
                raise InvalidConfiguration(
                    block_option,
                    f"{block} does not divide the default of {object_option} ({object_size}): set that, too",
                )
        if wanted == 0 or wanted % block:
            raise InvalidConfiguration(
                object_option, f"expected a positive multiple of {block_option} ({block}), found {wanted}"
            )
        return cls(wanted, block)


def prefix(backup: BackupIdentity) -> str:
    """What the names of a backup's objects begin with."""
    return f"volume_{backup.volume_id}_{backup.timestamp}_backup_{backup.backup_id}"
