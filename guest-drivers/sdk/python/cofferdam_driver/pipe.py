"""Moving an object's bytes: one call into the host for all of them, which never enter the guest.

The host says only in words why a sink failed. A full storage has its own case in the contract, so `is_full` knows the
operating system's words for it.
"""

from ._wasi import Err, InputStream, OutputStream, host, types
from .contract import BodyInfo, BodyNeeds
from .errors import Corrupted, Failed, OutOfSpace, Unavailable


class PipeError(Exception):
    """Bytes could not be moved."""


class SourceFailed(PipeError):
    """The source ended in an error: discard what was written."""


class SinkFailed(PipeError):
    """The sink refused the bytes: a full disk, a closed connection."""


class EarlyEnd(PipeError):
    """A length was given and the source closed after `moved` bytes."""

    def __init__(self, moved: int):
        super().__init__(f"the source ended after {moved} bytes")
        self.moved = moved


def pipe(source: InputStream, sink: OutputStream, length: int | None = None) -> int:
    """Moves bytes inside the host, until the source closes or `length` bytes are through, and flushes the sink. Says how
    many. One crossing for a whole object, whatever its size. Raises `PipeError`."""
    try:
        return host.pipe(source, sink, length)
    except Err as error:
        raise _error(error.value) from None


def pipe_digested(source: InputStream, sink: OutputStream, length: int | None, wanted: BodyNeeds) -> BodyInfo:
    """The same, and digests what went through: so a driver can compare what the storage says it got with what was
    sent, without the bytes."""
    try:
        info = host.pipe_digested(source, sink, length, types.BodyNeeds(wanted.value))
    except Err as error:
        raise _error(error.value) from None
    return BodyInfo(info.size, info.md5, info.sha256, info.crc32c)


def store(body: InputStream, sink: OutputStream, info: BodyInfo) -> int:
    """Moves the whole body of a put into the storage's stream; says how many bytes. Any error means: discard them."""
    try:
        stored = pipe(body, sink)
    except SinkFailed as error:
        if is_full(str(error)):
            raise OutOfSpace(f"the storage took no more of the object: {error}") from None
        raise Failed(f"the storage refused the object's bytes: {error}") from None
    except PipeError as error:
        raise Failed(f"the object's body broke off: {error}") from None
    if info.size is not None and info.size != stored:
        raise Failed(f"the object's body had {stored} bytes, but {info.size} were announced")
    return stored


def fetch(object: InputStream, sink: OutputStream, length: int) -> int:
    """Moves exactly `length` bytes of a stored object into the sink of a get."""
    try:
        return pipe(object, sink, length)
    except EarlyEnd as error:
        raise Corrupted(
            f"the object ended after {error.moved} bytes of {length}: it became shorter while it was read"
        ) from None
    except SinkFailed as error:
        raise Failed(f"the receiver took no more bytes: {error}") from None
    except PipeError as error:
        raise Unavailable(f"the storage failed in the middle: {error}") from None


def is_full(text: str) -> bool:
    """Whether an operating system's text says that the storage is full or a quota used up."""
    text = text.lower()
    words = ("no space left", "quota exceeded", "insufficient-space", "(os error 28)", "(os error 122)")
    return any(word in text for word in words)


def is_cancelled() -> bool:
    """True once nobody waits for this call any more: a driver that computes for long may stop early."""
    return host.is_cancelled()


def _error(error) -> PipeError:
    if isinstance(error, host.PipeError_SourceFailed):
        return SourceFailed(error.value)
    if isinstance(error, host.PipeError_SinkFailed):
        return SinkFailed(error.value)
    return EarlyEnd(error.value)
