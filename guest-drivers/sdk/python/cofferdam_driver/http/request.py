"""A request, sent once.

The host moves a streamed body. A server may answer before it has all of the body: "no right", "no space". It then stops
reading, and what the driver sees first is a body that cannot be written. So a broken body is no verdict: the answer is
waited for, briefly, and only when none comes the break itself is told.
"""

from collections.abc import Callable

from .._wasi import Err, InputStream, Ok, OutputStream, http, monotonic_clock, outgoing_handler, poll, streams
from ..errors import DriverError, Failed, Unavailable
from ..pipe import EarlyEnd, PipeError, SinkFailed, SourceFailed, pipe
from . import failure, status
from .response import Response
from .text import shown
from .url import Url

#: How long the answer to a request is waited for whose body could not be written, in nanoseconds.
_PATIENCE = 5_000_000_000
_METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH")


class Request:
    """A request to be sent. Header values may hold the placeholders of secrets; the host adds `host`."""

    def __init__(self, method: str, url: Url, headers: dict[str, str] | None = None, timeout: int | None = None):
        """`timeout`, in milliseconds, is for each of: connecting, the first byte of the answer, between any two pieces of
        it. The host has limits of its own beside it."""
        self.method = method
        self.url = url
        self.headers = {"user-agent": "cofferdam", **(headers or {})}
        self.timeout = timeout

    def send(self) -> Response:
        """Sends it without a body."""
        # Servers refuse a POST or PUT that does not say that it has none.
        length = {"content-length": "0"} if self.method in ("POST", "PUT") else {}
        future, _ = self._start(length, False)
        with future:
            return _receive(future, self.url.origin)

    def send_bytes(self, body: bytes) -> Response:
        """Sends it with a small body."""

        def fill(sink: OutputStream) -> int:
            _write(sink, body)
            return len(body)

        return self._send_with(len(body), fill)

    def send_stream(self, body: InputStream, length: int | None) -> Response:
        """Sends it with a streamed body: of exactly `length` bytes, or of as many as come, in chunks. Whether the body is
        whole shows only behind its last byte; so with a length that one is held back until then, and in chunks the end
        is: of a body that breaks the server never has all."""
        if length is None:
            return self._send_with(None, lambda sink: pipe(body, sink))
        if length == 0:
            try:
                _end(body)
            except PipeError as error:
                raise _broken_body(error, length) from None
            return self.send_bytes(b"")

        def fill(sink: OutputStream) -> int:
            pipe(body, sink, length - 1)
            try:
                last = body.blocking_read(1)
            except Err as error:
                raise _source_error(error.value, length - 1) from None
            _end(body)
            _write(sink, last)
            return length

        return self._send_with(length, fill)

    def _send_with(self, length: int | None, fill: Callable[[OutputStream], int]) -> Response:
        """Sends head and body; `fill` says how many bytes it wrote."""
        origin = self.url.origin
        future, body = self._start({} if length is None else {"content-length": str(length)}, True)
        # The body is dropped unfinished only after the answer came, so that the host does not cut it off.
        with future, _Body(body) as outgoing:
            try:
                with outgoing.write() as sink:
                    sent = fill(sink)
                outgoing.finish()
            except SinkFailed as error:
                broken = Unavailable(f"{origin} took no more of the body: {shown(str(error))}")
            except PipeError as error:
                raise _broken_body(error, length) from None
            except Err as error:
                if error.value is None:
                    raise _no_body(origin) from None
                broken = failure.error(error.value, origin)
            else:
                return _receive(future, origin, sent)
            return _early_answer(future, origin, broken)

    def _start(self, headers: dict[str, str], with_body: bool):
        origin = self.url.origin
        fields = [(name, value.encode()) for name, value in {**self.headers, **headers}.items()]
        try:
            request = http.OutgoingRequest(http.Fields.from_list(fields))
            request.set_method(_method(self.method))
            request.set_scheme(http.Scheme_Http() if self.url.scheme == "http" else http.Scheme_Https())
            request.set_authority(self.url.authority)
            request.set_path_with_query(self.url.path_and_query)
        except Err:
            raise Failed(f"the host refused a part of a request to {origin}") from None
        try:
            body = request.body() if with_body else None
            return outgoing_handler.handle(request, _options(self.timeout)), body
        except Err as error:
            if error.value is None:
                raise _no_body(origin) from None
            raise failure.error(error.value, origin) from None


class _Body:
    """A body that is dropped at the end unless it was finished, which gives it away."""

    def __init__(self, body):
        self._body = body

    def __enter__(self) -> "_Body":
        return self

    def __exit__(self, *_) -> None:
        if self._body is not None:
            self._body.__exit__(None, None, None)

    def write(self) -> OutputStream:
        return self._body.write()

    def finish(self) -> None:
        body, self._body = self._body, None
        http.OutgoingBody.finish(body, None)


def _method(name: str):
    if name in _METHODS:
        return getattr(http, f"Method_{name.capitalize()}")()
    return http.Method_Other(name)


def _options(timeout: int | None):
    """None without a time limit: wasmtime 48 keeps each request's options until the instance ends. A host may not know one
    of the limits; its own then hold."""
    if timeout is None:
        return None
    options = http.RequestOptions()
    nanoseconds = max(timeout, 1) * 1_000_000
    for set_one in (
        options.set_connect_timeout,
        options.set_first_byte_timeout,
        options.set_between_bytes_timeout,
    ):
        try:
            set_one(nanoseconds)
        except Err:
            continue
    return options


def _write(sink: OutputStream, data: bytes) -> None:
    """Writes the bytes. No flush: once all announced bytes are written, the host may have closed the stream already."""
    while data:
        try:
            with sink.subscribe() as ready:
                ready.block()
            room = min(sink.check_write(), len(data))
            if room:
                sink.write(data[:room])
        except Err as error:
            if isinstance(error.value, streams.StreamError_Closed):
                raise SinkFailed("the connection was closed") from None
            with error.value.value as cause:
                raise SinkFailed(cause.to_debug_string()) from None
        data = data[room:]


def _end(body: InputStream) -> None:
    """The body must end here."""
    try:
        body.blocking_read(1)
    except Err as error:
        if isinstance(error.value, streams.StreamError_Closed):
            return
        raise _source_error(error.value, 0) from None
    raise SourceFailed("it goes on behind its announced size")


def _source_error(error, moved: int) -> PipeError:
    if isinstance(error, streams.StreamError_Closed):
        return EarlyEnd(moved)
    with error.value as cause:
        return SourceFailed(cause.to_debug_string())


def _broken_body(error: PipeError, length: int | None) -> DriverError:
    """What a body that is not what was announced means for the put."""
    if isinstance(error, EarlyEnd):
        return Failed(f"the object's body ended after {error.moved} bytes of {length}")
    return Failed(f"the object's body broke off: {shown(str(error))}")


def _receive(future, origin: str, sent: int | None = None) -> Response:
    with future.subscribe() as ready:
        ready.block()
    incoming, code = _answer(future)
    if incoming is None:
        raise failure.error(code, origin)
    return Response(incoming, origin, sent)


def _early_answer(future, origin: str, broken: DriverError) -> Response:
    """The answer to a request whose body could not be sent: waited for briefly. Without one, why there is none is the
    error, if the host knows more than that the connection broke. One that claims success for a body that the server
    cannot have is no answer."""
    with future.subscribe() as ready, monotonic_clock.subscribe_duration(_PATIENCE) as timer:
        if 0 not in poll.poll([ready, timer]):
            raise broken
    incoming, code = _answer(future)
    if incoming is None:
        if failure.name(code) == "HttpProtocolError" or (failure.name(code) == "InternalError" and code.value is None):
            raise broken
        raise failure.error(code, origin)
    response = Response(incoming, origin)
    if response.is_success:
        with response:
            raise broken
    return response


def _answer(future):
    """The answer and None, or None and the code."""
    got = future.get()
    if not isinstance(got, Ok):
        # Not ready, or taken already: no host does that after `block`.
        return None, http.ErrorCode_InternalError(None)
    if isinstance(got.value, Err):
        return None, got.value.value
    return got.value.value, None


def _no_body(origin: str) -> DriverError:
    return Failed(f"the host gave no body for a request to {origin}")
