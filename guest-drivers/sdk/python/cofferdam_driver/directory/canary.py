"""Proof that the directory is usable: a folder and an object are made, read back, compared and deleted, each in the way
of a real one, so that whatever would stop a backup stops the canary.

Nothing stays behind, on failure neither. Only a check that is killed in the middle leaves its folder; the next check
removes such folders once they are an hour old, so that they do not pile up while a storage hangs for days.
"""

from .. import log, names
from .._wasi import Err, OutputStream, files, random, streams, wall_clock
from ..errors import Corrupted, Failed
from . import folders, put
from .failure import attempt, error, missing
from .folders import FLAGS, remove
from .get import open_file

_FOLDER = ".cofferdam-canary-"
_OBJECT = "canary"
_ABANDONED_AFTER_SECONDS = 3600


def check(root, path: str) -> None:
    """Makes a canary below the root, which errors call `path`, and removes it."""
    _sweep(root)
    folder = f"{_FOLDER}{random.get_random_u64():016x}"
    try:
        _fly(root, folder, path)
    except Exception:
        # The first failure is the cause; a second one would only be its echo.
        try:
            _clear(root, folder)
        except Err as code:
            log.debug(f"the canary {folder} stays: {code.value.name}")
        raise
    attempt(lambda: _clear(root, folder), f"delete the canary in {path}")


def _fly(root, folder: str, path: str) -> None:
    text = f"cofferdam canary {random.get_random_u64():016x}\n".encode()
    folders.make(root, folder)
    with folders.open(root, folder) as parent:
        put.write(parent, folder, _OBJECT, lambda sink: _write(sink, text))
        with open_file(parent, folder, _OBJECT) as file:
            found, _ = attempt(lambda: file.read(4096, 0), f"read the canary back in {path}")
    if found != text:
        raise Corrupted(f"the canary in {path} was read back with other bytes than were written")


def _write(sink: OutputStream, data: bytes) -> int:
    try:
        sink.blocking_write_and_flush(data)
    except Err as failure:
        if isinstance(failure.value, streams.StreamError_Closed):
            raise Failed("cannot write the canary: the file's stream is closed") from None
        with failure.value.value as cause:
            code, text = files.filesystem_error_code(cause), cause.to_debug_string()
        if code is not None:
            raise error(code, "write the canary") from None
        raise Failed(f"cannot write the canary: {text}") from None
    return len(data)


def _clear(root, folder: str) -> None:
    """Removes a canary's folder and all that a check may have left in it."""
    for file in (_OBJECT, names.part(_OBJECT), names.kept(_OBJECT)):
        remove(root, f"{folder}/{file}")
    try:
        root.remove_directory_at(folder)
    except Err as code:
        if missing(code):
            return
        raise
    root.sync()


def _sweep(root) -> None:
    """Removes what killed checks left. Whatever goes wrong here says nothing about the storage, so it is passed over."""
    now = wall_clock.now().seconds
    try:
        for name in _canaries(root):
            changed = root.stat_at(FLAGS.NO_FOLLOW, name).data_modification_timestamp
            if changed is not None and now - changed.seconds > _ABANDONED_AFTER_SECONDS:
                _clear(root, name)
                log.info(f"removed the abandoned canary {name}")
    except Err as code:
        log.warn(f"an abandoned canary may stay: {code.value.name}")


def _canaries(root) -> list[str]:
    found = []
    with root.read_directory() as entries:
        while (entry := entries.read_directory_entry()) is not None:
            if entry.type == files.DescriptorType.DIRECTORY and entry.name.startswith(_FOLDER):
                found.append(entry.name)
    return found
