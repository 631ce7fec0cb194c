"""What makers write beside the standard, or leave out: one module a maker, and what holds for all.

`REPORTS` has the makers' own reports, by their root concept. `complete` works on what was read from
a dose report: it adds what the maker's own content says, and marks each value that the report does
not hold as such."""

from collections.abc import Callable

from ...dicom.sr import Item
from ..extract import Extract
from ..kept import Kept
from . import any_maker, arcadis, philips, siemens

REPORTS: dict[str, Callable[[Item, Kept], Extract]] = {arcadis.ROOT: arcadis.read}


def complete(found: Extract) -> Extract:
    """The same extract, its rows completed in place."""
    manufacturer = (found.equipment.get("manufacturer") or "").lower()
    if found.modality == "CT":
        if "siemens" in manufacturer:
            siemens.read_modulation(found.events)
        return found
    siemens.read_comments(found.study, found.events)
    if "siemens" in manufacturer and found.modality == "MG":
        siemens.flag_tomosynthesis(found.study, found.equipment, found.events)
    if "philips" in manufacturer:
        philips.complete(found.events)
    any_maker.exposure_times(found.events)
    return found


__all__ = ["REPORTS", "complete"]
