"""Containers: made when missing, listed, and the objects in them listed.

A listing is complete or an error. WebDAV knows no pages, so each page asks for the whole collection and keeps the names of the
page. Bound: two pages of names in memory. Cost: some 400 bytes on the wire for each object of the container, for each page.
"""

from cofferdam_driver import ContainerPage, ObjectInfo, Page, Picker, names
from cofferdam_driver.errors import AlreadyExists, DriverError, Failed, NotFound, Unavailable, Unsupported
from dav import Dav, check_container
from multistatus import COLLECTION, NOTHING


def check_root(dav: Dav) -> None:
    """Whether the collection of the containers is there. Gone, it is `Unavailable`: it may come back."""
    found = dav.find(dav.root(), "look at the collection of webdav_url")
    if found == NOTHING:
        raise _root_is_gone()
    if found != COLLECTION:
        raise Unavailable("webdav_url names a plain resource and no collection")


def create(dav: Dav, container: str) -> None:
    """Makes the container unless it is there."""
    what = f"make the container {container}"
    with dav.request("MKCOL", dav.container(container)).send() as response:
        status = response.status
        if status == 201:
            return
        if status in (404, 409):
            raise _root_is_gone()
        if response.is_success:
            raise Failed(f"cannot {what}: the server answered {status}")
        if status != 405:
            raise response.error(what)
    # Something is there already.
    found = dav.find(dav.container(container), what)
    if found == NOTHING:
        raise Unavailable(f"cannot {what}: the server said that it is there (405), and then that it is not")
    if found != COLLECTION:
        raise AlreadyExists(f"cannot {what}: a plain resource stands in its place")


def objects(dav: Dav, container: str, prefix: str, after: str | None, limit: int) -> Page:
    """The objects of a container. Unfinished ones are none."""
    picker: Picker[int] = Picker(prefix, after, limit)

    def take(name: str, found: str | int) -> None:
        if isinstance(found, int) and not names.is_reserved(name):
            picker.take(name, found)

    if not dav.each_member(dav.container(container), f"list the container {container}", take):
        raise NotFound(f"there is no container {container}")
    taken, more = picker.finish()
    return Page([ObjectInfo(name, size) for name, size in taken], more)


def listed(dav: Dav, after: str | None, limit: int) -> ContainerPage:
    """The collections right below the root."""
    picker: Picker[None] = Picker("", after, limit)

    def take(name: str, found: str | int) -> None:
        if found == COLLECTION and _is_container(name):
            picker.take(name, None)

    if not dav.each_member(dav.root(), "list the containers", take):
        raise _root_is_gone()
    taken, more = picker.finish()
    return ContainerPage([name for name, _ in taken], more)


def _is_container(name: str) -> bool:
    try:
        check_container(name)
    except Unsupported:
        # In what has no container's name no backup was ever placed.
        return False
    return True


def _root_is_gone() -> DriverError:
    return Unavailable("the collection of webdav_url is not there: make it, or mend what it stands on")
