"""The names of one page of a listing, picked out of all names as they come, in no order. Pure.

Bound: twice the page and one name, however many there are. Python compares texts by code points, which is the order of
their UTF-8 bytes.
"""

from typing import Generic, TypeVar

T = TypeVar("T")


class Picker(Generic[T]):
    """Picks the first `limit` names, in byte order, that begin with a prefix and come after a name, each with a value."""

    def __init__(self, prefix: str, after: str | None, limit: int):
        self._prefix = prefix
        self._after = after
        self._limit = limit
        self._taken: dict[str, T] = {}

    def take(self, name: str, value: T) -> None:
        """Offers a name."""
        if not name.startswith(self._prefix) or (self._after is not None and name <= self._after):
            return
        self._taken[name] = value
        if len(self._taken) > 2 * self._limit + 1:
            self._cut()

    def finish(self) -> tuple[list[tuple[str, T]], bool]:
        """The page's names and values in ascending order, and whether more follow."""
        self._cut()
        taken = list(self._taken.items())
        return taken[: self._limit], len(taken) > self._limit

    def _cut(self) -> None:
        # One more than the page, to know whether more follow.
        least = sorted(self._taken)[: self._limit + 1]
        self._taken = {name: self._taken[name] for name in least}
