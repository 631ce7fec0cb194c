"""Values as the pages show them: the same digits, units, dates and words
(webui/src/shared/format.ts).
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, tzinfo
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

from ..records import Field
from .words import Words

NOTHING = "–"
_YEAR = "a"
_SIGNIFICANT, _MOST_DECIMALS = 4, 8
# Thousands and decimal separators.
_SIGNS = {"en": (",", "."), "de": (".", ",")}
_RAISED = str.maketrans("0123456789m", "⁰¹²³⁴⁵⁶⁷⁸⁹ᵐ")
_MASS = re.compile(r"\^(\d{1,3}m?)\^")


def scaled(value: float, field: Field) -> float:
    """Return the value in the shown unit, without artefacts of binary fractions.

    For example, 0.0001234 Gy·m² is 123.4 cGy·cm².
    """
    factor = field.shown.factor if field.shown else 1.0
    return float(Context(prec=12, rounding=ROUND_HALF_UP).create_decimal_from_float(value * factor))


def decimals_for(values: Iterable[float]) -> int:
    """Return the number of decimals of numbers in one column.

    They are four significant digits of the largest number, without decimals that are zero in all
    numbers.
    """
    finite = [value for value in values if math.isfinite(value)]
    largest = max(map(abs, finite), default=0.0)
    if largest == 0:
        return 0
    decimals = min(max(_SIGNIFICANT - math.floor(math.log10(largest)) - 1, 0), _MOST_DECIMALS)
    while decimals and all(
        _rounded(value, decimals - 1) == _rounded(value, decimals) for value in finite
    ):
        decimals -= 1
    return decimals


def _rounded(value: float, decimals: int) -> Decimal:
    # The number as people write it, as browsers round it too: 1.9785 is a little less in binary,
    # and is rounded to 1.979 nevertheless.
    return Decimal(repr(value)).quantize(
        Decimal(1).scaleb(-decimals), ROUND_HALF_UP, Context(prec=400)
    )


class Shown:
    """The format of values in one language.

    date_format: a value of the setting of this name; zone: the local time zone, in which times of
    the server are shown.
    """

    def __init__(self, words: Words, date_format: str, zone: tzinfo) -> None:
        self.words, self._date_format, self._zone = words, date_format, zone
        self.signs = _SIGNS[words.language]

    def value(self, value: Any, field: Field, decimals: int | None = None) -> str:
        """Return a value without its unit; a dash if there is none.

        decimals: those of the numbers in the same column.
        """
        if value is None or value == "" or value == []:
            return NOTHING
        if isinstance(value, list):
            if field.type == "numbers" and decimals is None:
                decimals = decimals_for(scaled(one, field) for one in value)
            return ", ".join(self.value(one, field, decimals) for one in value)
        if isinstance(value, bool):
            return self.words.say("app.yes" if value else "app.no")
        if isinstance(value, int) and field.type == "integer":
            return self._grouped(Decimal(value))
        if isinstance(value, (int, float)) and field.unit == _YEAR:
            return self.age(value)
        if isinstance(value, (int, float)):
            shown = scaled(value, field)
            return self.number(shown, decimals_for([shown]) if decimals is None else decimals)
        if isinstance(value, dict):
            return _raised(self.words.meaning(value) or NOTHING)
        if isinstance(value, datetime):
            return self.moment(value)
        if isinstance(value, date):
            return self.day(value)
        if isinstance(value, time):
            return value.strftime("%H:%M:%S")
        if field.name == "source":
            return self.words.source(value)
        return _raised(value) if field.type == "text" else str(value)

    def with_unit(self, value: Any, field: Field) -> str:
        text, unit = self.value(value, field), self.words.unit(field)
        if not unit or text == NOTHING or field.unit == _YEAR:
            return text
        return f"{text}{unit}" if unit == "°" else f"{text} {unit}"

    def number(self, value: float, decimals: int) -> str:
        """Return a number with these decimals.

        A small number keeps two significant digits, so that it never appears as zero.
        """
        if not math.isfinite(value):
            return str(value)
        if value and abs(value) < 2 * 10**-decimals:
            needed = 1 - math.floor(math.log10(abs(value)))
            if needed > _MOST_DECIMALS:
                digits, exponent = f"{value:.2e}".split("e")
                return f"{digits}e{int(exponent):+d}".replace(".", self.signs[1])
            while decimals < needed and _rounded(value, decimals) != _rounded(value, needed):
                decimals += 1
        return self._grouped(_rounded(value, decimals))

    def age(self, years: float) -> str:
        """Return an age in years, or for small children in months or days, rounded down."""
        unit, count = "days", years * 365.25
        if years >= 2 or years == 1:  # a given age of one year is not shown as twelve months
            unit, count = "years", years
        elif years * 12 >= 1:
            unit, count = "months", years * 12
        # 7 months are slightly less than 7/12 in binary.
        return self.words.say(f"app.age.{unit}", n=math.floor(count + 1e-6))

    def day(self, value: date) -> str:
        parts = {"yyyy": f"{value.year:04d}", "mm": f"{value.month:02d}", "dd": f"{value.day:02d}"}
        text = self._date_format
        for part, written in parts.items():
            text = text.replace(part, written)
        return text

    def moment(self, value: datetime) -> str:
        """Return a date and time: those of studies as written, those with a zone in local time."""
        wall = value.astimezone(self._zone) if value.tzinfo else value
        return f"{self.day(wall)} {wall:%H:%M:%S}"

    def _grouped(self, value: Decimal) -> str:
        group, point = self.signs
        whole, _, rest = f"{value:f}".partition(".")
        if len(whole.lstrip("-")) > 4:  # 1234 has no separator
            whole = f"{int(whole):,}".replace(",", group)
        return whole + (point + rest if rest else "")


def minutes(seconds: float) -> str:
    """Return minutes and seconds, 754 s as "12 min 34 s"; empty below a minute."""
    if not seconds >= 60:
        return ""
    whole = math.floor(seconds + 0.5)
    hours, rest = divmod(whole, 3600)
    return f"{hours} h {rest // 60} min" if hours else f"{rest // 60} min {rest % 60} s"


def describe(study: Mapping[str, Any]) -> str | None:
    """Return the title of a study: the first description that is not blank."""
    names: Sequence[str] = (
        "study_description",
        "requested_procedure_description",
        "performed_procedure_step_description",
        "protocol_name",
        "series_description",
    )
    return next((study[name] for name in names if (study.get(name) or "").strip()), None)


def _raised(text: str) -> str:
    """Return the text with raised mass numbers; nuclide codes write them as in ^99m^Technetium."""
    return _MASS.sub(lambda found: found[1].translate(_RAISED), text)
