"""The values that a driver and its host exchange, as in `wit/0.1.0/types.wit`. Plain, and free of the bindings."""

from dataclasses import dataclass
from enum import Enum, Flag


class OptionKind(Enum):
    """What one option's value is, and so what the host checks before the driver sees it."""

    TEXT = 0
    #: A whole number; the option's description says of what.
    INTEGER = 1
    #: A number of bytes. The deployer may write `"64MiB"`; the driver gets an integer.
    SIZE = 2
    #: A span of time. The deployer may write `"30s"`; the driver gets milliseconds.
    DURATION = 3
    BOOLEAN = 4
    #: The absolute path of a directory that the driver reads and writes, and that the deployer must grant.
    DIRECTORY = 5
    #: The same, but the driver only reads.
    READ_ONLY_DIRECTORY = 6
    #: A key, a password: the driver gets its name and never its value.
    SECRET = 7
    #: An `http` or `https` URL that the driver will send requests to; scheme, host and port must be granted.
    URL = 8
    #: A file of certificates that the host trusts besides the system's. The driver need not care.
    TLS_CA_FILE = 9
    #: Whether the host checks certificates. The driver need not care.
    TLS_VERIFY = 10
    #: The same the other way round.
    TLS_INSECURE = 11
    #: The proxy through which the host sends `http` requests. The driver need not care.
    HTTP_PROXY = 12
    #: The same for `https`.
    HTTPS_PROXY = 13


class BodyNeeds(Flag):
    """What a driver must know of an object before it can store it. With any, the host collects the object first."""

    NOTHING = 0
    SIZE = 1
    MD5 = 2
    SHA256 = 4
    CRC32C = 8


@dataclass(frozen=True)
class OptionInfo:
    """One option that a driver takes."""

    name: str
    kind: OptionKind
    #: One sentence: what it does, its unit and range.
    description: str
    #: A backend without a required option is refused before `do_setup`.
    required: bool = False
    #: What the driver assumes when the option is absent, as text for people.
    default: str | None = None


@dataclass(frozen=True)
class DriverInfo:
    """What a driver says of itself."""

    #: Short name, lower case.
    name: str
    version: str
    vendor: str
    #: One sentence.
    description: str
    #: Every option that the driver takes; a setting that is not listed never reaches it.
    options: tuple[OptionInfo, ...] = ()
    needs: BodyNeeds = BodyNeeds.NOTHING
    #: The greatest object in bytes that the storage can hold; None: no limit of its own.
    greatest_object: int | None = None
    #: Whether the driver wants to send HTTP requests. It still needs the deployer's grant.
    wants_http: bool = False


@dataclass(frozen=True)
class BackupIdentity:
    """Which backup is to be placed."""

    #: UUID in lower case.
    backup_id: str
    #: UUID in lower case.
    volume_id: str
    #: UTC start of the backup as `YYYYMMDDHHMMSS`.
    timestamp: str
    availability_zone: str


@dataclass(frozen=True)
class Placement:
    """Where a backup goes, and in what portions. Recorded by the host and never computed again."""

    container: str
    #: All names of the backup's objects begin with it. Never empty; at most 255 bytes.
    prefix: str
    #: Bytes of volume per object: a multiple of `block_size`.
    object_size: int
    #: Bytes per SHA-256 block.
    block_size: int


@dataclass(frozen=True)
class ObjectAddress:
    """Where an object is."""

    container: str
    name: str


@dataclass(frozen=True)
class BodyInfo:
    """What the host knows of a body: all that the driver's `needs` asked for, perhaps more. Digests in lower-case hex."""

    size: int | None = None
    md5: str | None = None
    sha256: str | None = None
    crc32c: int | None = None


@dataclass(frozen=True)
class ByteRange:
    """`length` bytes from `offset`; without a length, to the end."""

    offset: int
    length: int | None = None


@dataclass(frozen=True)
class ObjectInfo:
    """An object of a listing. `size`: stored bytes."""

    name: str
    size: int


@dataclass(frozen=True)
class Page:
    """One page of a listing, in ascending byte order. `more`: more may follow after the last name."""

    objects: list[ObjectInfo]
    more: bool


@dataclass(frozen=True)
class ContainerPage:
    """One page of a listing of containers, in ascending byte order. `more`: more may follow after the last name."""

    containers: list[str]
    more: bool
