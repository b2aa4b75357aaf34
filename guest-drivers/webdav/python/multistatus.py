"""What a server tells of resources (RFC 4918's `multistatus`), resource by resource, as it comes.

A listing decides what is deleted and what is missing, so it must be whole: the root element must be closed, each resource
must say what it is, and any status but success or "gone" ends the reading with an error.

Hostile until checked: a document type, an unknown entity, a tree deeper than 16 or a resource of over a megabyte is an error.
Namespaces are passed over: only two properties were asked for. Bound: one resource in memory.
"""

from collections.abc import Callable, Iterable
from xml.parsers import expat

from cofferdam_driver.errors import DriverError, Failed, Unauthorized, Unavailable
from cofferdam_driver.http.headers import is_digits

NOTHING = "nothing"
COLLECTION = "collection"

_DEEPEST = 16
#: Bytes that are read for one resource, and some more that are read ahead.
_RATION = 1 << 20


class _Element:
    """Its name without prefix, the text directly in it, the elements in it."""

    def __init__(self, name: str):
        self.name = name.rpartition(":")[2]
        self.text = ""
        self.children: list[_Element] = []

    def child(self, name: str) -> "_Element | None":
        return next((child for child in self.children if child.name == name), None)


class _Tree:
    """Grows from the parser's events and hands out each resource."""

    def __init__(self, what: str, take: Callable[[_Element], None]):
        self._what = what
        self._take = take
        self._open: list[_Element] = []
        #: Resources that were handed out; so the reader knows that it goes on.
        self.taken = 0
        self.is_whole = False

    def start(self, name: str, _attributes) -> None:
        element = _Element(name)
        if len(self._open) >= _DEEPEST or (not self._open and element.name != "multistatus"):
            raise senseless(self._what)
        self._open.append(element)

    def end(self, _name: str) -> None:
        element = self._open.pop()
        if not self._open:
            self.is_whole = True
        elif len(self._open) > 1:
            self._open[-1].children.append(element)
        else:
            self.taken += 1
            if element.name == "response":
                self._take(element)

    def text(self, text: str) -> None:
        # Of the root's own text nothing is kept: it would grow with the listing.
        if len(self._open) > 1:
            self._open[-1].text += text

    def refuse(self, *_) -> None:
        raise senseless(self._what)


def read(pieces: Iterable[bytes], what: str, take: Callable[[str, str | int], None]) -> None:
    """Reads all of it and tells `take` of each resource: its path as in a request line, still encoded, and what it is.
    `what` completes "cannot ..."."""
    tree = _Tree(what, lambda response: _tell(response, what, take))
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = tree.start
    parser.EndElementHandler = tree.end
    parser.CharacterDataHandler = tree.text
    parser.StartDoctypeDeclHandler = tree.refuse
    taken, ration = 0, _RATION
    try:
        for piece in pieces:
            parser.Parse(piece, False)
            ration = ration - len(piece) if tree.taken == taken else _RATION
            taken = tree.taken
            if ration < 0:
                raise senseless(what)
        parser.Parse(b"", True)
    except expat.ExpatError:
        raise senseless(what) from None
    finally:
        # The handlers and the tree hold one another.
        parser.StartElementHandler = parser.EndElementHandler = None
        parser.CharacterDataHandler = parser.StartDoctypeDeclHandler = None
    if not tree.is_whole:
        raise senseless(what)


def senseless(what: str) -> DriverError:
    """The error for an answer that cannot be taken."""
    return Failed(f"cannot {what}: the server's answer is no whole multistatus")


def _tell(response: _Element, what: str, take: Callable[[str, str | int], None]) -> None:
    href = response.child("href")
    if href is None:
        raise senseless(what)
    take(_path(href.text.strip()), _found(response, what))


def _found(response: _Element, what: str) -> str | int:
    status = response.child("status")
    if status is not None:
        # Told of as a whole: it went while the server read the collection, or cannot be read.
        if _code(status) in (404, 410):
            return NOTHING
        raise _refused(_code(status), what)
    prop = None
    for propstat in response.children:
        if propstat.name != "propstat":
            continue
        code = _code(propstat.child("status"))
        if code == 200:
            prop = propstat.child("prop")
        elif code != 404:
            # Collections have no length, and say so by 404.
            raise _refused(code, what)
    kind = prop.child("resourcetype") if prop is not None else None
    if kind is None:
        raise senseless(what)
    if kind.child("collection") is not None:
        return COLLECTION
    length = prop.child("getcontentlength")
    if length is None or not is_digits(length.text.strip()):
        raise Failed(f"cannot {what}: the server does not tell a resource's length")
    return int(length.text)


def _path(href: str) -> str:
    """An `href` is a path, or a whole URL."""
    scheme, separator, rest = href.partition("://")
    if not separator or "/" in scheme:
        return href
    return "/" + rest.partition("/")[2]


def _code(status: _Element | None) -> int | None:
    """200 of `HTTP/1.1 200 OK`."""
    words = status.text.split() if status is not None else []
    return int(words[1]) if len(words) > 1 and is_digits(words[1]) else None


def _refused(code: int | None, what: str) -> DriverError:
    if code is None:
        return Failed(f"cannot {what}: the server tells no status of a resource in it")
    text = f"cannot {what}: the server tells {code} of a resource in it"
    if code in (401, 403):
        return Unauthorized(text)
    return Unavailable(text) if 500 <= code < 600 else Failed(text)
