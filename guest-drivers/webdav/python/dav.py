"""Requests to the server, and the URLs of containers and objects in it.

Bound: nothing is sent twice and no redirect is followed. What a server says of a collection is read as it comes, so memory
does not depend on how much is in it.
"""

from collections.abc import Callable
from contextlib import closing

from cofferdam_driver import ObjectAddress, names
from cofferdam_driver.errors import DriverError, Failed, Unsupported
from cofferdam_driver.http import Request, Response, Url, percent, percent_decode
from multistatus import COLLECTION, NOTHING, read

#: The two properties of which a driver lives. Naming them spares the server the others.
_WANTED = (
    b'<?xml version="1.0" encoding="utf-8"?>\n'
    b'<propfind xmlns="DAV:"><prop><getcontentlength/><resourcetype/></prop></propfind>'
)


class Dav:
    """The server, as the settings name it. What stands under a URL is `NOTHING`, `COLLECTION`, or a number: the bytes of a
    plain resource."""

    def __init__(self, root: Url, authorization: str | None):
        self._root = root
        self._authorization = authorization

    def root(self) -> Url:
        """The collection of the containers."""
        return self._root.join("")

    def container(self, container: str) -> Url:
        """A container's collection, with a `/` at its end: some servers redirect without."""
        return self._root.join(f"{percent(container)}/")

    def object(self, at: ObjectAddress) -> Url:
        """An object's resource."""
        return self._root.join(f"{percent(at.container)}/{percent(at.name)}")

    def request(self, method: str, url: Url, **headers: str) -> Request:
        """A request with the authorization. In headers' names `_` stands for `-`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if self._authorization is not None:
            named["authorization"] = self._authorization
        return Request(method, url, named)

    def find(self, url: Url, what: str) -> str | int:
        """What stands under the URL. `what` completes "cannot ..."."""
        response = self._ask("0", url, what)
        if response is None:
            return NOTHING
        found: list[str | int] = []

        def take(path: str, told: str | int) -> None:
            if below(url.path, path) != "" or found:
                raise _unasked(what)
            found.append(told)

        _read(response, what, take)
        if not found:
            raise _unasked(what)
        return found[0]

    def each_member(self, url: Url, what: str, take: Callable[[str, str | int], None]) -> bool:
        """Tells `take` the name of each member of the collection, in no order; no success before all were told. False when
        there is no such collection."""
        response = self._ask("1", url, what)
        if response is None:
            return False
        itself: str | int | None = None

        def sort_out(path: str, told: str | int) -> None:
            nonlocal itself
            name = below(url.path, path)
            if name is None or "/" in name:
                raise _unasked(what)
            if name == "":
                itself = told
            else:
                take(name, told)

        _read(response, what, sort_out)
        if itself is None:
            # Without the collection itself it is no listing of it.
            raise _unasked(what)
        if itself not in (COLLECTION, NOTHING):
            raise Failed(f"cannot {what}: a plain resource stands in the place of the collection")
        return itself == COLLECTION

    def _ask(self, depth: str, url: Url, what: str) -> Response | None:
        request = self.request(
            "PROPFIND",
            url,
            depth=depth,
            content_type="application/xml; charset=utf-8",
            accept_encoding="identity",
        )
        response = request.send_bytes(_WANTED)
        if response.status == 207:
            return response
        with response:
            if response.status in (404, 410):
                return None
            # No other success says what was asked.
            if response.is_success:
                raise Failed(
                    f"cannot {what}: {response.origin} answered {response.status} to PROPFIND: is it a WebDAV server?"
                )
            if response.status in (405, 501):
                raise Failed(
                    f"cannot {what}: {response.origin} does not know PROPFIND there: is it a WebDAV server?"
                )
            raise response.error(what)


def _read(response: Response, what: str, take: Callable[[str, str | int], None]) -> None:
    # Closed here and now, for the body must be let go of before the response.
    with response, closing(response.pieces()) as pieces:
        read(pieces, what, take)


def below(collection: str, path: str) -> str | None:
    """The way from a collection to a resource, decoded, without the `/` at a collection's end; empty for the collection
    itself. None when the resource is not in it, or has a name that is not UTF-8."""
    inside, outside = percent_decode(path), percent_decode(collection)
    if inside is None or outside is None:
        return None
    outside = outside.rstrip("/")
    if not inside.startswith(outside):
        return None
    rest = inside.removeprefix(outside)
    if rest and not rest.startswith("/"):
        return None
    return rest.removeprefix("/").removesuffix("/")


def check(at: ObjectAddress) -> None:
    """Refuses an object whose URL would be another's, or whose name is kept for unfinished objects."""
    check_container(at.container)
    names.check_object(at.name)


def check_container(container: str) -> None:
    """Refuses a container that is not one safe segment."""
    names.check_folder(container)
    if "/" in container:
        raise Unsupported(
            f"the container {container[:80]!a} is refused: it holds a `/`, and here containers have no containers in them"
        )


def _unasked(what: str) -> DriverError:
    return Failed(f"cannot {what}: the server told of other resources than were asked for")
