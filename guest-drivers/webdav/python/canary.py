"""Proof that the server is usable: a container and an object are made, read back, compared and deleted, each in the way of a
real one, so that whatever would stop a backup stops the canary.

Nothing stays behind, on failure neither; only a check that is killed in the middle leaves its collection, whose name begins with
`.cofferdam-canary-` and which no listing of containers shows.
"""

import random

import containers
import objects
from cofferdam_driver import ObjectAddress, log
from cofferdam_driver.errors import Corrupted, DriverError, Failed, NotFound
from dav import Dav

#: Bytes that are read of the canary at most.
_LONGEST_TEXT = 4096

# The seed of `random` would be the snapshot's; this one asks the host each time.
_random = random.SystemRandom()


def check(dav: Dav) -> None:
    """Makes a canary and removes it."""
    containers.check_root(dav)
    at = ObjectAddress(f".cofferdam-canary-{_random.getrandbits(64):016x}", "canary")
    try:
        _fly(dav, at)
    except Exception:
        # The first failure is the cause; a second one would only be its echo.
        try:
            _clear(dav, at)
        except DriverError as error:
            log.debug(f"the canary stays: {error.text}")
        raise
    _clear(dav, at)


def _clear(dav: Dav, at: ObjectAddress) -> None:
    objects.remove(dav, dav.container(at.container), "delete the canary's container")


def _fly(dav: Dav, at: ObjectAddress) -> None:
    text = f"cofferdam canary {_random.getrandbits(64):016x}\n".encode()
    containers.create(dav, at.container)
    objects.put(dav, at, lambda request: request.send_bytes(text))
    with objects.fetch(dav, at, None) as response:
        if not response.is_success:
            raise response.error("read the canary")
        found = response.bytes(_LONGEST_TEXT)
    if found != text:
        raise Corrupted("the canary was read back with other bytes than were written")
    objects.delete(dav, at)
    try:
        objects.size(dav, at)
    except NotFound:
        return
    raise Failed("the canary is still there after it was deleted")
