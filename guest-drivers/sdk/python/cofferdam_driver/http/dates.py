"""HTTP's dates: read in any of their three forms. Pure."""

from datetime import datetime, timezone

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def parse(text: str) -> int | None:
    """Seconds since 1970; None when it is no date."""
    words = text.replace(",", " ").replace("-", " ").split()
    try:
        if len(words) == 6 and words[5] == "GMT":
            _, day, month, year, time, _ = words
        elif len(words) == 5:
            _, month, day, time, year = words
        else:
            return None
        hour, minute, second = (int(part) for part in time.split(":"))
        number = int(year)
        if len(year) == 2:
            number += 2000 if number < 70 else 1900
        moment = datetime(
            number, _MONTHS.index(month.lower()) + 1, int(day), hour, minute, min(second, 59), tzinfo=timezone.utc
        )
    except ValueError:
        return None
    return int(moment.timestamp())
