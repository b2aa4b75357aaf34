"""Header fields of an answer: looked up by name in any case, the first of several. Pure."""


class Headers:
    """The header fields that came with an answer."""

    def __init__(self, fields: list[tuple[str, bytes]] = ()):
        self._fields = list(fields)

    def get(self, name: str) -> str | None:
        """The value of the first field of that name, when it is text; spaces around it are cut."""
        for field, value in self._fields:
            if field.lower() == name.lower():
                try:
                    return value.decode().strip()
                except UnicodeDecodeError:
                    return None
        return None

    def number(self, name: str) -> int | None:
        """The value as a whole number of bytes or seconds; None also when it is none."""
        text = self.get(name)
        return int(text) if text and is_digits(text) else None


def is_digits(text: str) -> bool:
    """Whether the text is one to twenty decimal digits: `int` alone would take signs, underscores and any length."""
    return 0 < len(text) <= 20 and text.isascii() and text.isdigit()
