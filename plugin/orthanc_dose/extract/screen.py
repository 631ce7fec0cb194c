"""CT dose from the text of a dose screen, for scanners that write no report: converts lines of OCR
into rows.

Nothing is guessed. The screen is read twice, and the readings must agree in every dose value; the
total must be the sum of the series; DLP must be CTDIvol times the length if the screen prints one.
A disagreement makes the object unreadable, with both values in the reason. Each value is marked as
read by OCR."""

import re
from collections.abc import Iterable
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import cast

from ..dicom import codes, concepts
from ..dicom.dataset import Dataset, Unreadable, first, text, values
from ..dicom.sop_classes import SECONDARY_CAPTURE
from ..dicom.sr import Item
from ..records.rows import AccumulatedRow, EventRow
from . import header, screen_text
from .extract import Extract, Ignored
from .kept import Kept
from .rows import ByName, code_value, mark
from .screen_text import Screen, Series, decimals

# Separates two readings of one screen, as `ocr.read_lines` gives them.
BETWEEN_READINGS = "\f"

# How far DLP may deviate from CTDIvol times the printed length. The printed range is that of the
# images: the tube is on for longer in a helical scan (overranging, 3 to 6 cm with 16 rows, van der
# Molen and Geleijns, Radiology 2007;242:208, and more with 64 and above), and a stationary scan
# irradiates the width of the beam, up to 16 cm, at a printed length of 0. Under modulation CTDIvol
# is the mean over the scan, so DLP follows it; 5 % covers intermediate rounding.
OVERRANGE = Decimal(170)  # mm
TOLERANCE = Decimal("0.05")
# The longest scan that a table allows.
LONGEST = Decimal(2200)  # mm

_TYPES = {
    screen_text.SPIRAL: concepts.SPIRAL,
    screen_text.SEQUENCED: concepts.SEQUENCED,
    screen_text.LOCALIZER: concepts.CONSTANT_ANGLE,
    screen_text.STATIONARY: concepts.STATIONARY,
    screen_text.FREE: concepts.FREE,
}
_PHANTOMS = {"Head": concepts.HEAD_PHANTOM, "Body": concepts.BODY_PHANTOM}
_FROM_PEOPLES_REPORT = codes.code("113868", "DCM", "Derived From Human-Readable Reports")
# Values other than the dose: the screen's name, the row's field.
_NUMBERS = {"exposure_time": "exposure_time", "collimation": "nominal_single_collimation_width"}
_OF_SOURCE = {"kvp": "kvp", "rotation_time": "exposure_time_per_rotation"}
_TEXTS = {"protocol": "acquisition_protocol", "modulation": "xray_modulation_type"}
# What no field takes, with its title and unit.
_UNUSED = {
    "mas": ("Total mAs", "mA.s"),
    "reduction": ("Total dose reduction", "%"),
    "sd": ("SD", "1"),
    "eff_ctdi": ("Effective CTDIvol", "mGy"),
    "eff_dlp": ("Effective DLP", "mGy.cm"),
}


def is_dose_screen(dataset: Dataset) -> str | None:
    """Return the manufacturer, "Toshiba" (and Canon), "GE" or "Siemens", if the header says that
    the object is a dose screen, else None.

    This is decided by manufacturer, Modality, Image Type, and series number or description, and for
    Toshiba also by the window of width 1."""
    manufacturer = (text(dataset, "0008,0070") or "").upper()
    image_type = [part.upper() for part in values(dataset, "0008,0008")]
    series, description = first(dataset, "0020,0011"), (text(dataset, "0008,103e") or "").upper()
    if first(dataset, "0008,0060") not in ("CT", "OT", "SC", None) or image_type[:2] != [
        "DERIVED",
        "SECONDARY",
    ]:
        return None
    if "GE MEDICAL" in manufacturer or "GE HEALTHCARE" in manufacturer:
        return "GE" if series in ("999", "10999") and image_type[2:3] == ["SCREEN SAVE"] else None
    if "SIEMENS" in manufacturer:
        return (
            "Siemens"
            if series in ("501", "503") and image_type[2:4] == ["OTHER", "CT_SOM5 PROT"]
            else None
        )
    if "TOSHIBA" in manufacturer or "CANON" in manufacturer:
        window = (_float(first(dataset, "0028,1051")), _float(first(dataset, "0028,1050")))
        numbered = series in ("1000", "9000") and first(dataset, "0008,0016") == SECONDARY_CAPTURE
        return "Toshiba" if numbered or "SUMMARY" in description or window == (1, 0) else None
    return None


def allowed(dataset: Dataset, patterns: Iterable[str]) -> bool:
    """Return whether one of the patterns "MANUFACTURER/MODEL" matches the object, for example
    "TOSHIBA*/Aquilion*"; case is ignored.
    """
    parts = [(text(dataset, tag) or "").upper() for tag in ("0008,0070", "0008,1090")]
    for pattern in patterns:
        manufacturer, _, model = pattern.upper().partition("/")
        if fnmatchcase(parts[0], manufacturer.strip()) and fnmatchcase(
            parts[1], model.strip() or "*"
        ):
            return True
    return False


def dose_lines(lines: Iterable[str], maker: str, known: Iterable[str] = ()) -> list[str]:
    """Return what may be kept of a screen's text: only the lines of the dose table and the totals.

    lines: as `ocr.read_lines` gives them. known: texts that name the patient
    (`dicom.identity.identifiers`); similar words are removed from the names of protocols. A line of
    the table that cannot be read is kept as "(unclear)", so that `extract` finds the same in the
    kept text as in the text that was read."""
    hidden = frozenset(word for name in known for word in re.findall(r"[^\W\d_]{3,}", name.upper()))
    kept: list[str] = []
    for reading in _readings(lines):
        kept += ([BETWEEN_READINGS] if kept else []) + screen_text.read(reading, maker, hidden).used
    return kept


def extract(kept: Kept) -> Extract:
    """Return the dose of one screen. Raises Ignored if the object is not a dose screen, Unreadable
    if values do not agree.
    """
    return extract_pages([kept])


def extract_pages(pages: list[Kept]) -> Extract:
    """Return the dose of a screen that consists of several objects, in the order of their instance
    numbers; the header of the first one is used.

    If totals are on one page and series on another, they can only be checked together.
    """
    dataset = pages[0].dataset
    maker = is_dose_screen(dataset)
    if maker is None:
        raise Ignored(
            "not_a_dose_screen", "its header does not identify it as a dose screen of a known kind"
        )
    screen, notes = _agreed(pages, maker)
    if not screen.series and not screen.totals:
        raise Unreadable("no dose was found in the text of the dose screen")
    events = [
        _event(number, one, maker, note)
        for number, (one, note) in enumerate(zip(screen.series, notes, strict=True), 1)
    ]
    _check_decimals(screen, maker)
    checked = _check_total(screen, maker, len(pages))
    study = header.study_of(pages[0])
    if not study["study_instance_uid"]:
        raise Unreadable("the object has no Study Instance UID")
    study["sources_of_dose_information"] = [code_value(_FROM_PEOPLES_REPORT)]
    for row in events:
        lengths = row.get("scanning_length") is not None
        if "mean_ctdivol" in row and not lengths:
            mark(row, "mean_ctdivol", "ocr_unchecked")
        if "dlp" in row and not lengths and not checked:
            mark(row, "dlp", "ocr_unchecked")
    return Extract(
        modality="CT",
        study=study,
        equipment=header.equipment_of(dataset, study, events),
        accumulated=_accumulated(screen, checked),
        events=events,
        unused=[item for one in screen.series for item in _unused(one)],
        made_at=header.content_moment(dataset),
        source="OCR",
    )


def _readings(lines: Iterable[str]) -> list[list[str]]:
    out: list[list[str]] = [[]]
    for line in lines:
        if line == BETWEEN_READINGS:
            out.append([])
        else:
            out[-1].append(line)
    return out


def _agreed(pages: list[Kept], maker: str) -> tuple[Screen, list[dict[str, str]]]:
    """Return the screen on which all readings of all pages agree, and for each series the values
    other than the dose on which they disagree.
    """
    whole, notes = Screen(), []
    for page in pages:
        if page.screen is None:
            raise Ignored("screen_not_read", "the pixels of this dose screen were not read")
        readings = [screen_text.read(lines, maker) for lines in _readings(page.screen)]
        for one in readings:
            if one.unclear:
                lines = f"{one.unclear} lines" if one.unclear > 1 else "a line"
                raise Unreadable(f"{lines} of the dose screen's table could not be read")
        agreed = readings[0]
        page_notes: list[dict[str, str]] = [{} for _ in agreed.series]
        for other in readings[1:]:
            _compare("the number of series", len(agreed.series), len(other.series))
            for phantom in sorted(agreed.totals.keys() | other.totals.keys()):
                _compare(
                    _total_name(phantom), agreed.totals.get(phantom), other.totals.get(phantom)
                )
            for number, (here, there) in enumerate(
                zip(agreed.series, other.series, strict=True), len(whole.series) + 1
            ):
                for name, said in (("ctdi", "CTDIvol"), ("dlp", "DLP")):
                    _compare(
                        f"{said} of series {number}",
                        here.numbers.get(name),
                        there.numbers.get(name),
                    )
                _settle(here, there, page_notes[number - len(whole.series) - 1])
            agreed.pages = max(agreed.pages, other.pages)
        whole.series += agreed.series
        notes += page_notes
        for phantom, total in agreed.totals.items():
            _compare(_total_name(phantom), whole.totals.setdefault(phantom, total), total)
        whole.pages = max(whole.pages, agreed.pages)
    return whole, notes


def _compare(name: str, here: object, there: object) -> None:
    if here != there:
        both = " and ".join("nothing" if value is None else str(value) for value in (here, there))
        raise Unreadable(f"two readings of the dose screen disagree in {name}: {both}")


def _settle(here: Series, there: Series, notes: dict[str, str]) -> None:
    """Remove from a series what another reading gives differently, and note both texts. (Dose was
    compared before.)
    """
    for mine, others in ((here.numbers, there.numbers), (here.texts, there.texts)):
        for name in sorted(mine.keys() | others.keys()):
            if mine.get(name) != others.get(name):
                notes[name] = f"{mine.get(name, '')} | {others.get(name, '')}"
                mine.pop(name, None)
    for name in ("phantom", "kind"):
        if getattr(here, name) != getattr(there, name):
            notes[name] = f"{getattr(here, name) or ''} | {getattr(there, name) or ''}"
            setattr(here, name, None)
    common = [span for span in here.spans if span in there.spans]
    if here.span and not common:
        notes["span"] = f"{here.span} | {there.span}"
    here.spans = common


def _event(number: int, one: Series, maker: str, notes: dict[str, str]) -> EventRow:
    ctdi, dlp = one.numbers.get("ctdi"), one.numbers.get("dlp")
    if (ctdi is None) != (dlp is None) or (ctdi is None and one.kind != screen_text.LOCALIZER):
        raise Unreadable(
            f"series {number} of the dose screen lacks {'CTDIvol' if ctdi is None else 'DLP'}"
        )
    row: ByName = {}
    for name, field in _TEXTS.items():
        _put(row, field, one.texts.get(name), one.texts.get(name), notes.get(name))
    kind = _TYPES.get(one.kind or "")
    _put(
        row,
        "ct_acquisition_type",
        code_value(kind) if kind else None,
        one.texts.get("type"),
        notes.get("kind"),
    )
    for name, field in _NUMBERS.items():
        _number(row, field, one.numbers.get(name), notes.get(name))
    source: ByName = {}
    for name, field in _OF_SOURCE.items():
        _number(source, field, one.numbers.get(name), notes.get(name))
    for entry in source.pop("marks", ()):
        mark(row, f"xray_sources.{entry['field']}", entry["mark"], entry["raw"])
    if source:
        row["xray_sources"] = [source]
    if ctdi is not None and dlp is not None:
        if dlp > ctdi * LONGEST / 10:
            raise Unreadable(
                f"DLP of series {number} is {dlp} mGy.cm at CTDIvol {ctdi} mGy, which would "
                "imply an impossibly long scan"
            )
        _number(row, "mean_ctdivol", ctdi)
        _number(row, "dlp", dlp)
        phantom = _PHANTOMS.get(one.phantom or "")
        _put(
            row,
            "ctdiw_phantom_type",
            code_value(phantom) if phantom else None,
            one.phantom,
            notes.get("phantom"),
        )
        length = _length(number, one, ctdi, dlp)
        unsure = notes.get("span") or (one.span if one.spans and length is None else None)
        _put(row, "scanning_length", None if length is None else float(length), one.span, unsure)
    return cast("EventRow", row)


def _put(row: ByName, field: str, value: object, raw: object, disagree: str | None = None) -> None:
    if value is not None:
        row[field] = value
        mark(row, field, "ocr", raw)
    elif disagree:
        mark(row, field, "ocr_disagrees", disagree)


def _number(row: ByName, field: str, value: Decimal | None, disagree: str | None = None) -> None:
    _put(row, field, None if value is None else float(value), value, disagree)


def _length(number: int, one: Series, ctdi: Decimal, dlp: Decimal) -> Decimal | None:
    """Return the length of the printed range in mm. Other meanings of the range's text are only
    considered if DLP excludes the first one; None if there is no range, or if several other
    meanings agree.

    Raises Unreadable if DLP agrees with no length that the printed range can mean.
    """
    lengths = list(dict.fromkeys(abs(last - first) for first, last in one.spans))
    if not lengths or _fits(ctdi, dlp, lengths[0]):
        return lengths[0] if lengths else None
    fitting = [length for length in lengths if _fits(ctdi, dlp, length)]
    if not fitting:
        raise Unreadable(
            f"DLP of series {number} is {dlp} mGy.cm, but CTDIvol {ctdi} mGy times the length "
            f"{lengths[0]} mm is "
            f"{ctdi * lengths[0] / 10:.2f} mGy.cm"
        )
    return fitting[0] if len(fitting) == 1 else None


def _fits(ctdi: Decimal, dlp: Decimal, length: Decimal) -> bool:
    # Both are known to half a unit of their last digit.
    near, printed = Decimal(5).scaleb(-decimals(ctdi) - 1), Decimal(5).scaleb(-decimals(dlp) - 1)
    least = (ctdi - near) * length / 10 * (1 - TOLERANCE)
    most = (ctdi + near) * (length + OVERRANGE) / 10 * (1 + TOLERANCE)
    return least - printed <= dlp <= most + printed


def _check_decimals(screen: Screen, maker: str) -> None:
    """Check that each column has one number format: a digit too many or too few is a reading error
    that sums may not show.
    """
    for name, said in (("ctdi", "CTDIvol"), ("dlp", "DLP")):
        given = [one.numbers[name] for one in screen.series if name in one.numbers]
        if name == "dlp" and maker != "Siemens":
            given += screen.totals.values()
        for value in given:
            if decimals(value) != decimals(given[0]):
                raise Unreadable(
                    f"{said} was read with different numbers of decimals: {given[0]} and {value}"
                )


def _check_total(screen: Screen, maker: str, pages: int) -> bool:
    """Return whether the totals were compared with the sums of the series. Raises Unreadable if
    they disagree.
    """
    with_dose = [one for one in screen.series if "dlp" in one.numbers]
    if not screen.totals or not with_dose:
        if (
            sum(screen.totals.values())
            and screen.pages <= pages
            and (screen.series or maker != "Toshiba")
        ):
            raise Unreadable(
                f"the total DLP is {sum(screen.totals.values())} mGy.cm, but no series with dose "
                f"could be read"
            )
        return False
    phantoms = sorted(screen.totals) if "" not in screen.totals else []
    groups: list[tuple[str, list[Series], list[Decimal]]]
    if phantoms and all(one.phantom for one in with_dose):
        groups = [
            (name, [one for one in with_dose if one.phantom == name], [screen.totals[name]])
            for name in phantoms
        ]
        without = sorted({one.phantom or "" for one in with_dose} - set(phantoms))
        if without:
            left = [one.numbers["dlp"] for one in with_dose if one.phantom in without]
            raise Unreadable(
                f"{_total_name(without[0])} is missing, but the series add up to {sum(left)} mGy.cm"
            )
    else:
        groups = [("", with_dose, list(screen.totals.values()))]
    for name, group, totals in groups:
        dlps = [one.numbers["dlp"] for one in group]
        total, found = sum(totals, Decimal(0)), sum(dlps, Decimal(0))
        if abs(total - found) <= sum(
            (Decimal(5).scaleb(-decimals(value) - 1) for value in [*dlps, *totals]), Decimal(0)
        ):
            continue
        if screen.pages > pages and found < total:
            return False  # the other pages have the rest
        raise Unreadable(
            f"{_total_name(name)} is {total} mGy.cm, but the sum of the series is {found} mGy.cm"
        )
    return True


def _total_name(phantom: str) -> str:
    return f"the total DLP ({phantom})" if phantom else "the total DLP"


def _accumulated(screen: Screen, checked: bool) -> list[AccumulatedRow]:
    if not screen.totals:
        return []
    row: ByName = {}
    total = sum(screen.totals.values(), Decimal(0))
    _put(
        row,
        "dlp_total",
        float(total),
        ", ".join(f"{name} {value}".strip() for name, value in screen.totals.items()),
    )
    if len(screen.totals) > 1:
        row["dlp_sub_totals"] = [
            {"dlp": float(value), "ctdiw_phantom_type": code_value(_PHANTOMS[name])}
            for name, value in screen.totals.items()
        ]
    elif (only := next(iter(screen.totals))) in _PHANTOMS:
        _put(row, "dlp_total_phantom_type", code_value(_PHANTOMS[only]), only)
    if not checked:
        mark(row, "dlp_total", "ocr_unchecked")
    return [cast("AccumulatedRow", row)]


def _unused(one: Series) -> list[Item]:
    out = []
    for name, (title, unit) in _UNUSED.items():
        if name in one.numbers:
            item = Item("NUM", None, None, title)
            item.value, item.unit = str(one.numbers[name]), unit
            out.append(item)
    return out


def _float(value: str | None) -> float | None:
    try:
        return None if value is None else float(value)
    except ValueError:
        return None
