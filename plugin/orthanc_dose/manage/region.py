"""The location of the server: the time zone of its clock."""

import os
from datetime import datetime, timedelta, timezone, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

_CLOCK, _NAME = Path("/etc/localtime"), Path("/etc/timezone")


def server_time_zone() -> str:
    """Return the name of the server's own time zone, such as Europe/London.

    If it has no name, the name of its present offset is returned.
    """
    named = next((name for name in _named() if _shows_our_time(name)), None)
    return named or _by_offset(datetime.now().astimezone().utcoffset())


def zone_of(name: str) -> tzinfo:
    """Return the zone of a name that `server_time_zone` returns, or that the setting holds."""
    if name in available_timezones():
        return ZoneInfo(name)
    hours, _, minutes = name.lstrip("+-").partition(":")
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(-offset if name.startswith("-") else offset)


def _named() -> list[str]:
    """Return possible names of the time zone.

    They come from the environment, from the file that the clock is a link to, and from Debian's own
    file.
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
    """Return the name of a zone with this offset.

    Etc/GMT-2 is two hours ahead of Greenwich, to the east. These names exist for whole hours only;
    others are like +05:30.
    """
    minutes = round((offset or timedelta()).total_seconds() / 60)
    hours = minutes // 60
    if minutes == 0:
        return "Etc/UTC"
    if minutes % 60 == 0:
        return f"Etc/GMT{'-' if hours > 0 else '+'}{abs(hours)}"
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
