"""Dates and times of DICOM (PS3.5 section 6.2: DA, TM, DT): local wall time as written, the offset
beside it.
"""

import re
from datetime import date, datetime, time, timedelta

_TM = re.compile(r"(\d{2})(?::?(\d{2})(?::?(\d{2})(?:\.(\d{1,6}))?)?)?\s*$")
_DT = re.compile(
    r"(\d{4})(\d{2})(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:\.(\d{1,6})\d*)?)?)?)?([+-]\d{4})?\s*$"
)
_OFFSET = re.compile(r"(?:UTC)?([+-])(\d{2}):?(\d{2})\s*$")  # GE surgical C-arms write "UTC-04:00"


def parse_date(text: str | None) -> date | None:
    """A DA value (also the retired YYYY.MM.DD of ACR-NEMA), or None when it is empty. ValueError
    when it is no date.
    """
    text = (text or "").strip()
    if not text:
        return None
    digits = text.replace(".", "").replace("-", "")
    if len(digits) != 8 or not digits.isdecimal():
        raise ValueError("not a date")
    return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))


def parse_time(text: str | None) -> time | None:
    """A TM value with its fraction, or None when it is empty. ValueError when it is no time."""
    text = (text or "").strip()
    if not text:
        return None
    found = _TM.match(text)
    if not found:
        raise ValueError("not a time")
    hour, minute, second, fraction = found.groups()
    # A leap second (60) has no place in datetime; the last second of the minute is nearest.
    return time(
        int(hour), int(minute or 0), min(int(second or 0), 59), int((fraction or "0").ljust(6, "0"))
    )


def parse_datetime(text: str | None) -> tuple[datetime, timedelta | None] | None:
    """A DT value as (local wall time, offset from UTC or None), or None when it is empty.

    A value without a day, which DT allows, is no point in time that could be compared: ValueError,
    as for other text."""
    text = (text or "").strip()
    if not text:
        return None
    found = _DT.match(text)
    if not found:
        raise ValueError("not a date and time")
    year, month, day, hour, minute, second, fraction, offset = found.groups()
    moment = datetime(
        int(year),
        int(month),
        int(day),
        int(hour or 0),
        int(minute or 0),
        min(int(second or 0), 59),
        int((fraction or "0").ljust(6, "0")),
    )
    return moment, parse_offset(offset)


def parse_offset(text: str | None) -> timedelta | None:
    """An offset from UTC as in (0008,0201), "+0100", or None when there is none. ValueError when it
    is out of range.
    """
    text = (text or "").strip()
    if not text:
        return None
    found = _OFFSET.match(text)
    if not found:
        raise ValueError("not an offset from UTC")
    sign, hours, minutes = found.groups()
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    if offset > timedelta(hours=14):
        raise ValueError("not an offset from UTC")
    return -offset if sign == "-" else offset


def parse_age(text: str | None) -> float | None:
    """An AS value ("034Y", "006M", "002W", "010D") in years, or None when it is empty. ValueError
    when it is no age.
    """
    text = (text or "").strip()
    if not text:
        return None
    if len(text) < 2 or not text[:-1].isdecimal():
        raise ValueError("not an age")
    per_year = {"Y": 1.0, "M": 12.0, "W": 365.25 / 7, "D": 365.25}.get(text[-1].upper())
    if per_year is None:
        raise ValueError("not an age")
    return round(int(text[:-1]) / per_year, 3)


def age_between(birth: date, day: date) -> float:
    """Age in years at `day`. Raises ValueError for a birth after that day."""
    if birth > day:
        raise ValueError("born after the study")
    return round((day - birth).days / 365.25, 3)
