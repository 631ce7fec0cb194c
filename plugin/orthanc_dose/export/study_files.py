"""Files of one study: as JSON, as a workbook, and as a report for printing."""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo

from .. import __version__
from ..query import studies
from ..records import EQUIPMENT, MODALITIES, STUDY, Field
from ..store import Store
from . import study_report, study_workbook
from .shown import Shown
from .words import Words


@dataclass(frozen=True)
class Wanted:
    """The content of a file and how it is written.

    without: fields of the study that are left out; language: one of words.LANGUAGES, in which a
    report is written; date_format: a value of the setting of this name; zone: in which times of the
    server are shown, with its name.
    """

    study_id: int
    without: frozenset[str]
    language: str
    date_format: str
    zone: tzinfo
    zone_name: str


@dataclass(frozen=True)
class Format:
    """A file format.

    make: returns the file of a study; raises LookupError if there is none with this number.
    """

    title: str
    mime: str
    make: Callable[[Store, Wanted], bytes]


def _detail(store: Store, wanted: Wanted) -> studies.StudyDetail:
    """Return everything that the store holds of the study, without the excluded fields.

    Raises LookupError if there is no such study.
    """
    with store.reading() as connection:
        found = studies.study(connection, wanted.study_id)
    if found is None:
        raise LookupError
    return studies.without(found, wanted.without)


def _json(store: Store, wanted: Wanted) -> bytes:
    study = _detail(store, wanted)
    modality = MODALITIES[study["modality"]]
    tables = [table for table in (STUDY, EQUIPMENT, modality.events, modality.accumulated) if table]
    whole = {
        "program": f"Orthanc Dose {__version__}",
        "made_at": _now().isoformat(timespec="seconds"),
        "units": {table.name: _units((*table.fields, *table.derived)) for table in tables},
        "study": studies.as_json(study),
    }
    return json.dumps(whole, default=_plain, allow_nan=False, ensure_ascii=False, indent=1).encode(
        "utf-8", "replace"
    )


def _units(fields: tuple[Field, ...]) -> dict[str, str]:
    """Return the units of numbers by field name, as UCUM codes.

    "xray_sources.kvp" is a field within structs.
    """
    within = {
        f"{field.name}.{name}": unit
        for field in fields
        for name, unit in _units(field.fields).items()
    }
    return {field.name: field.unit for field in fields if field.unit} | within


def _plain(value: object) -> str:
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    raise TypeError(f"no JSON for {type(value).__name__}")


def _xlsx(store: Store, wanted: Wanted) -> bytes:
    out = io.BytesIO()
    with store.reading() as connection:
        study_workbook.write_study_workbook(
            connection, wanted.study_id, wanted.without, out, wanted.date_format
        )
    return out.getvalue()


def _pdf(store: Store, wanted: Wanted) -> bytes:
    shown = Shown(Words(wanted.language), wanted.date_format, wanted.zone)
    return study_report.write_study_report(_detail(store, wanted), shown, _now(), wanted.zone_name)


def _now() -> datetime:
    return datetime.now(UTC)


FORMATS = {
    "pdf": Format("PDF", "application/pdf", _pdf),
    "xlsx": Format(
        "XLSX", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", _xlsx
    ),
    "json": Format("JSON", "application/json", _json),
}
