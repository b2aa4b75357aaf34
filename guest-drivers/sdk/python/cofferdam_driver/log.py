"""Lines for the host's log, under the backend's name. The host bounds them per call and drops what is over.

No secrets in them.
"""

from ._wasi import host


def debug(message: str) -> None:
    """For the driver's author."""
    host.log(host.Level.DEBUG, message)


def info(message: str) -> None:
    """A fact that the deployer may want to know."""
    host.log(host.Level.INFO, message)


def warn(message: str) -> None:
    """Something is wrong, yet the call goes on."""
    host.log(host.Level.WARN, message)


def error(message: str) -> None:
    """Something failed that no raised error tells."""
    host.log(host.Level.ERROR, message)
