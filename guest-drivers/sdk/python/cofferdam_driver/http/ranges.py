"""What is asked of a get by HTTP, and whether the answer is that. Pure.

The answer is believed only as far as it fits the question: a range must begin where it was asked for, and may be shorter
only at the object's end.
"""

from ..contract import ByteRange
from .headers import Headers, is_digits

#: The greatest place in an object that every server knows: those that count in signed numbers pass over a range with a
#: greater one.
_GREATEST_PLACE = (1 << 63) - 1


def header(range: ByteRange | None) -> str | None:
    """The `Range` header; None for the whole object. The range must not be empty."""
    if range is None:
        return None
    last = _last(range)
    return f"bytes={range.offset}-{'' if last is None or last >= _GREATEST_PLACE else last}"


def length(status: int, headers: Headers, range: ByteRange | None) -> int:
    """The bytes of the answer's body that are to be moved, for the statuses 200, 206 and 416. Raises `ValueError` with the
    reason why the answer cannot be taken."""
    if status == 200 and range is None:
        return _announced(headers)
    if status == 200 and range.offset == 0:
        # The whole object in answer to a range: its beginning is what is wanted, or it has nothing of the range.
        there = _announced(headers)
        return there if range.length is None else min(there, range.length)
    if status == 200 and _announced(headers) <= range.offset:
        return 0
    if status == 200:
        raise ValueError("the whole object came in place of a range")
    if status == 206 and range is not None:
        return _part(headers, range)
    if status == 416 and range is not None:
        told = headers.get("content-range") or ""
        total = told.removeprefix("bytes */")
        if told != total and is_digits(total) and int(total) > range.offset:
            raise ValueError("a range within the object was refused")
        return 0
    raise ValueError(f"the status {status} was not expected")


def _part(headers: Headers, range: ByteRange) -> int:
    span, _, total = (headers.get("content-range") or "").removeprefix("bytes ").partition("/")
    first, _, last = span.partition("-")
    if not all(is_digits(number) for number in (first, last, total)):
        raise ValueError("the range that came is not told")
    first, last, total = int(first), int(last), int(total)
    wanted = _last(range)
    # What ends early must end where the object ends.
    whole = last == wanted or ((wanted is None or last < wanted) and last + 1 == total)
    if first != range.offset or not first <= last < total or not whole or _announced(headers) != last - first + 1:
        raise ValueError("another range came than was asked for")
    return last - first + 1


def _announced(headers: Headers) -> int:
    number = headers.number("content-length")
    if number is None:
        raise ValueError("its length was not announced")
    return number


def _last(range: ByteRange) -> int | None:
    """The last byte that the range asks for; None for the end of the object."""
    if range.length is None:
        return None
    return min(range.offset + range.length, 1 << 64) - 1
