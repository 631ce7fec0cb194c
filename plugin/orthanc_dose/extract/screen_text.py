"""Converts the text of a dose screen, as an OCR engine gives it, to the table on that screen.

Three layouts are known: the dose summary of Toshiba and Canon, the Dose Report of GE, the Patient
Protocol of Siemens. An engine may read words slightly wrong, and they are matched with tolerance.
Numbers are not: digits are never replaced, a column has the decimals that its manufacturer prints,
and a line of the table that cannot be read makes the screen unreadable."""

import difflib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal

# Replaces a line of the table that could not be read in the kept text: the text is dropped, the
# fact is not.
UNCLEAR = "(unclear)"
_REMOVED = "(removed)"

# The full stop of some fonts is read as a comma, or gets a space beside it; no manufacturer prints
# thousands separators.
_POINT = re.compile(r"(?<![\d.,])(\d{1,5}) ?[.,] ?(?=\d)")
_DECIMAL = r"\d{1,5}\.\d{1,3}"
_TWO_DECIMALS = r"\d{1,5}\.\d\d"
_NUMBER = rf"(?:{_DECIMAL}|\d{{1,6}})"
_CTDI = r"[CG]T[DO0][I1L|]?\s?V[O0][LI1|]"
_DLP = r"[DO0B][LI1|]P"
_TABLE = re.compile(rf"{_CTDI}.*{_DLP}")

LOCALIZER, SPIRAL, SEQUENCED, STATIONARY, FREE = (
    "localizer",
    "spiral",
    "sequenced",
    "stationary",
    "free",
)
# What the manufacturers call each kind of scan.
_TYPES = {
    "SCANOSCOPE": LOCALIZER,
    "SCOUT": LOCALIZER,
    "TOPOGRAM": LOCALIZER,
    "HELICAL": SPIRAL,
    "SPIRAL": SPIRAL,
    "CARDIAC HELICAL": SPIRAL,
    "HELICAL SHUTTLE": SPIRAL,
    "NORMAL": SEQUENCED,
    "AXIAL": SEQUENCED,
    "S&S": SEQUENCED,
    "SEQUENCE": SEQUENCED,
    "DYNAMIC": STATIONARY,
    "VOLUME": STATIONARY,
    "CINE": STATIONARY,
    "SMARTSTEP": STATIONARY,
    "STATIONARY": STATIONARY,
    "SMARTVIEW": FREE,
}


@dataclass
class Series:
    """One line of the table: mGy, mGy.cm, s, kV, mA.s, mm, as printed.

    span: the text of the range of the scan; spans: its possible meanings as first and last position
    in mm, the literal one first."""

    kind: str | None = None
    texts: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, Decimal] = field(default_factory=dict)
    phantom: str | None = None
    span: str = ""
    spans: list[tuple[Decimal, Decimal]] = field(default_factory=list)


@dataclass
class Screen:
    """One reading: its series, total DLP in mGy.cm by phantom ("" if none is named), the number of
    pages of the screen, the text that was understood, and the number of table lines that were not.

    hidden: words of the patient's name, in capitals; they are removed from free-text names on the
    screen before these are kept."""

    hidden: frozenset[str] = frozenset()
    series: list[Series] = field(default_factory=list)
    totals: dict[str, Decimal] = field(default_factory=dict)
    pages: int = 1
    used: list[str] = field(default_factory=list)
    unclear: int = 0

    def miss(self) -> None:
        self.unclear += 1
        self.used.append(UNCLEAR)

    def name(self, text: str) -> str:
        """Return a name of a protocol or series on the screen, without parts of the patient's
        name."""

        def shown(word: re.Match[str]) -> str:
            return (
                _REMOVED
                if difflib.get_close_matches(word.group().upper(), self.hidden, 1, 0.75)
                else word.group()
            )

        return re.sub(r"[^\W\d_]{3,}", shown, text.strip())


def decimals(value: Decimal) -> int:
    """Return the number of digits after the decimal point."""
    return max(0, -int(value.as_tuple().exponent))


def _kind(text: str) -> str | None:
    found = difflib.get_close_matches(" ".join(text.upper().split()), _TYPES, 1, 0.75)
    return _TYPES[found[0]] if found else None


def _seems_a_row(line: str) -> bool:
    # Three words with digits, or two decimal numbers: no other line within a table has them.
    return len(re.findall(r"\S*\d\S*", line)) >= 3 or len(re.findall(_DECIMAL, line)) >= 2


# --- GE ---

# An end of the scan range is S or I and a position in mm with three decimals: S10.000-I412.500. The
# letters are sometimes read as digits that look like them.
_END = r"[SI5$1L|T] ?[1L|I]?\d{1,4}\.\d{3}"
_GE_ROW = re.compile(
    rf"(?:\S{{1,4}}\s+)?(?P<type>[A-Z][A-Z ]+?)\s+(?P<span>[SI5$1L|T\d .~=_-]{{5,30}}?)\s+(?P<ctdi>{_TWO_DECIMALS})\s+"
    rf"(?P<dlp>{_TWO_DECIMALS})\s+(?P<phantom>BOD[YV]|HEAD)\W*(?P<size>32|16)?\W*(?:CM)?\W*"
)
_GE_SCOUT = re.compile(r"(?:\S{1,4}\s+)?(SCOUT)[^A-Z\d]*")
_PAGE = re.compile(r"\d{1,2} ?/ ?(\d{1,2})")
_GE_TOTAL = re.compile(rf"T[O0]TA[LI1|]\s*EXAM\s*{_DLP}\W*(?P<total>\S.*)")


def _positions(end: str) -> list[Decimal]:
    """Return the possible meanings of an end of a range: an S or I with a position, or an I that
    was read as two strokes.
    """
    end = end.replace(" ", "")
    sign = 1 if end[0] in "S5$" else -1
    found = [sign * Decimal(end[1:])] if end[1].isdecimal() else []
    if end[0] not in "S5$" and end[1] in "1L|I" and end[2].isdecimal():
        found.append(sign * Decimal(end[2:]))
    return found


def _ge(lines: Iterable[str], screen: Screen) -> None:
    table = False
    for line in lines:
        upper = _capitals(line)
        if found := _GE_TOTAL.search(upper):
            _total(screen, "Total Exam DLP:", found["total"], _TWO_DECIMALS)
        elif found := _PAGE.fullmatch(upper):
            screen.pages = max(screen.pages, int(found[1]))
            screen.used.append(found.group())
        elif found := _GE_ROW.fullmatch(upper):
            table = True
            one = Series(_kind(found["type"]), {"type": found["type"]}, span=found["span"])
            one.numbers = {name: Decimal(found[name]) for name in ("ctdi", "dlp")}
            one.phantom = "Head" if found["phantom"] == "HEAD" else "Body"
            if found["size"] and (found["size"] == "32") != (one.phantom == "Body"):
                one.phantom = None
            if ends := re.fullmatch(rf"({_END}) ?[-~=_]+ ?({_END})", one.span):
                one.spans = [(a, b) for a in _positions(ends[1]) for b in _positions(ends[2])]
                if all(a == b for a, b in one.spans):
                    one.kind = STATIONARY
            screen.series.append(one)
            screen.used.append(found.group())
        elif found := _GE_SCOUT.fullmatch(upper):
            screen.series.append(Series(LOCALIZER, {"type": found[1]}))
            screen.used.append(found.group())
        elif _TABLE.search(upper):
            table = True
            screen.used.append("CTDIvol DLP")
        elif line == UNCLEAR or (table and _seems_a_row(upper)):
            screen.miss()


# --- Siemens ---

# Name, scan or range of scans, kV, mAs / reference mAs, CTDIvol with two decimals and the phantom's
# letter, DLP, rotation time, collimation. A topogram has mA, and usually no dose.
_SIEMENS_ROW = re.compile(
    rf"(?P<name>\S.{{0,29}}?)\s+(?P<scan>\d{{1,3}}[A-Z]?(?:-\d{{1,3}}[A-Z]?)?)\s+(?P<kvp>\d{{2,3}})\s+(?P<mas>\d{{1,5}})"
    rf"(?:\s?M[A-Z]|(?:\s*7?/7?\s*|\s7\s)(?P<reference>\d{{1,5}})\W?)?\s+(?P<ctdi>{_TWO_DECIMALS})\s?(?:\(?(?P<letter>[ABLS58])\)?|\.)?\*?"
    rf"\s+(?P<dlp>{_NUMBER})\s+(?P<rotation_time>\S{{1,6}})(?:\s+(?P<collimation>\S{{1,6}}))?"
)
_TOPOGRAM = re.compile(r"(?P<name>T[O0]P[O0]G\w{1,4})\s+\d.*")
_SIEMENS_TOTAL = re.compile(
    rf"(?:T[O0]TA[LI1|]\W*{_DLP}|{_DLP}\W*T[O0]TA[LI1|])\W*(?P<total>\d[\d., ]*)"
)
# The phantoms: L (large) or A is the 32 cm phantom, S (small) or B the 16 cm one. S and B look like
# 5 and 8, which cannot be digits here, since CTDIvol has two decimals.
_LETTERS = {"L": "Body", "A": "Body", "S": "Head", "B": "Head", "5": "Head", "8": "Head"}


def _siemens(lines: Iterable[str], screen: Screen) -> None:
    table = False
    for line in lines:
        upper = _capitals(line)
        if found := _SIEMENS_TOTAL.search(upper):
            _total(screen, "Total DLP", found["total"], _NUMBER)
        elif (found := _SIEMENS_ROW.fullmatch(upper)) and 60 <= int(found["kvp"]) <= 160:
            table = True
            named = ("ctdi", "dlp", "kvp", "mas", "rotation_time", "collimation")
            name = screen.name(line[: found.end("name")])
            one = Series(None, {"protocol": name})
            one.numbers = {
                n: Decimal(found[n]) for n in named if re.fullmatch(_NUMBER, found[n] or "")
            }
            for beside in ("rotation_time", "collimation"):
                if beside in one.numbers and not decimals(one.numbers[beside]):
                    del one.numbers[beside]  # they have a decimal; a point was lost
            one.kind = LOCALIZER if _TOPOGRAM.fullmatch(upper) else None
            one.phantom = _LETTERS.get(found["letter"] or "")
            screen.series.append(one)
            screen.used.append(name + line[found.end("name") :])
        elif (found := _TOPOGRAM.fullmatch(upper)) and not re.search(_TWO_DECIMALS, upper):
            screen.series.append(Series(LOCALIZER, {"protocol": "Topogram"}))
            screen.used.append("Topogram 1")
        elif _TABLE.search(upper):
            table = True
            screen.used.append("CTDIvol DLP")
        elif re.match(r"MEDIUM|CONTRAST|[ABLS]\W{1,3}(?:32|16)\s?CM", upper):
            table = False
        elif line == UNCLEAR or (table and _seems_a_row(upper)):
            screen.miss()


# --- Toshiba, Canon ---

# Columns by their titles, in any order and on any number of lines.
_COLUMN = re.compile(
    rf"(?P<start>START\s*P[O0]S\W?)|(?P<end>END\s*P[O0]S\W?)|(?P<ctdi_air>CTD.?AIR)|(?P<dlp_air>{_DLP}AIR)"
    rf"|(?P<eff_ctdi>EFF\W*{_CTDI}\W*MEAN)|(?P<eff_dlp>EFF\W*{_DLP})|(?P<ctdi>{_CTDI}(?:\W?E\b)?(?:\s*MEAN)?)"
    rf"|(?P<dlp>{_DLP}(?:\W?E\b)?)|(?P<images>T[O0]TA[LI1|]\s*IMAGE\s*NUMBER)|(?P<mas>T[O0]TA[LI1|]\s*(?!D[O0]SE|EXAM|{_DLP})\w{{2,6}})"
    rf"|(?P<exposure_time>EXP[O0]SURE\s*T.[MN]E)|(?P<reduction>T[O0]T\W*D[O0]SE\s*RED\W*)|(?P<mode>D[O0]SE\s*RED\W*\s*M[O0]DE)"
    rf"|(?P<modulation>M[O0]DU.AT..N)|(?P<boost>B[O0][O0]ST)|(?P<qds>QDS)|(?P<sd>\bSD\b)"
)
_UNIT = re.compile(r"\W*E?[MN]?GY\W{0,2}(?:C[MN])?\W*")
_WORDS = frozenset({"mode", "modulation", "boost", "qds"})
_PHANTOM = re.compile(r"\s?[^\w\s]{0,2}\s?(B[O0]D[YV]|HEAD)\s?[^\w\s+-]{0,2}")
_PROTOCOL = re.compile(r"(?P<number>\d{1,2})\s?[.,]\s?(?P<name>[^\d\s].*)")
_BOTH = re.compile(r"\W{0,2}HEAD\S{0,2}(?P<head>.*?)\W{0,2}B[O0]D[YV]\W{0,3}(?P<body>.*)")
_TOSHIBA_TOTAL = re.compile(
    rf"(?:T[O0]TA[LI1|]\s*|EFF\W*)?{_DLP}(?:\W?E\b)?(?P<rest>\W*[MN]?GY?.*|\s*:.*)"
)


def _columns(line: str) -> list[str]:
    """Return the columns whose titles a line contains; none if the line contains anything else."""
    names: list[str] = []
    for found in _COLUMN.finditer(line):
        name = found.lastgroup or ""
        names.append(f"{name}_e" if name in names else name)
    rest = _UNIT.sub(" ", _COLUMN.sub(" ", line))
    return names if len(re.sub(r"\W", "", rest)) <= 4 and not re.search(r"\d", rest) else []


def _toshiba(lines: Iterable[str], screen: Screen) -> None:
    header: list[list[str]] = []
    titles = False  # whether the previous line was one of titles
    filled = True  # whether a line of values followed the last titles
    row = 0
    protocol, unsaid = "", False  # the last name of a protocol, and whether it still has to be kept
    one: Series | None = None
    for line in lines:
        upper = _capitals(line)
        if names := _columns(upper):
            if header and not titles and not filled:
                screen.miss()
            filled = False
            header = [*header, names] if titles else [names]
            row, titles, one = 0, True, None
            if unsaid:
                screen.used.append(protocol)
                unsaid = False
            screen.used.append("  ".join(_COLUMN_TITLES[name.removesuffix("_e")] for name in names))
            continue
        titles = False
        if (found := _TOSHIBA_TOTAL.match(upper)) and one is None:
            _toshiba_total(screen, found["rest"])
        elif found := _PROTOCOL.fullmatch(line):
            protocol, unsaid, one, row = (
                f"{found['number']}. {screen.name(found['name'])}",
                True,
                None,
                0,
            )
        elif line == UNCLEAR:
            screen.miss()
            filled = True
        elif header:
            values = _values(upper)
            word = re.match(r"[A-Z&]{3,12}(?=\s|$)", upper)
            kind = _kind(word.group()) if word else None
            if word and kind:
                one, row, values = Series(kind, {"type": word.group()}), 0, values[1:]
                if protocol:
                    one.texts["protocol"] = protocol.partition(". ")[2]
            elif one is None or row >= len(header) or not values:
                if _seems_a_row(upper) or re.search(r"\d\(", " ".join(values)):
                    screen.miss()
                    filled = True
                continue
            if row >= len(header) or not _fill(one, header[row], values):
                screen.miss()
                filled = True
                continue
            if kind:
                screen.series.append(one)
            if unsaid:
                screen.used.append(protocol)
                unsaid = False
            screen.used.append(line)
            row, filled = row + 1, True
    if not filled:
        screen.miss()


_COLUMN_TITLES = {
    "start": "Start Pos.", "end": "End Pos.", "ctdi_air": "CTDIair", "dlp_air": "DLPair", "eff_ctdi": "Eff. CTDIvol Mean",
    "eff_dlp": "Eff. DLP", "ctdi": "CTDIvol", "dlp": "DLP", "images": "Total Image Number", "mas": "Total mAs",
    "exposure_time": "Exposure Time", "reduction": "Tot. Dose Red.", "mode": "Dose Red. Mode", "modulation": "Modulation",
    "boost": "Boost", "qds": "QDS", "sd": "SD",
}  # fmt: skip


def _values(line: str) -> list[str]:
    return _PHANTOM.sub(
        lambda found: f"({'HEAD' if found[1] == 'HEAD' else 'BODY'}) ", line
    ).split()


def _fill(one: Series, names: list[str], values: list[str]) -> bool:
    """Assign a line's values to a series by the titles above; return False if they do not fit."""
    if len(values) != len(names) and not (one.kind == LOCALIZER and len(values) < len(names)):
        return False
    for name, text in zip(names, values, strict=False):
        found = re.fullmatch(rf"([+-]?)({_NUMBER})(?:\((HEAD|BODY)\))?", text)
        if name in _WORDS:
            if not re.fullmatch(r"[A-Z0-9-]{1,12}", text):
                return False
            one.texts[name] = text
            continue
        if text == "-":
            continue
        dose = "ctdi" in name or "dlp" in name
        if not found or (dose and not re.fullmatch(_DECIMAL, found[2])):
            return False
        if found[3]:
            phantom = found[3].title()
            if one.phantom not in (None, phantom):
                return False
            one.phantom = phantom
        value = Decimal(found[2])
        one.numbers[name] = -value if found[1] == "-" else value
    for name in ("ctdi", "dlp"):
        # Without the plain values, the effective ones are those that the layout gives.
        if name not in one.numbers and f"eff_{name}" in one.numbers and "ctdi" not in names:
            one.numbers[name] = one.numbers[f"eff_{name}"]
    if {"start", "end"} <= one.numbers.keys():
        one.spans = [(one.numbers["start"], one.numbers["end"])]
        one.span = f"{one.numbers['start']:+} {one.numbers['end']:+}"
    return True


def _toshiba_total(screen: Screen, rest: str) -> None:
    if both := _BOTH.search(rest):
        for phantom in ("Head", "Body"):
            if re.search(r"\d", both[phantom.lower()]):
                text = re.sub(r"^\W+", "", both[phantom.lower()])
                _total(
                    screen,
                    f"DLP (mGy.cm) ({'Head' if phantom == 'Head' else 'Head): - (Body'}):",
                    text,
                    _DECIMAL,
                    phantom,
                )
    elif found := re.search(r"[:)]\s*(\d[\d., ]*)\W*$", rest):
        _total(screen, "Total DLP (mGy.cm):", found[1], _DECIMAL)
    elif re.search(r"\d", rest):
        screen.miss()


def _total(screen: Screen, title: str, text: str, form: str, phantom: str = "") -> None:
    """Record a total, and keep it as a line with only this title and the number."""
    found = re.match(rf"({form})(?![\d.,])", text.strip())
    if found is None or screen.totals.get(phantom, Decimal(found[1])) != Decimal(found[1]):
        screen.miss()
        return
    screen.totals[phantom] = Decimal(found[1])
    screen.used.append(f"{title} {found[1]}" + (" (Body): -" if phantom == "Head" else ""))


def _capitals(line: str) -> str:
    # Like upper(), but letter by letter: some letters have two capitals, and positions in the line
    # must not shift.
    return "".join(char.upper() if len(char.upper()) == 1 else char for char in line)


_READERS: dict[str, Callable[[Iterable[str], Screen], None]] = {
    "GE": _ge,
    "Siemens": _siemens,
    "Toshiba": _toshiba,
}


def read_screen_lines(
    lines: Iterable[str], maker: str, hidden: frozenset[str] = frozenset()
) -> Screen:
    """Return the table from one reading of a screen of "GE", "Siemens" or "Toshiba"."""
    screen = Screen(hidden)
    _READERS[maker]((_POINT.sub(r"\1.", line.strip()) for line in lines), screen)
    return screen
