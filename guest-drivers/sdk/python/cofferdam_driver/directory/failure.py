"""From WASI's file system codes to the contract's errors: what was attempted, what was found, what to do.

The code decides the retry class. Wasmtime folds what it has no code for into `io`, among it a file system that turned
read-only, a used-up quota and a stale NFS handle, so the text for `io` names them. Codes are compared by name, so that
the rules can be tested without a host.
"""

from collections.abc import Callable
from typing import TypeVar

from .._wasi import Err
from ..errors import (
    AlreadyExists,
    DriverError,
    Failed,
    NotFound,
    OutOfSpace,
    Unauthorized,
    Unavailable,
    Unsupported,
)

T = TypeVar("T")

_DENIED = (
    "permission denied; give the service's user the right, and see that the directory is granted for writing and that "
    "no symbolic link leads out of it"
)
_RULES: dict[str, tuple[type[DriverError], str]] = {
    "ACCESS": (Unauthorized, _DENIED),
    "NOT_PERMITTED": (Unauthorized, _DENIED),
    "READ_ONLY": (Unauthorized, "it is read-only"),
    "NO_ENTRY": (NotFound, "it is not there"),
    "EXIST": (AlreadyExists, "it is there already"),
    "INSUFFICIENT_SPACE": (OutOfSpace, "no space is left"),
    "QUOTA": (OutOfSpace, "the quota is used up"),
    "FILE_TOO_LARGE": (Unsupported, "it is larger than the file system or the process's limit allows"),
    "NAME_TOO_LONG": (Unsupported, "the name is too long"),
    "ILLEGAL_BYTE_SEQUENCE": (Unsupported, "the name is not UTF-8"),
    "IO": (
        Unavailable,
        "input/output error, a file system that is read-only or stale, or a quota that is used up",
    ),
    "BUSY": (Unavailable, "busy"),
    "NO_DEVICE": (Unavailable, "no-device"),
    "NO_SUCH_DEVICE": (Unavailable, "no-such-device"),
    "INSUFFICIENT_MEMORY": (Unavailable, "insufficient-memory"),
    "NOT_DIRECTORY": (Failed, "a file stands where a folder should be"),
    "IS_DIRECTORY": (Failed, "a folder stands where a file should be"),
    "LOOP": (Failed, "a symbolic link stands there"),
}


def attempt(call: Callable[[], T], what: str) -> T:
    """Makes the call; an error says that we could not do what `what` tells."""
    try:
        return call()
    except Err as code:
        told = error(code.value, what)
    raise told


def error(code, what: str) -> DriverError:
    """The contract's error for a code; `what` completes "cannot ..."."""
    kind, text = _RULES.get(code.name, (Failed, code.name.lower().replace("_", "-")))
    return kind(f"cannot {what}: {text}")


def missing(error: Err) -> bool:
    """Whether the call failed because what it wanted is not there."""
    return error.value.name == "NO_ENTRY"
