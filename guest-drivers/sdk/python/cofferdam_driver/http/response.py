"""An answer: status, headers, and a body that is read up to a limit or moved to a sink by the host."""

from collections.abc import Iterator

from .._wasi import Err, OutputStream, http, streams
from ..errors import DriverError, Failed, Unavailable
from ..pipe import EarlyEnd, PipeError, SinkFailed, pipe
from . import failure, status
from .headers import Headers
from .text import shown

_PIECE = 64 * 1024


class Response:
    """An answer whose body was not read yet. Leaving its `with` lets go of the connection."""

    def __init__(self, incoming, origin: str, sent: int | None = None):
        self._incoming = incoming
        #: Bytes of the request's body; None when the server answered before it had all of it.
        self.sent = sent
        #: Scheme and authority of who answered.
        self.origin = origin
        #: 200 and the like. Hostile: any number.
        self.status: int = incoming.status()
        with incoming.headers() as fields:
            self.headers = Headers(fields.entries())

    def __enter__(self) -> "Response":
        return self

    def __exit__(self, *_) -> None:
        self._incoming.__exit__(None, None, None)

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return status.is_success(self.status)

    @property
    def content_length(self) -> int | None:
        """Bytes of the body, as announced."""
        return self.headers.number("content-length")

    def header(self, name: str) -> str | None:
        """The value of a header field, by its name in any case."""
        return self.headers.get(name)

    def error(self, what: str, detail: str | None = None) -> DriverError:
        """The error that the status means; see `status.error`."""
        return status.error(self.status, self.headers, what, detail)

    def pieces(self) -> Iterator[bytes]:
        """The body piece by piece, of at most 64 KiB each. A body that breaks off is an error."""
        with self._body() as body, body.stream() as stream:
            while True:
                try:
                    piece = stream.blocking_read(_PIECE)
                except Err as ended:
                    if isinstance(ended.value, streams.StreamError_Closed):
                        return
                    raise self._broken(ended.value.value) from None
                yield piece

    def bytes(self, limit: int) -> bytes:
        """The whole body, of at most `limit` bytes. A longer one is an error."""
        all = bytearray()
        for piece in self.pieces():
            all += piece
            if len(all) > limit:
                raise Failed(f"{self.origin} answered more than {limit} bytes")
        return bytes(all)

    def text(self, limit: int) -> str:
        """The body as text, of at most `limit` bytes."""
        try:
            return self.bytes(limit).decode()
        except UnicodeDecodeError:
            raise Failed(f"{self.origin} answered a text that is not UTF-8") from None

    def pipe_into(self, sink: OutputStream, length: int) -> int:
        """Moves exactly `length` bytes of the body into the sink. A body that ends earlier is `Unavailable`: the storage
        announced more than it sent, which a second try may mend."""
        try:
            with self._body() as body, body.stream() as stream:
                return pipe(stream, sink, length)
        except EarlyEnd as error:
            raise Unavailable(
                f"the answer of {self.origin} ended after {error.moved} bytes of {length}"
            ) from None
        except SinkFailed as error:
            raise Failed(f"the receiver took no more bytes: {shown(str(error))}") from None
        except PipeError as error:
            raise Unavailable(f"the answer of {self.origin} broke off: {shown(str(error))}") from None

    def _body(self):
        try:
            return self._incoming.consume()
        except Err:
            raise Failed(f"the host gave no body for the answer of {self.origin}") from None

    def _broken(self, error) -> DriverError:
        with error:
            code = http.http_error_code(error)
        if code is None:
            return Unavailable(f"the answer of {self.origin} broke off")
        return failure.error(code, self.origin)
