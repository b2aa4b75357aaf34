"""The names of one page of a listing, picked out of a folder's names as they come, in no order. Pure.

Bound: twice the page and one name, however many the folder has. Python compares texts by code points, which is the order
of their UTF-8 bytes.
"""


class Picker:
    """Picks the first `limit` names, in byte order, that begin with a prefix and come after a name."""

    def __init__(self, prefix: str, after: str | None, limit: int):
        self._prefix = prefix
        self._after = after
        self._limit = limit
        self._names: list[str] = []

    def take(self, name: str) -> None:
        """Offers a name."""
        if not name.startswith(self._prefix) or (self._after is not None and name <= self._after):
            return
        self._names.append(name)
        if len(self._names) > 2 * self._limit + 1:
            self._cut()

    def finish(self) -> tuple[list[str], bool]:
        """The page's names in ascending order, and whether more follow."""
        self._cut()
        return self._names[: self._limit], len(self._names) > self._limit

    def _cut(self) -> None:
        # One more than the page, to know whether more follow.
        self._names.sort()
        del self._names[self._limit + 1 :]
