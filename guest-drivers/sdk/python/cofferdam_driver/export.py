"""From the component's exports to a `Driver`.

componentize-py looks in the app's module for the classes `BackupDriver` and `ObjectStore`; `export` makes them for a
driver. They do what is the same for every driver: a call before `do-setup` is an error with the function's name, a
repeated `do-setup` forgets the old settings, a page limit outside the contract is refused, exceptions become the
contract's errors. Cost: one wrapper per call.
"""

import traceback
from collections.abc import Callable

from . import log
from ._wasi import Err, types
from .contract import BackupIdentity, BodyInfo, ByteRange, DriverInfo, ObjectAddress
from .driver import Driver
from .errors import (
    AlreadyExists,
    Corrupted,
    DriverError,
    Failed,
    InvalidConfiguration,
    NotFound,
    OutOfSpace,
    Throttled,
    Unauthorized,
    Unavailable,
    Unsupported,
)
from .settings import Settings

LONGEST_MESSAGE = 500


def export(driver: type[Driver]) -> tuple[type, type]:
    """Makes the two classes that a component exports. Once, at the end of the app's module:

    `BackupDriver, ObjectStore = export(MyDriver)`
    """
    current: list[Driver] = []

    def after_setup(function: str) -> Driver:
        if not current:
            raise Failed(f"{function} was called before a do-setup that succeeded")
        return current[0]

    class BackupDriver:
        def describe(self):
            return _info(driver.describe())

        @_boundary
        def do_setup(self, settings):
            current.clear()
            current.append(driver(Settings({setting.name: setting.value.value for setting in settings})))

        @_boundary
        def check_for_setup_error(self):
            after_setup("check-for-setup-error").check_for_setup_error()

        @_boundary
        def probe(self):
            after_setup("probe").probe()

        @_boundary
        def place_backup(self, backup, container):
            identity = BackupIdentity(
                backup.backup_id, backup.volume_id, backup.timestamp, backup.availability_zone
            )
            placed = after_setup("place-backup").place_backup(identity, container)
            return types.Placement(placed.container, placed.prefix, placed.object_size, placed.block_size)

    class ObjectStore:
        @_boundary
        def create_container(self, container):
            after_setup("create-container").create_container(container)

        @_boundary
        def put_object(self, at, body, info):
            known = BodyInfo(info.size, info.md5, info.sha256, info.crc32c)
            after_setup("put-object").put_object(_address(at), body, known)

        @_boundary
        def get_object(self, at, range, sink):
            wanted = None if range is None else ByteRange(range.offset, range.length)
            return after_setup("get-object").get_object(_address(at), wanted, sink)

        @_boundary
        def stat_object(self, at):
            found = after_setup("stat-object").stat_object(_address(at))
            return types.ObjectInfo(found.name, found.size)

        @_boundary
        def delete_object(self, at):
            after_setup("delete-object").delete_object(_address(at))

        @_boundary
        def list_objects(self, container, prefix, after, limit):
            lister = after_setup("list-objects")
            _check_limit("list-objects", limit)
            page = lister.list_objects(container, prefix, after, limit)
            return types.Page([types.ObjectInfo(found.name, found.size) for found in page.objects], page.more)

        @_boundary
        def list_containers(self, after, limit):
            lister = after_setup("list-containers")
            _check_limit("list-containers", limit)
            page = lister.list_containers(after, limit)
            return types.ContainerPage(list(page.containers), page.more)

    return BackupDriver, ObjectStore


def _boundary(method: Callable) -> Callable:
    """Turns whatever is raised into the contract's error, with nothing of the program's inside in it."""

    def call(*arguments):
        try:
            return method(*arguments)
        except Exception as error:
            if not isinstance(error, DriverError):
                log.debug("".join(traceback.format_exception(error)))
            told = _error(error)
        # Raised out here, so that the old exception's frames, and the resources in them, are gone.
        raise Err(told)

    return call


def _error(error: Exception):
    if isinstance(error, InvalidConfiguration):
        return types.Error_InvalidConfiguration(types.InvalidOption(error.option, error.reason))
    if isinstance(error, Throttled):
        return types.Error_Throttled(types.Throttle(error.retry_after, error.text))
    for kind, made in (
        (Unauthorized, types.Error_Unauthorized),
        (Unavailable, types.Error_Unavailable),
        (NotFound, types.Error_NotFound),
        (AlreadyExists, types.Error_AlreadyExists),
        (OutOfSpace, types.Error_OutOfSpace),
        (Corrupted, types.Error_Corrupted),
        (Unsupported, types.Error_Unsupported),
        (DriverError, types.Error_Failed),
    ):
        if isinstance(error, kind):
            return made(error.text)
    return types.Error_Failed(f"{type(error).__name__}: {error}"[:LONGEST_MESSAGE])


def _info(info: DriverInfo):
    options = [
        types.OptionInfo(
            option.name, types.OptionKind(option.kind.value), option.required, option.default, option.description
        )
        for option in info.options
    ]
    return types.DriverInfo(
        info.name,
        info.version,
        info.vendor,
        info.description,
        options,
        types.BodyNeeds(info.needs.value),
        info.greatest_object,
        info.wants_http,
    )


def _address(at) -> ObjectAddress:
    return ObjectAddress(at.container, at.name)


def _check_limit(function: str, limit: int) -> None:
    if not 1 <= limit <= 1000:
        raise Unsupported(f"{function}: the limit is {limit}, not 1 to 1000")
