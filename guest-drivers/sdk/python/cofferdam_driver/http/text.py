"""Texts for URLs, and texts of others for people. Pure."""

LONGEST_SHOWN = 200

_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def percent(text: str) -> str:
    """Percent-encodes all but letters, digits and `-._~`: for a part of a query, or one segment of a path."""
    return "".join(chr(byte) if byte in _UNRESERVED else f"%{byte:02X}" for byte in text.encode())


def percent_decode(text: str) -> str | None:
    """Undoes percent-encoding; a `%` that begins no code stays. None when the bytes are not UTF-8."""
    first, *rest = text.split("%")
    decoded = bytearray(first.encode())
    for piece in rest:
        digits = piece[:2]
        if len(digits) == 2 and all(digit in "0123456789abcdefABCDEF" for digit in digits):
            decoded.append(int(digits, 16))
            decoded += piece[2:].encode()
        else:
            decoded += b"%" + piece.encode()
    try:
        return decoded.decode()
    except UnicodeDecodeError:
        return None


def shown(text: str) -> str:
    """A text that someone else made, fit for an error or a log: one line, no control characters, at most 200
    characters."""
    clean = "".join(" " if character.isspace() or _is_control(character) else character for character in text)
    line = " ".join(clean.split())
    return line if len(line) <= LONGEST_SHOWN else line[:LONGEST_SHOWN] + "..."


def _is_control(character: str) -> bool:
    return ord(character) < 0x20 or 0x7F <= ord(character) <= 0x9F
