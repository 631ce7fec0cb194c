"""The Radiation Summary Report of Siemens C-arms (Arcadis Varic, Avantic): an Enhanced SR with
totals and no events.

Root (C-10, 99SMS_RADSUM), no template: exposures C-200, fluoroscopy time C-202, DAP C-204 in
Gy.cm^2, start and end of the examination C-206 and C-208, air kerma C-210, often without a value.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import cast

from ...dicom.dataset import Unreadable
from ...dicom.sr import Item
from ...records import PROJECTION_ACCUMULATED, STUDY
from ...records.rows import AccumulatedRow
from .. import content
from ..extract import Extract
from ..kept import Kept
from ..rows import by_name, compile_fields

_SCHEME = "99SMS_RADSUM"
ROOT = f"{_SCHEME}:C-10"
_TOTALS = tuple(
    replace(field, paths=tuple(path for path in field.paths if path[0].startswith(_SCHEME)))
    for field in PROJECTION_ACCUMULATED.fields
    if any(path[0].startswith(_SCHEME) for path in field.paths)
)
# Start and end of the study are declared for CT, whose template has them.
_TIMES = tuple(
    replace(STUDY.field(name), paths=((f"{_SCHEME}:{code}",),))
    for name, code in (("start_of_irradiation", "C-206"), ("end_of_irradiation", "C-208"))
)
_TREE = compile_fields(_TOTALS + _TIMES)


def read(root: Item, kept: Kept) -> Extract:
    """Read the totals of the report as one accumulated row of a fluoroscopy study. Raises
    Unreadable if it has none.
    """
    found = content.read(kept, list(_leaves(root)), _TREE, {}, {})
    study = found.study
    names = {field.name for field in _TOTALS}
    row = {name: by_name(study).pop(name) for name in names & study.keys()}
    if all(value is None for value in row.values()):
        raise Unreadable(
            "the radiation summary contains neither fluoroscopy time nor dose area product"
        )
    marks = study["marks"] or []
    row["marks"] = [entry for entry in marks if entry["field"] in names]
    study["marks"] = [entry for entry in marks if entry["field"] not in names]
    found.accumulated.append(cast("AccumulatedRow", row))
    return content.to_extract(kept, found, "RF")


def _leaves(item: Item) -> Iterator[Item]:
    """Yield the values of the report, regardless of the containers around them."""
    for child in item.children:
        if child.vt == "CONTAINER":
            yield from _leaves(child)
        else:
            yield child
