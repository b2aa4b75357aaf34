"""Opening and making folders, and the few rules that all of the directory's parts share."""

from .. import names
from .._wasi import Err, files
from ..errors import NotFound, Unavailable
from .failure import attempt, error, missing


class _Flags:
    """Looked up at the first use: outside a component there are no bindings."""

    def __getattr__(self, name):
        flags, path, opening = files.DescriptorFlags, files.PathFlags, files.OpenFlags
        self.NO_FOLLOW, self.FOLLOW = path(0), path.SYMLINK_FOLLOW
        self.PLAIN, self.DIRECTORY = opening(0), opening.DIRECTORY
        self.NEW = opening.CREATE | opening.EXCLUSIVE
        self.READ, self.WRITE = flags.READ, flags.WRITE
        self.CHANGE = flags.READ | flags.MUTATE_DIRECTORY
        return self.__dict__[name]


FLAGS = _Flags()


def open_root(preopen, below: str, path: str):
    """Opens the root. A root that is gone is `Unavailable`, never `NotFound`: it may come back."""
    try:
        root = preopen.open_at(FLAGS.FOLLOW, below, FLAGS.DIRECTORY, FLAGS.CHANGE)
        try:
            links = root.stat().link_count
        except Err:
            root.__exit__(None, None, None)
            raise
    except Err as code:
        if missing(code):
            raise Unavailable(f"the directory {path} is missing") from None
        if code.value.name == "NOT_DIRECTORY":
            raise Unavailable(f"{path} is not a directory") from None
        raise error(code.value, f"open the directory {path}") from None
    if links == 0:
        root.__exit__(None, None, None)
        raise Unavailable(f"the directory {path} was deleted")
    return root


def open(root, folder: str):
    """Opens a folder that must be there."""
    try:
        return _open_at(root, folder)
    except Err as code:
        if missing(code):
            raise NotFound(f"there is no container {folder}") from None
        raise error(code.value, f"open the container {folder}") from None


def make(root, folder: str) -> None:
    """Makes the folder and its parents below the root, each synced into its parent."""
    parent = root
    try:
        for component in folder.split("/"):
            child = attempt(lambda: _make_one(parent, component), f"make the folder {component} of {folder}")
            try:
                attempt(parent.sync, f"sync the parent of the folder {component} of {folder}")
            finally:
                if parent is not root:
                    parent.__exit__(None, None, None)
                parent = child
    finally:
        if parent is not root:
            parent.__exit__(None, None, None)


def remove(folder, file: str) -> None:
    """Removes a file; one that is not there is removed already."""
    try:
        folder.unlink_file_at(file)
    except Err as code:
        if not missing(code):
            raise


def is_file(stat) -> bool:
    """Whether it is a plain file, and so an object."""
    return stat.type == files.DescriptorType.REGULAR_FILE


def shown(folder: str, name: str) -> str:
    """How errors call an object."""
    return f"the object {name} of the container {folder}"


def not_an_object(folder: str, name: str) -> NotFound:
    """The error for what stands under an object's name and is none."""
    return NotFound(f"{shown(folder, name)} is not a plain file, and so no object")


def is_own(name: str, kind) -> bool:
    """Whether an entry of a folder is an object."""
    return kind == files.DescriptorType.REGULAR_FILE and not names.is_reserved(name)


def _make_one(parent, component: str):
    try:
        return _open_at(parent, component)
    except Err as code:
        if not missing(code):
            raise
    try:
        parent.create_directory_at(component)
    except Err as code:
        if code.value.name != "EXIST":
            raise
    return _open_at(parent, component)


def _open_at(parent, folder: str):
    return parent.open_at(FLAGS.FOLLOW, folder, FLAGS.DIRECTORY, FLAGS.CHANGE)
