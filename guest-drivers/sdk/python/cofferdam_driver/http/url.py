"""Addresses of storages, taken apart. Pure.

Only what a driver needs: `http` and `https`, a host, perhaps a port, a path, perhaps a query. No user, password or
fragment. A scheme's usual port is left out, so that the `host` header, a signature and a grant see the same text.
"""

from dataclasses import dataclass, replace

from .headers import is_digits

_USUAL_PORTS = {"http": 80, "https": 443}


class UrlError(ValueError):
    """A reason why a text is no address for a driver. It does not show the text: it might hold a password."""


@dataclass(frozen=True)
class Url:
    """An absolute URL. Its path begins with `/`; path and query are already percent-encoded."""

    #: `http` or `https`.
    scheme: str
    #: Host and port as the `host` header has them.
    authority: str
    path: str
    #: What stands behind the `?`.
    query: str | None = None

    @classmethod
    def parse(cls, text: str) -> "Url":
        """Takes the text apart. Raises `UrlError`."""
        scheme, separator, rest = text.partition("://")
        scheme = scheme.lower()
        if not separator:
            raise UrlError("it does not begin with http:// or https://")
        if scheme not in _USUAL_PORTS:
            raise UrlError("its scheme is neither http nor https")
        if not all("!" <= character <= "~" for character in rest):
            raise UrlError("it holds a space, a control character or one beyond ASCII")
        if "#" in rest:
            raise UrlError("it holds a fragment (#)")
        rest, has_query, query = rest.partition("?")
        authority, slash, path = rest.partition("/")
        return cls(scheme, _authority(scheme, authority), slash + path or "/", query if has_query else None)

    @property
    def origin(self) -> str:
        """Scheme and authority only: what a grant names and what errors may show."""
        return f"{self.scheme}://{self.authority}"

    @property
    def path_and_query(self) -> str:
        """As the request line has them."""
        return self.path if self.query is None else f"{self.path}?{self.query}"

    def __str__(self) -> str:
        """The origin only: paths name users' objects, queries may hold signatures."""
        return self.origin

    def join(self, path: str) -> "Url":
        """The same with `path`, which must be percent-encoded, behind this one's, one `/` between; without a query."""
        return replace(self, path=f"{self.path.rstrip('/')}/{path.lstrip('/')}", query=None)

    def with_query(self, query: str) -> "Url":
        """The same with another query, which must be percent-encoded; an empty one is none."""
        return replace(self, query=query or None)


def _authority(scheme: str, authority: str) -> str:
    """The authority in lower case and without the scheme's usual port."""
    if "@" in authority:
        raise UrlError("it holds a user or password (@)")
    # The colons of an IPv6 address stand inside brackets.
    host, colon, port = authority.rpartition(":")
    if not colon or port.endswith("]"):
        host, colon, port = authority, "", ""
    if not (_is_ipv6(host[1:-1]) if host[:1] == "[" and host[-1:] == "]" else _is_name(host)):
        raise UrlError("its host is missing or malformed")
    host = host.lower()
    if not colon:
        return host
    if port and not is_digits(port):
        raise UrlError("its port is no number")
    number = int(port or 0)
    if not 1 <= number <= 65535:
        raise UrlError("its port is not 1 to 65535")
    return host if number == _USUAL_PORTS[scheme] else f"{host}:{number}"


def _is_name(host: str) -> bool:
    def is_label(label: str) -> bool:
        plain = label.replace("-", "").replace("_", "")
        return 1 <= len(label) <= 63 and label.isascii() and (not plain or plain.isalnum())

    return len(host) <= 253 and all(is_label(label) for label in host.split("."))


def _is_ipv6(text: str) -> bool:
    """Colons and hex groups, at most one gap. The host has the last word: it dials."""
    groups = text.split(":")
    gaps = text.count("::")
    plain = all(len(group) <= 4 and all(digit in "0123456789abcdefABCDEF" for digit in group) for group in groups)
    return plain and gaps <= 1 and ":::" not in text and (len(groups) == 8 or (gaps == 1 and 3 <= len(groups) <= 9))
