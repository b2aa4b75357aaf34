"""Which names are safe to use as paths below a root, and which names the SDK keeps for itself. Pure rules.

Safe: not empty, at most 1024 bytes, no control characters, relative, and no component that is empty, `.`, `..` or over
255 bytes. A refusal is `Unsupported`, whose retry class is final: the same name will never be taken. Kept for the SDK:
the names of `part` and `kept`, and folders beginning with `.cofferdam-`. Listings never show them, and no object or
container may be called so.
"""

from .errors import Unsupported

#: Bytes that a whole name may have.
LONGEST_NAME = 1024
#: Bytes that one component may have: the limit of Linux file systems.
LONGEST_COMPONENT = 255

_PART = ".cofferdam-part"
_KEPT = ".cofferdam-kept"
_OWN_FOLDERS = ".cofferdam-"
_SHOWN = 80


def check_folder(folder: str) -> None:
    """Refuses a folder (a container) whose path would leave the root, or is kept for the SDK."""
    check_path(folder)
    if folder.startswith(_OWN_FOLDERS):
        raise _refusal(folder, "names beginning with `.cofferdam-` are kept for the driver")


def check_object(name: str) -> None:
    """Refuses an object's name that is not one safe component, or is kept for the SDK."""
    check_path(name)
    if "/" in name:
        raise _refusal(name, "an object's name holds no `/` here")
    if is_reserved(name):
        raise _refusal(name, "names of this form are kept for the driver's unfinished objects")


def check_path(path: str) -> None:
    """Refuses a path that is not relative, plain and within the lengths."""
    components = path.split("/")
    if not path:
        reason = "it is empty"
    elif len(path.encode()) > LONGEST_NAME:
        reason = "it is longer than 1024 bytes"
    elif path.startswith("/"):
        reason = "it is absolute"
    elif any(_is_control(character) for character in path):
        reason = "it holds a control character"
    elif "" in components:
        reason = "it holds an empty component"
    elif "." in components or ".." in components:
        reason = "it holds the component `.` or `..`"
    elif any(len(component.encode()) > LONGEST_COMPONENT for component in components):
        reason = "it holds a component longer than 255 bytes"
    else:
        return
    raise _refusal(path, reason)


def part(object: str) -> str:
    """The name under which an object is written until it is whole. The same for every attempt, so that a retry clears
    away what a killed put left."""
    return _hidden(object, _PART)


def kept(object: str) -> str:
    """The name under which a replaced object is kept until its successor is safe."""
    return _hidden(object, _KEPT)


def is_reserved(name: str) -> bool:
    """Whether a file of this name is the SDK's own, and so never an object."""
    return name.startswith(".") and name.endswith((_PART, _KEPT))


def _is_control(character: str) -> bool:
    code = ord(character)
    return code < 0x20 or 0x7F <= code <= 0x9F


def _hidden(object: str, suffix: str) -> str:
    """`.<object><suffix>`, or with a digest in place of a name that leaves no room for both."""
    name = f".{object}{suffix}"
    if len(name.encode()) <= LONGEST_COMPONENT:
        return name
    return f".{_fnv1a(object.encode()):016x}{suffix}"


def _fnv1a(data: bytes) -> int:
    digest = 0xCBF29CE484222325
    for byte in data:
        digest = (digest ^ byte) * 0x100000001B3 % (1 << 64)
    return digest


def _refusal(name: str, reason: str) -> Unsupported:
    more = "..." if len(name) > _SHOWN else ""
    return Unsupported(f"the name {ascii(name[:_SHOWN])}{more} is refused: {reason}")
