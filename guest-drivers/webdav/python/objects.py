"""Objects: stored, fetched, looked at, deleted.

Problem: WebDAV does not promise that a PUT that breaks leaves what was there. Solved by a PUT to a hidden name, a look whether all
of it arrived, and a MOVE to the object's name, which servers do at once; whatever fails, the hidden resource is deleted. The
next put or delete of the object clears away what a killed one left. Whether the bytes are right, the host knows better.

Cost: three requests for a put or a delete, one for the rest.
"""

from collections.abc import Callable

import containers
from cofferdam_driver import ByteRange, ObjectAddress, OutputStream, log, names
from cofferdam_driver.errors import DriverError, Failed, NotFound, Unavailable
from cofferdam_driver.http import Request, Response, Url, ranges
from dav import Dav
from multistatus import COLLECTION, NOTHING


def put(dav: Dav, at: ObjectAddress, send: Callable[[Request], Response]) -> None:
    """Stores the body that `send` sends with the request that it is given."""
    part = _part(dav, at)
    try:
        _upload(dav, at, part, send)
        _publish(dav, at, part)
    except Exception:
        try:
            remove(dav, part, "clear away an unfinished put")
        except DriverError as error:
            log.warn(f"the unfinished put of {at.name} stays: {error.text}")
        raise


def get(dav: Dav, at: ObjectAddress, range: ByteRange | None, sink: OutputStream) -> int:
    """Writes the object or the range to the sink; says how many bytes."""
    # HTTP has no word for a range of no bytes.
    if range is not None and range.length == 0:
        size(dav, at)
        return 0
    what = _shown("read", at)
    with fetch(dav, at, range) as response:
        if not response.is_success and response.status != 416:
            raise refused(response, what)
        try:
            length = ranges.length(response.status, response.headers, range)
        except ValueError as error:
            raise Failed(f"cannot {what}: {error}") from None
        return response.pipe_into(sink, length) if length else 0


def fetch(dav: Dav, at: ObjectAddress, range: ByteRange | None) -> Response:
    """The answer to a GET, whatever it is."""
    asked = ranges.header(range)
    headers = {} if asked is None else {"range": asked}
    return dav.request("GET", dav.object(at), accept_encoding="identity", **headers).send()


def size(dav: Dav, at: ObjectAddress) -> int:
    """The object's stored bytes."""
    found = dav.find(dav.object(at), _shown("look at", at))
    if found == NOTHING:
        raise NotFound(f"there is no {at.name} in the container {at.container}")
    if found == COLLECTION:
        raise NotFound(f"{at.name} of the container {at.container} is a collection, and so no object")
    return found


def delete(dav: Dav, at: ObjectAddress) -> None:
    """Deletes the object and what an unfinished put of it left. What stands under the name and is a collection is no object
    and stays."""
    what = _shown("delete", at)
    object = dav.object(at)
    # First, so that whoever meets a failure deletes again and finds both.
    remove(dav, _part(dav, at), what)
    # A DELETE of a collection would take all that is in it.
    found = dav.find(object, what)
    if found == NOTHING:
        # A root that is gone says so of everything, and may come back.
        containers.check_root(dav)
        return
    if found == COLLECTION or remove(dav, object, what):
        return
    # A storage that is half away says that nothing is there, of what is.
    if dav.find(object, what) != NOTHING:
        raise Unavailable(f"cannot {what}: the server said that it is not there (404), and then that it is")


def remove(dav: Dav, url: Url, what: str) -> bool:
    """Deletes a resource, or a collection with all in it; False when the server says that nothing was there."""
    with dav.request("DELETE", url).send() as response:
        if response.status in (200, 204):
            return True
        if response.status in (404, 410):
            return False
        raise refused(response, what)


def refused(response: Response, what: str) -> DriverError:
    """What an answer means that is not the success that was expected. 207 and 202 are no failures by their number, but they do
    not say either that it was done."""
    if response.is_success:
        return Failed(f"cannot {what}: the server answered {response.status}")
    if response.status == 423:
        return Unavailable(f"cannot {what}: it is locked (423)")
    return response.error(what)


def _upload(dav: Dav, at: ObjectAddress, part: Url, send: Callable[[Request], Response]) -> None:
    what = _shown("store", at)
    with send(dav.request("PUT", part, content_type="application/octet-stream")) as response:
        # RFC 4918, 9.7.1: a PUT into a collection that is not there.
        if response.status == 409:
            raise NotFound(f"there is no container {at.container}")
        if response.status not in (200, 201, 204):
            raise refused(response, what)
        sent = response.sent
    found = dav.find(part, what)
    if not isinstance(found, int):
        raise Failed(f"cannot {what}: another put or delete of it came in between")
    if found != sent:
        raise Failed(f"cannot {what}: {sent} bytes were sent, and the server has {found}")


def _publish(dav: Dav, at: ObjectAddress, part: Url) -> None:
    """Gives the whole resource its name."""
    to = dav.object(at)
    move = dav.request("MOVE", part, destination=to.origin + to.path, overwrite="T")
    with move.send() as response:
        if response.status not in (201, 204):
            raise refused(response, _shown("name", at))


def _part(dav: Dav, at: ObjectAddress) -> Url:
    return dav.object(ObjectAddress(at.container, names.part(at.name)))


def _shown(verb: str, at: ObjectAddress) -> str:
    return f"{verb} the object {at.name} of the container {at.container}"
