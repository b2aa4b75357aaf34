"""A driver's settings with typed getters.

The host has checked each value against the option's kind before the driver sees it. The getters check again, because
the same component may run on another host, and say which option is wrong and what was found, never the value.
"""

from .directory import Directory
from .errors import InvalidConfiguration
from .http.url import Url, UrlError
from .secrets import Secret

Value = str | int | bool


class Settings:
    """The settings of one set-up. Shows names only: values may be secrets."""

    def __init__(self, values: dict[str, Value]):
        self._values = values

    def __repr__(self) -> str:
        return f"Settings({sorted(self._values)})"

    def text(self, name: str) -> str | None:
        """A text; None when the option is absent."""
        return self._of(name, str, "a text")

    def required_text(self, name: str) -> str:
        """A text that must be there and not be empty."""
        text = self.text(name)
        if text is None:
            raise InvalidConfiguration(name, "the option is required and absent")
        if text == "":
            raise InvalidConfiguration(name, "the text is empty")
        return text

    def integer(self, name: str) -> int | None:
        """A whole number; None when the option is absent."""
        return self._of(name, int, "a whole number")

    def size(self, name: str) -> int | None:
        """A number of bytes; None when the option is absent."""
        return self._unsigned(name, "bytes")

    def duration(self, name: str) -> int | None:
        """A span of time in milliseconds; None when the option is absent."""
        return self._unsigned(name, "milliseconds")

    def boolean(self, name: str) -> bool | None:
        """True or false; None when the option is absent."""
        return self._of(name, bool, "true or false")

    def required_directory(self, name: str) -> Directory:
        """The granted directory that the option names; it must be there. Opens nothing."""
        try:
            return Directory.granted(self.required_text(name))
        except ValueError as error:
            raise InvalidConfiguration(name, str(error)) from None

    def url(self, name: str) -> Url | None:
        """The URL that the option names; None when the option is absent. Its error does not show it."""
        text = self.text(name)
        return None if text is None else _url(name, text)

    def required_url(self, name: str) -> Url:
        """The URL that the option names; it must be there. Its error does not show it: it might hold a password."""
        return _url(name, self.required_text(name))

    def secret(self, name: str) -> Secret | None:
        """The secret of that option; None when the option is absent. The value stays with the host."""
        return None if self.text(name) is None else Secret(name)

    def required_secret(self, name: str) -> Secret:
        """The secret of an option that must be there."""
        self.required_text(name)
        return Secret(name)

    def _of(self, name: str, kind: type, expected: str):
        value = self._values.get(name)
        # A bool is an int in Python, but not in the contract.
        if value is not None and type(value) is not kind:
            found = {str: "a text", int: "a whole number", bool: "true or false"}.get(type(value), "something else")
            raise InvalidConfiguration(name, f"expected {expected}, found {found}")
        return value

    def _unsigned(self, name: str, unit: str) -> int | None:
        number = self.integer(name)
        if number is not None and number < 0:
            raise InvalidConfiguration(name, f"expected a number of {unit}, found {number}")
        return number


def _url(name: str, text: str) -> Url:
    try:
        return Url.parse(text)
    except UrlError as error:
        raise InvalidConfiguration(name, f"the URL cannot be used: {error}") from None
