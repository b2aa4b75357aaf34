"""The contract as one abstract class. `wit/0.1.0` says what each function promises; the same words stand here."""

from abc import ABC, abstractmethod

from ._wasi import InputStream, OutputStream
from .contract import (
    BackupIdentity,
    BodyInfo,
    ByteRange,
    ContainerPage,
    DriverInfo,
    ObjectAddress,
    ObjectInfo,
    Page,
    Placement,
)
from .errors import Unsupported
from .settings import Settings


class Driver(ABC):
    """A volume-backup driver. Its constructor is the contract's `do-setup`: cheap, without side effects on the storage.

    The SDK keeps the one driver that the last set-up made and answers calls that come before it. Calls come one at a
    time; what the driver remembers between them may be lost at any moment, for the next call may meet a new instance.
    Failures are raised as the exceptions of `cofferdam_driver.errors`. A driver never retries in a loop: the host does.
    """

    @classmethod
    @abstractmethod
    def describe(cls) -> DriverInfo:
        """Name, version, options, needs. No side effects, no input: always the same answer."""

    @abstractmethod
    def __init__(self, settings: Settings):
        """Configures this instance. Called again with other settings, by a new driver in this one's place."""

    @abstractmethod
    def check_for_setup_error(self) -> None:
        """Proves that the backend is usable: writes a canary object, reads it back, deletes it. May be dear.
        Leaves nothing behind, on failure neither."""

    @abstractmethod
    def probe(self) -> None:
        """Whether the backend still works: called every interval. Cheap, no side effects."""

    @abstractmethod
    def place_backup(self, backup: BackupIdentity, container: str | None) -> Placement:
        """Container and object prefix for a new backup. Names it without creating anything. `container` is what the
        user asked for. The prefix must hold the backup's id, so that no two backups share one."""

    @abstractmethod
    def create_container(self, container: str) -> None:
        """Makes the container if it is missing; succeeds when it is there."""

    @abstractmethod
    def put_object(self, at: ObjectAddress, body: InputStream, info: BodyInfo) -> None:
        """Stores the whole body under the name, replacing what was there. Atomic and durable: after success the object
        survives a power cut; after any failure nothing is visible under the name but what was there before. A body that
        fails must be discarded. `cofferdam_driver.pipe.store` moves it."""

    @abstractmethod
    def get_object(self, at: ObjectAddress, range: ByteRange | None, sink: OutputStream) -> int:
        """Writes the object, or the range of it, to the sink and says how many bytes that were. A range that reaches
        past the end is cut there; one that begins past the end gives 0 bytes. `cofferdam_driver.pipe.fetch` moves them."""

    @abstractmethod
    def stat_object(self, at: ObjectAddress) -> ObjectInfo:
        """`NotFound` when it is not there."""

    @abstractmethod
    def delete_object(self, at: ObjectAddress) -> None:
        """Deletes the object for good. Deleting what is absent succeeds."""

    @abstractmethod
    def list_objects(self, container: str, prefix: str, after: str | None, limit: int) -> Page:
        """Objects of the container whose names begin with `prefix` and come after `after` in byte order, at most
        `limit` (1 to 1000, which the SDK has checked). Complete or an error, never a short success. A missing container
        is `NotFound`."""

    def list_containers(self, after: str | None, limit: int) -> ContainerPage:
        """Containers in which this driver may have placed backups, as far as it can tell. `Unsupported` when it
        cannot."""
        raise Unsupported("this driver cannot list its containers")
