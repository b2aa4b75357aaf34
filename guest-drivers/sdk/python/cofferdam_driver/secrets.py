"""Secrets as a driver may use them: by name, never by value. See `wit/0.1.0/secrets.wit` for what each use promises."""

from enum import Enum

from ._wasi import Err, secrets
from .errors import DriverError, Failed, InvalidConfiguration, Unavailable


class Algorithm(Enum):
    """How a message is signed. RS256 needs a private key in PEM as the secret."""

    HMAC_SHA1 = 0
    HMAC_SHA256 = 1
    RS256 = 2


class Encoding(Enum):
    """How the value is written where a placeholder stood."""

    PLAIN = 0
    JSON = 1
    PERCENT = 2
    #: Base64 with padding, of the prefix and the value.
    BASE64 = 3


class Secret:
    """A secret that the host keeps. Made by `Settings.secret`."""

    def __init__(self, name: str):
        #: The option's name, by which the host knows the secret.
        self.name = name

    def sign(self, algorithm: Algorithm, prefix: bytes, message: bytes) -> bytes:
        """Signs a message with `prefix` and the secret as key; with RS256 the prefix must be empty."""
        return self._ask(secrets.sign, self.name, secrets.Algorithm(algorithm.value), prefix, message)

    def md5(self, decode_base64: bool = False) -> bytes:
        """The MD5 of the secret, or of what it is when decoded from base64."""
        return self._ask(secrets.md5, self.name, decode_base64)

    def placeholder(self, prefix: str = "", encoding: Encoding = Encoding.PLAIN) -> str:
        """A text that the host replaces by `prefix` and the value when a request leaves for a granted authority. For the
        value of a header or a small body; not for URLs, errors or logs. Valid as long as the instance."""
        return self._ask(secrets.placeholder, self.name, prefix, secrets.Encoding(encoding.value))

    def reveal(self) -> str:
        """The value itself, if the deployer granted that."""
        return self._ask(secrets.reveal, self.name)

    def _ask(self, function, *arguments):
        try:
            return function(*arguments)
        except Err as error:
            raise self._error(error.value) from None

    def _error(self, error) -> DriverError:
        # A source that cannot be read now may come back; all else is for the deployer to mend.
        if isinstance(error, secrets.SecretError_Unavailable):
            return Unavailable(f"the secret {self.name} cannot be read now: {error.value}")
        if isinstance(error, secrets.SecretError_Unknown):
            return InvalidConfiguration(self.name, "the host has no such secret")
        if isinstance(error, secrets.SecretError_Denied):
            return InvalidConfiguration(self.name, f"this use of the secret is not granted: {error.value}")
        return InvalidConfiguration(self.name, f"the secret cannot be used so: {error.value}")


def sha256(message: bytes) -> bytes:
    """The SHA-256 of a message as it will be when it leaves: with the values in the place of placeholders."""
    try:
        return secrets.sha256(message)
    except Err as error:
        if isinstance(error.value, secrets.SecretError_Unavailable):
            raise Unavailable(f"a secret cannot be read now: {error.value.value}") from None
        raise Failed(f"the host made no digest: {error.value.value}") from None
