"""Where the server is: the time zone that its clock shows."""

import os
from datetime import datetime, timedelta, timezone, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

_CLOCK, _NAME = Path("/etc/localtime"), Path("/etc/timezone")


def server_time_zone() -> str:
    """The name of the server's own time zone, as Europe/London; of one that it does not name, that
    of its present offset.
    """
    named = next((name for name in _named() if _shows_our_time(name)), None)
    return named or _by_offset(datetime.now().astimezone().utcoffset())


def zone_of(name: str) -> tzinfo:
    """The zone of a name as `server_time_zone` gives it, or as the setting has it."""
    if name in available_timezones():
        return ZoneInfo(name)
    hours, _, minutes = name.lstrip("+-").partition(":")
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(-offset if name.startswith("-") else offset)


def _named() -> list[str]:
    """What may be its name: of the environment, of the file that the clock is a link to, of
    Debian's own file.
    """
    names = [os.environ.get("TZ", "").lstrip(":")]
    try:
        names.append(str(_CLOCK.resolve()).partition("/zoneinfo/")[2])
        names.append(_NAME.read_text().strip())
    except (OSError, ValueError):
        pass
    return names


def _shows_our_time(name: str) -> bool:
    if name not in available_timezones():
        return False
    now = datetime.now().astimezone()
    return now.astimezone(ZoneInfo(name)).utcoffset() == now.utcoffset()


def _by_offset(offset: timedelta | None) -> str:
    """Etc/GMT-2 is two hours before Greenwich, in the east; there are whole hours only, others are
    +05:30.
    """
    minutes = round((offset or timedelta()).total_seconds() / 60)
    hours = minutes // 60
    if minutes == 0:
        return "Etc/UTC"
    if minutes % 60 == 0:
        return f"Etc/GMT{'-' if hours > 0 else '+'}{abs(hours)}"
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
