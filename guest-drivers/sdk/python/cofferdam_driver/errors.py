"""The contract's errors as exceptions. Which one is raised decides what the host does next.

The text is for the deployer: what was attempted, what was found. No secrets in it. Any exception that is none of these
reaches the host as `Failed`, with its type and message and without its traceback.

Retry classes: **repair** is tried again at the slow interval only, **retry** soon, **final** never.
"""


class DriverError(Exception):
    """What all of the contract's errors have in common: a text for the deployer."""

    def __init__(self, text: str):
        super().__init__(text)
        self.text = text


class InvalidConfiguration(DriverError):
    """The settings are wrong (repair). `option` is empty when the fault lies in how several work together."""

    def __init__(self, option: str, reason: str):
        super().__init__(f"{option}: {reason}" if option else reason)
        self.option = option
        self.reason = reason


class Unauthorized(DriverError):
    """The storage refused the credentials or the right (repair)."""


class Unavailable(DriverError):
    """The storage cannot be reached or used now (retry)."""


class NotFound(DriverError):
    """The object or container is not there (final)."""


class AlreadyExists(DriverError):
    """It is there already and may not be replaced (final)."""


class OutOfSpace(DriverError):
    """The storage is full (repair)."""


class Throttled(DriverError):
    """The storage asks for a pause (retry, after the pause). `retry_after`: milliseconds, or None if it did not say."""

    def __init__(self, retry_after: int | None, reason: str):
        super().__init__(reason)
        self.retry_after = retry_after


class Corrupted(DriverError):
    """What was read back is not what was written (final)."""


class Unsupported(DriverError):
    """This driver or storage cannot do that (final)."""


class Failed(DriverError):
    """Anything else (retry)."""
