"""Writing an object so that it is there whole or not at all, and stays after a power cut.

Written under a hidden name, synced, renamed, folder synced. The hidden name is the same for every attempt and the file
behind it always new: a put that was killed leaves one file that the next attempt removes, and a put that hangs in the
kernel and comes back later writes into a file that has no name any more. That the name still belongs to this put is
checked before the rename.

A sync that failed is never tried again (the kernel may have dropped the pages and would then say yes): the put fails. If
that happens to the folder, after the rename, what was there before is put back: a replaced object is kept by a second
link until its successor is safe. On a file system without hard links that last step is impossible; there the new object
stays visible although the put reports the failure.

Cost: about twelve calls into the host per object, whatever its size, and two syncs.
"""

from collections.abc import Callable

from .. import log, names
from .._wasi import Err, OutputStream, files
from ..errors import AlreadyExists, Failed
from .failure import attempt, error, missing
from .folders import FLAGS, remove, shown


def write(parent, folder: str, name: str, fill: Callable[[OutputStream], int]) -> int:
    """Makes or replaces the object with what `fill` writes, which says how many bytes that are."""
    part = names.part(name)
    attempt(lambda: remove(parent, part), f"clear away an unfinished put of {shown(folder, name)}")
    try:
        written = _write_part(parent, part, shown(folder, name), fill)
        _publish(parent, part, folder, name)
        return written
    except BaseException:
        _remove_or_warn(parent, part, f"the unfinished file {part} stays in {folder}")
        raise


def _write_part(parent, part: str, object: str, fill: Callable[[OutputStream], int]) -> int:
    """Writes and syncs the hidden file, and makes sure that it is whole and still the one under its name."""
    made = attempt(lambda: parent.open_at(FLAGS.NO_FOLLOW, part, FLAGS.NEW, FLAGS.WRITE), f"make a file for {object}")
    with made as file:
        with attempt(lambda: file.write_via_stream(0), f"write {object}") as sink:
            written = fill(sink)
        size = attempt(file.stat, f"look at {object} after writing").size
        if size != written:
            raise Failed(f"{object}: {written} bytes were written, the file has {size}")
        attempt(file.sync, f"sync {object}")
        ours = attempt(file.metadata_hash, f"identify {object}")
        try:
            if parent.metadata_hash_at(FLAGS.NO_FOLLOW, part) == ours:
                return written
        except Err as code:
            if not missing(code):
                raise error(code.value, f"identify {object}") from None
        raise Failed(f"another put or delete of {object} came in between")


def _publish(parent, part: str, folder: str, name: str) -> None:
    """Gives the whole and synced file its name, for good."""
    object = shown(folder, name)
    there, kept = False, None
    try:
        there = True
        if parent.stat_at(FLAGS.NO_FOLLOW, name).type == files.DescriptorType.DIRECTORY:
            raise AlreadyExists(f"a folder stands in the place of {object}")
        kept = _keep(parent, name)
    except Err as code:
        if not missing(code):
            raise error(code.value, f"look at {object}") from None
        there = False
    try:
        attempt(lambda: parent.rename_at(part, parent, name), f"rename the finished file to {object}")
        try:
            attempt(parent.sync, f"sync the folder {folder}")
        except Exception:
            _put_back(parent, name, object, there, kept)
            raise
    finally:
        if kept is not None:
            _remove_or_warn(parent, kept, f"the replaced object's file {kept} stays in {folder}")


def _keep(parent, name: str) -> str | None:
    """A second link to the object, or None where there are no hard links."""
    kept = names.kept(name)
    try:
        remove(parent, kept)
        parent.link_at(FLAGS.NO_FOLLOW, name, parent, kept)
    except Err:
        return None
    return kept


def _put_back(parent, name: str, object: str, there: bool, kept: str | None) -> None:
    try:
        if not there:
            parent.unlink_file_at(name)
        elif kept is not None:
            parent.rename_at(kept, parent, name)
        else:
            log.error(f"{object} could not be put back: there are no hard links here")
    except Err as code:
        log.error(f"{object} could not be put back: {code.value.name}")


def _remove_or_warn(parent, file: str, what: str) -> None:
    try:
        remove(parent, file)
    except Err as code:
        log.warn(f"{what}: {code.value.name}")
