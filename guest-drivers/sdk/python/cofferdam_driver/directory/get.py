"""Reading an object, or a range of it, into a sink without letting its bytes into the guest."""

from .._wasi import OutputStream
from ..contract import ByteRange
from ..pipe import fetch
from .failure import attempt
from .folders import FLAGS, is_file, not_an_object, shown


def read(parent, folder: str, name: str, range: ByteRange | None, sink: OutputStream) -> int:
    """Writes what there is of the range to the sink; says how many bytes."""
    with open_file(parent, folder, name) as file:
        size = attempt(file.stat, f"look at {shown(folder, name)}").size
        offset, length = cut(range, size)
        if length == 0:
            return 0
        with attempt(lambda: file.read_via_stream(offset), f"read {shown(folder, name)}") as source:
            return fetch(source, sink, length)


def open_file(parent, folder: str, name: str):
    """Opens a plain file for reading. Looked at first, because opening a named pipe would wait for its writer."""
    what = shown(folder, name)
    if not is_file(attempt(lambda: parent.stat_at(FLAGS.NO_FOLLOW, name), f"look at {what}")):
        raise not_an_object(folder, name)
    return attempt(lambda: parent.open_at(FLAGS.NO_FOLLOW, name, FLAGS.PLAIN, FLAGS.READ), f"open {what}")


def cut(range: ByteRange | None, size: int) -> tuple[int, int]:
    """Offset and length of what there is of the range in an object of `size` bytes."""
    if range is None:
        return 0, size
    there = max(size - range.offset, 0)
    return range.offset, there if range.length is None else min(range.length, there)
