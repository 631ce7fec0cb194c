"""Dates and times of DICOM (PS3.5 section 6.2: DA, TM, DT): local wall time as written, with the
offset beside it.
"""

import re
from datetime import date, datetime, time, timedelta

# Some equipment writes the first day of a calendar for an unknown birth date: 1900-01-01, 0001-01-01.
NO_BIRTH_DATE = date(1900, 1, 1)
# Without its dot, a fraction is one of three, four or six digits: with another number of digits, a
# zero may be missing at the start of the time, which would then be hours off.
_FRACTION = r"(?:\.(\d{1,6})|(\d{6}|\d{3,4}))"
_TM = re.compile(rf"(\d{{2}})(?::?(\d{{2}})(?::?(\d{{2}})(?:{_FRACTION})?)?)?\s*$")
_DT = re.compile(
    r"(\d{4})(\d{2})(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})"
    r"(?:\.(\d{1,6})\d*|(\d{6}|\d{3,4}))?)?)?)?([+-]\d{4})?\s*$"
)
_OFFSET = re.compile(r"(?:UTC)?([+-])(\d{2}):?(\d{2})\s*$")  # GE surgical C-arms write "UTC-04:00"


def parse_date(text: str | None) -> date | None:
    """Parse a DA value (also the retired YYYY.MM.DD of ACR-NEMA); return None if it is empty.
    Raises ValueError if it is not a date.
    """
    text = (text or "").strip()
    if not text:
        return None
    digits = text.replace(".", "").replace("-", "")
    if len(digits) != 8 or not digits.isdecimal():
        raise ValueError("not a date")
    return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))


def parse_time(text: str | None) -> time | None:
    """Parse a TM value with its fraction; return None if empty. Raises ValueError if not a time."""
    text = (text or "").strip()
    if not text:
        return None
    found = _TM.match(text)
    if not found:
        raise ValueError("not a time")
    hour, minute, second, fraction, dotless = found.groups()
    # datetime cannot represent a leap second (60); the last second of the minute is the nearest.
    return time(
        int(hour), int(minute or 0), min(int(second or 0), 59), _microseconds(fraction or dotless)
    )


def parse_datetime(text: str | None) -> tuple[datetime, timedelta | None] | None:
    """Parse a DT value into (local wall time, offset from UTC or None); return None if it is empty.

    A value without a day, which DT allows, is not a point in time that could be compared. Raises
    ValueError for such a value, as for any other text that is not a date and time."""
    text = (text or "").strip()
    if not text:
        return None
    found = _DT.match(text)
    if not found:
        raise ValueError("not a date and time")
    year, month, day, hour, minute, second, fraction, dotless, offset = found.groups()
    moment = datetime(
        int(year),
        int(month),
        int(day),
        int(hour or 0),
        int(minute or 0),
        min(int(second or 0), 59),
        _microseconds(fraction or dotless),
    )
    return moment, parse_offset(offset)


def _microseconds(fraction: str | None) -> int:
    return int((fraction or "0").ljust(6, "0"))


def lacks_dot(text: str | None) -> bool:
    """Return whether a TM or DT value that can be parsed has its fraction of a second without the
    dot before it."""
    if not text or len(text) < len("HHMMSSFFF") or "." in text:
        return False
    text = text.strip()
    found = _TM.match(text)
    if found:
        return found[5] is not None
    found = _DT.match(text)
    return found is not None and found[8] is not None


def parse_offset(text: str | None) -> timedelta | None:
    """Parse an offset from UTC as in (0008,0201), "+0100"; return None if it is empty. Raises
    ValueError if it is malformed or out of range.
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
    """Convert an AS value ("034Y", "006M", "002W", "010D") to years; return None if it is empty.
    Raises ValueError if it is not an age.
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
    """Return the age in years on `day`. Raises ValueError if the birth is after that day.

    It is cut to tenths, since an exact age and the date of the study would give back the birth date;
    below two years to complete months, since reference levels of infants begin at 1, 3 or 6 months
    (European Commission, Radiation Protection 185).
    """
    if birth > day:
        raise ValueError("born after the study")
    months = (day.year - birth.year) * 12 + day.month - birth.month - (day.day < birth.day)
    if months < 24:
        return round(months / 12, 3)
    years = months // 12
    try:
        birthday = birth.replace(year=birth.year + years)
    except ValueError:  # born on 29 February
        birthday = date(birth.year + years, 3, 1)
    return (years * 10 + (day - birthday).days * 10 // 366) / 10
