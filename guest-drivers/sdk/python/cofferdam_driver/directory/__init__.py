"""Objects as files below one granted directory, in the format of the posix driver.

Problem: paths come from settings, users and records, files must survive a power cut, and a listing must be complete.
Solved by descriptor-relative WASI calls only: the root is opened anew for each call (so that what is mounted or mended
meanwhile is seen), every folder and file is opened below it, and the sandbox lets no path and no symbolic link lead out
of it. A folder may be reached through a symbolic link that stays below the root; an object is a plain file and never a
link.

Bound: a few descriptors per call, closed by `with`, and of a listing only the page; no object's byte enters the guest.
Cost: one open of the root and one of the folder per call. Modes come from the host's umask: WASI has no chmod.

One file per purpose: `grant` finds the preopen, `folders` opens and makes folders, `put` and `get` move objects,
`listing` makes pages, `canary` proves that all of it works, `failure` turns WASI's codes into errors.
"""

from collections.abc import Callable

from .. import names
from .._wasi import Err, InputStream, OutputStream, preopens
from ..contract import BodyInfo, ByteRange, ContainerPage, Page
from ..errors import NotFound
from ..pipe import store
from . import canary, folders, get, grant, listing, put
from .failure import attempt, error, missing
from .folders import FLAGS, is_file, not_an_object, remove, shown


class Directory:
    """A directory that the deployer granted, or one below it."""

    def __init__(self, preopen, below: str, path: str):
        self._preopen = preopen
        self._below = below
        #: As the deployer wrote it.
        self.path = path

    @classmethod
    def granted(cls, path: str) -> "Directory":
        """Finds the grant that covers the absolute path. Opens nothing: a directory that is missing is found out by the
        first call that uses it, as `Unavailable`. Raises `ValueError` with a reason fit for `InvalidConfiguration`."""
        granted = preopens.get_directories()
        try:
            index, below = grant.find([name for _, name in granted], path)
            preopen, _ = granted.pop(index)
        finally:
            for descriptor, _ in granted:
                descriptor.__exit__(None, None, None)
        return cls(preopen, below, path)

    def probe(self) -> None:
        """Whether the directory is still there and can be opened. Changes nothing."""
        with self._root():
            pass

    def check(self) -> None:
        """Writes a canary object under the root, reads it back, compares, deletes. Leaves nothing behind."""
        with self._root() as root:
            canary.check(root, self.path)

    def create_dir_all(self, folder: str) -> None:
        """Makes the folder and whatever is missing on the way to it. After success all of it survives a power cut;
        therefore parents are synced even of folders that are there, since who made them may have been cut off."""
        names.check_folder(folder)
        with self._root() as root:
            folders.make(root, folder)

    def write_atomically(self, folder: str, name: str, fill: Callable[[OutputStream], int]) -> int:
        """Makes or replaces the object with what `fill` writes; `fill` says how many bytes it wrote, and so does this.
        The folder must be there. After an error the object is what it was before."""
        names.check_object(name)
        with self._folder(folder) as parent:
            return put.write(parent, folder, name, fill)

    def store(self, folder: str, name: str, body: InputStream, info: BodyInfo) -> int:
        """Makes or replaces the object with the body of a put; says how many bytes."""
        return self.write_atomically(folder, name, lambda sink: store(body, sink, info))

    def read(self, folder: str, name: str, range: ByteRange | None, sink: OutputStream) -> int:
        """Writes the object, or the range of it, to the sink; says how many bytes. A range is cut at the object's end;
        one that begins past it gives 0 bytes."""
        names.check_object(name)
        with self._folder(folder) as parent:
            return get.read(parent, folder, name, range, sink)

    def stat(self, folder: str, name: str) -> int:
        """The size of the object, or `NotFound`."""
        names.check_object(name)
        with self._folder(folder) as parent:
            found = attempt(lambda: parent.stat_at(FLAGS.NO_FOLLOW, name), f"look at {shown(folder, name)}")
        if not is_file(found):
            raise not_an_object(folder, name)
        return found.size

    def delete(self, folder: str, name: str) -> None:
        """Deletes the object for good, and what an unfinished put of it left. Succeeds when nothing is there; what
        stands under the name and is no plain file is no object and stays."""
        names.check_object(name)
        try:
            parent = self._folder(folder)
        except NotFound:
            return
        with parent:
            for file in (name, names.part(name), names.kept(name)):
                try:
                    if not is_file(parent.stat_at(FLAGS.NO_FOLLOW, file)):
                        continue
                except Err as code:
                    if missing(code):
                        continue
                    raise error(code.value, f"look at {shown(folder, file)}") from None
                attempt(lambda: remove(parent, file), f"delete {shown(folder, file)}")
            # Also when nothing was there: an earlier delete may have been cut off before this.
            attempt(parent.sync, f"sync the folder {folder}")

    def list(self, folder: str, prefix: str, after: str | None, limit: int) -> Page:
        """The page of the folder's objects that begin with `prefix` and come after `after`, at most `limit`."""
        with self._folder(folder) as parent:
            return listing.objects(parent, folder, prefix, after, limit)

    def list_containers(self, after: str | None, limit: int) -> ContainerPage:
        """The page of the folders with objects in them that come after `after`, at most `limit`."""
        with self._root() as root:
            return listing.containers(root, after, limit)

    def _root(self):
        return folders.open_root(self._preopen, self._below, self.path)

    def _folder(self, folder: str):
        names.check_folder(folder)
        with self._root() as root:
            return folders.open(root, folder)
