"""Listing the objects of one folder, and the folders that hold any: complete, or an error.

An object is a plain file whose name is not one of the SDK's own; folders, links and the like are not. A name that is not
UTF-8 cannot be told to the host, and to leave it out would be a short success, so it is an error. What vanishes while a
folder is read was deleted or renamed by someone else and is simply not there. Symbolic links are not followed, so that
the walk for containers ends.

Bound: the names of one page; of a walk also one open folder and its subfolders' names per level. Cost: each page reads
the whole folder once and asks the size of each name on the page; a page of containers walks all folders that may hold
names of it.
"""

from collections.abc import Iterator

from .. import names
from .._wasi import Err, files
from ..contract import ContainerPage, ObjectInfo, Page
from ..errors import DriverError
from ..page import Picker
from .failure import attempt, error, missing
from .folders import FLAGS, is_file, is_own, shown

#: Vanished files that one reading of a folder puts up with; a host whose listing never ends is found out so.
_VANISHED = 10_000


def objects(parent, folder: str, prefix: str, after: str | None, limit: int) -> Page:
    """The page of the folder's objects that begin with `prefix` and come after `after`."""
    while True:
        picker: Picker[None] = Picker(prefix, after, limit)
        for name, kind in _entries(parent, f"list the container {folder}"):
            if is_own(name, kind):
                picker.take(name, None)
        taken, more = picker.finish()
        found = [name for name, _ in taken]
        sized = _with_sizes(parent, folder, found)
        # All of the page vanished meanwhile: the caller could not go on from an empty page.
        if sized or not more:
            return Page(sized, more)
        after = found[-1]


def containers(root, after: str | None, limit: int) -> ContainerPage:
    """The page of the folders below the root, however deep, that hold objects."""
    picker: Picker[None] = Picker("", after, limit)
    _walk(root, "", after or "", picker)
    taken, more = picker.finish()
    return ContainerPage([name for name, _ in taken], more)


def _walk(parent, path: str, after: str, picker: Picker) -> bool:
    """Looks at the folders in `parent`, whose path is `path` (with a `/` at its end, but for the root)."""
    holds_objects = False
    folders = []
    for name, kind in _entries(parent, f"list the folder {path}"):
        if kind == files.DescriptorType.DIRECTORY:
            folders.append(name)
        elif is_own(name, kind):
            holds_objects = True
    for name in folders:
        folder = path + name
        below = folder + "/"
        if not _may_be_container(folder) or (below < after and not after.startswith(below)):
            continue
        try:
            opened = parent.open_at(FLAGS.NO_FOLLOW, name, FLAGS.DIRECTORY, FLAGS.READ)
        except Err as code:
            if missing(code):
                continue
            raise error(code.value, f"open the folder {folder}") from None
        with opened:
            if _walk(opened, below, after, picker):
                picker.take(folder, None)
    return holds_objects


def _may_be_container(folder: str) -> bool:
    try:
        names.check_folder(folder)
    except DriverError:
        # No backup was ever placed there.
        return False
    return True


def _entries(folder, what: str) -> Iterator[tuple[str, object]]:
    vanished = 0
    with attempt(folder.read_directory, what) as stream:
        while True:
            try:
                entry = stream.read_directory_entry()
            except Err as code:
                vanished += 1
                if missing(code) and vanished <= _VANISHED:
                    continue
                raise error(code.value, what) from None
            if entry is None:
                return
            yield entry.name, entry.type


def _with_sizes(parent, folder: str, found: list[str]) -> list[ObjectInfo]:
    sized = []
    for name in found:
        try:
            stat = parent.stat_at(FLAGS.NO_FOLLOW, name)
        except Err as code:
            if missing(code):
                continue
            raise error(code.value, f"look at {shown(folder, name)}") from None
        if is_file(stat):
            sized.append(ObjectInfo(name, stat.size))
    return sized
