"""What a status means for the contract. Pure, but for the clock that a pause told as a date is compared with.

| Status | Error |
|---|---|
| 401, 403 | Unauthorized |
| 404, 410 | NotFound |
| 413, 507 | OutOfSpace |
| 429, and 503 with `Retry-After` | Throttled |
| 408, other 5xx | Unavailable |
| all else that is not 2xx | Failed |

409 and 412 mean something else with every storage: a driver that expects them looks at them first.
"""

from collections.abc import Callable

from .._wasi import wall_clock
from ..errors import DriverError, Failed, NotFound, OutOfSpace, Throttled, Unauthorized, Unavailable
from . import dates
from .headers import Headers
from .text import shown

#: The longest pause that a storage may ask for: an hour. Who asks for more is asked again after it.
LONGEST_PAUSE_SECONDS = 3600


def is_success(status: int) -> bool:
    """Whether the status says that all went well."""
    return 200 <= status < 300


def error(
    status: int, headers: Headers, what: str, detail: str | None = None, now: Callable[[], int] | None = None
) -> DriverError:
    """The error for an answer that is no success. `what` completes "cannot ...", `detail` is what the server said."""
    detail = shown(detail or "")
    text = f"cannot {what}: the server answered {status}" + (f": {detail}" if detail else "")
    if status in (401, 403):
        return Unauthorized(text)
    if status in (404, 410):
        return NotFound(text)
    if status in (413, 507):
        return OutOfSpace(text)
    if status == 429 or (status == 503 and headers.get("retry-after") is not None):
        return Throttled(retry_after(headers, now), text)
    if status == 408 or 500 <= status < 600:
        return Unavailable(text)
    if 300 <= status < 400:
        return Failed(f"{text}; redirects are not followed")
    return Failed(text)


def retry_after(headers: Headers, now: Callable[[], int] | None = None) -> int | None:
    """The pause that an answer asks for by `Retry-After`, in milliseconds: seconds or a date, at most an hour."""
    text = headers.get("retry-after")
    if not text:
        return None
    if text.isascii() and text.isdigit():
        # More digits than any number of seconds has are a very long time.
        seconds = int(text[:20])
    else:
        moment = dates.parse(text)
        if moment is None:
            return None
        seconds = max(moment - (now or _now)(), 0)
    return min(seconds, LONGEST_PAUSE_SECONDS) * 1000


def _now() -> int:
    return wall_clock.now().seconds
