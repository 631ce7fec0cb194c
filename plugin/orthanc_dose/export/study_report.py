"""The printable dose report of a study: the main content of its page, in the page's order, digits
and units.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias

from .. import __version__
from ..query.studies import StudyDetail
from ..records import EQUIPMENT, MODALITIES, OBJECT, PATIENT, SOURCES, STUDY, TOTALS, Field, Table
from ..records.rows import EventRow
from .doubts import lines_of
from .event_columns import EventColumn, columns_of
from .pages import Column, Pages
from .shown import NOTHING, Shown, decimals_for, describe, minutes, scaled

Row = Mapping[str, Any]  # of any table: its fields are read by their declarations
# Fields of the study and its system that a report needs to identify the study.
_STUDY = ("study_date", "study_time", "accession_number", "accession_numbers", "study_id", "study_description",
          "requested_procedure_description", "performed_procedure_step_description", "protocol_name",
          "performing_physician", "referring_physician", "physician_of_record", "reading_physician", "operators",
          "last_calibrated_on", "not_patient_indicator", "study_instance_uid")  # fmt: skip
_SYSTEM = (
    "display_name",
    "institution_name",
    "institutional_department_name",
    "station_name",
    "manufacturer",
    "manufacturer_model_name",
    "device_serial_number",
    "software_versions",
)
_OBJECT = (
    "sop_class_name",
    "sop_instance_uid",
    "source",
    "outcome",
    "rule",
    "processed_at",
    "extractor_version",
)
# Fields of accumulated values that are not values of the plane or the report.
_NOT_VALUES = frozenset({"study_id", "sop_instance_uid", "acquisition_plane", "source", "marks"})
# Lists of a study that appear elsewhere, or only on its page.
_NOT_LISTS = frozenset({"marks", "not_used", "observers", "persons", "devices", "calibrations"})
# Events of these modality types are in a separate table for each plane or side.
_APART = {"RF": "acquisition_plane", "MG": "laterality"}
_MARKED = " *"
_BEST_SOURCE = next(iter(SOURCES))
_MOST_OBJECTS = 100
_LINES, _EVENT_LINES = 8, 3  # of a cell: vendors write whole pages into comments of events


def write_study_report(study: StudyDetail, shown: Shown, made: datetime, zone: str) -> bytes:
    """Return the PDF of a study's detail, as query/studies.py returns it.

    made: now, in UTC; zone: the name of `shown`'s zone.
    """
    say, modality = shown.words.say, MODALITIES[study["modality"]]
    pages = Pages()
    title = f"{say('report.title')}: {shown.words.modality(modality.code)}"
    pages.heading(title, 15)
    pages.heading(describe(study) or say("study.noDescription"), 11)
    if study["source"] not in (None, _BEST_SOURCE):
        pages.paragraph(
            say("study.notFromReport", source=shown.words.source_sentence(study["source"]))
        )
    pages.table(*_facts(study, shown), _LINES)
    _put(pages, say("report.totals"), *_totals(study, shown))
    if modality.accumulated:
        _put(
            pages,
            say("study.accumulatedValues"),
            *_accumulated(modality.accumulated, study["accumulated"], shown),
        )
        for row in study["accumulated"]:
            _put_lists(pages, row, modality.accumulated, shown)
    for heading, columns, rows in _events(study, shown):
        _put(pages, heading, columns, rows, _EVENT_LINES)
    if not study["events"]:
        pages.paragraph(say("study.noEvents", events=shown.words.events(modality.code, 2)))
    _put_lists(pages, study, STUDY, shown)
    doubts = list(lines_of(study, shown))
    if doubts:
        pages.heading(say("study.marks"))
        pages.paragraph(say("report.marked", sign=_MARKED.strip()))
        for line in doubts:
            pages.paragraph(line)
    objects = f"{say('study.objects')} ({len(study['objects'])})"
    _put(pages, objects, *_objects(study["objects"][:_MOST_OBJECTS], shown))
    if len(study["objects"]) > _MOST_OBJECTS:
        pages.paragraph(say("study.more", n=len(study["objects"]) - _MOST_OBJECTS))
    when = f"{shown.moment(made)} ({zone})"
    number, day = (
        say("study.number", number=study["id"]),
        shown.value(study["study_date"], STUDY.field("study_date")),
    )
    foot = (
        f"{title} · {number} · {day} · {study['study_instance_uid'] or NOTHING}",
        say(
            "report.made",
            version=__version__,
            when=when,
            extractor=study["extractor_version"] or NOTHING,
        ),
    )
    return pages.raw(
        f"{title}, {number}", foot, lambda page, of: say("report.page", page=page, of=of)
    )


Content: TypeAlias = tuple[Sequence[Column], list[list[str]]]


def _put(
    pages: Pages, heading: str, columns: Sequence[Column], rows: list[list[str]], most: int = _LINES
) -> None:
    """Add a table below its heading, if it has any rows."""
    if rows:
        pages.heading(heading)
        pages.table(columns, rows, most)


def _put_lists(pages: Pages, row: Row, table: Table, shown: Shown) -> None:
    """Add the lists of structs of a row, each as a table."""
    for field in table.fields:
        if field.type == "structs" and field.name not in _NOT_LISTS and row.get(field.name):
            _put(pages, shown.words.title(field, table), *_structs(field, row[field.name], shown))


def _facts(study: StudyDetail, shown: Shown) -> Content:
    """Return the table of study, patient and system side by side."""
    say = shown.words.say
    groups = [
        _values(study, [STUDY.field(name) for name in _STUDY], STUDY, shown),
        _values(study, PATIENT, STUDY, shown),
        _values(study["equipment"], [EQUIPMENT.field(name) for name in _SYSTEM], EQUIPMENT, shown),
    ]
    titles = (say("study.title"), say("study.patient"), shown.words.table(EQUIPMENT))
    columns = [column for title in titles for column in (Column(title, label=True), Column(""))]
    rows = [
        [text for group in groups for text in (group[at] if at < len(group) else ("", ""))]
        for at in range(max(map(len, groups)))
    ]
    return columns, rows


def _values(row: Row, fields: Sequence[Field], table: Table, shown: Shown) -> list[tuple[str, str]]:
    """Return names and values with their units.

    Fields that are empty and not marked are left out, except for the study's day, age and sex.
    """
    always = ("study_date", "study_time", "patient_age", "patient_sex")
    return [
        (
            shown.words.title(field, table),
            shown.with_unit(row.get(field.name), field) + _sign(row, field.name),
        )
        for field in fields
        if field.name in always or row.get(field.name) or _sign(row, field.name)
    ]


def _totals(study: StudyDetail, shown: Shown) -> Content:
    """Return the table of totals: those of the modality type, then all others of the study."""
    say, modality = shown.words.say, MODALITIES[study["modality"]]
    first = [STUDY.field(name) for name in modality.totals]
    fields = [
        *first,
        *(field for field in TOTALS if field not in first and field in modality.fields),
    ]
    fields_of_study: Row = study
    rows = []
    for field in fields:
        value, sign = fields_of_study.get(field.name), _sign(study, field.name)
        if value is None and not sign:
            continue
        longer = _longer(value) if shown.words.unit(field) == "s" else ""
        title = shown.words.title(field, STUDY)
        if field.name == "number_of_events":
            title = shown.words.events(modality.code, 2).capitalize()
        rows.append([title, shown.value(value, field) + sign + longer, shown.words.unit(field)])
    return (
        Column("", label=True),
        Column(say("study.value"), number=True),
        Column(say("study.unit")),
    ), rows


def _accumulated(table: Table, rows: Sequence[Row], shown: Shown) -> Content:
    """Return the table of accumulated values: values in rows, a column for each plane or report."""
    say, out = shown.words.say, []
    for field in table.fields:
        if field.name in _NOT_VALUES or field.type == "structs":
            continue
        if not _given(rows, field.name) and not any(_sign(row, field.name) for row in rows):
            continue
        numbers = [
            scaled(row[field.name], field)
            for row in rows
            if field.type == "number" and row[field.name] is not None
        ]
        decimals = decimals_for(numbers) if field.type == "number" else None
        in_seconds = shown.words.unit(field) == "s"
        cells = [
            shown.value(row[field.name], field, decimals)
            + _sign(row, field.name)
            + (_longer(row[field.name]) if in_seconds else "")
            for row in rows
        ]
        out.append([shown.words.title(field, table), *cells, shown.words.unit(field)])
    plane = next((field for field in table.fields if field.name == "acquisition_plane"), None)
    heads = []
    for at, row in enumerate(rows, 1):
        of_plane = shown.value(row["acquisition_plane"], plane) if plane else NOTHING
        part = say("study.reportPart", number=at) if len(rows) > 1 else say("study.value")
        heads.append(part if of_plane == NOTHING else of_plane)
    return (
        Column("", label=True),
        *(Column(head, number=True) for head in heads),
        Column(say("study.unit")),
    ), out


def _events(
    study: StudyDetail, shown: Shown
) -> Iterator[tuple[str, Sequence[Column], list[list[str]]]]:
    """Yield the tables of the events: one, or one for each plane or side."""
    modality, words = MODALITIES[study["modality"]], shown.words
    if not study["events"]:
        return
    columns = columns_of(modality, study["events"], shown)
    by = _APART.get(modality.code)
    apart: dict[str, list[EventRow]] = {}
    for event in study["events"]:
        fields: Row = event
        key = shown.value(fields[by], modality.events.field(by)) if by else ""
        apart.setdefault(key, []).append(event)
    for key in sorted(apart, key=lambda one: (one == NOTHING, one)):
        rows = apart[key]
        count = f"{len(rows)} {words.events(modality.code, len(rows))}"
        given = [column for column in columns if len(apart) == 1 or column.key != by]
        field = modality.events.field(by) if by else None
        which = (
            f" – {words.title(field, modality.events)}: {key}" if field and len(apart) > 1 else ""
        )
        heads = [Column(column.title, column.number) for column in given]
        yield (
            f"{words.table(modality.events)}{which} ({count})",
            heads,
            [_event(row, given) for row in rows],
        )


def _event(row: EventRow, columns: Sequence[EventColumn]) -> list[str]:
    return [column.cell(row) + _sign(row, column.key) for column in columns]


def _structs(field: Field, rows: Sequence[Row], shown: Shown) -> Content:
    """Return a list of structs as a table, without the columns that are empty in all rows.

    Lists within the structs are only on the study's page.
    """
    parts = [part for part in field.fields if part.type != "structs" and _given(rows, part.name)]
    columns, cells = [], []
    for part in parts:
        numbers = [
            scaled(row[part.name], part)
            for row in rows
            if part.type == "number" and row[part.name] is not None
        ]
        decimals = decimals_for(numbers) if part.type == "number" else None
        unit = shown.words.unit(part)
        columns.append(
            Column(
                shown.words.title(part, STUDY, field) + (f" [{unit}]" if unit else ""),
                bool(numbers),
            )
        )
        cells.append([shown.value(row[part.name], part, decimals) for row in rows])
    return columns, [list(row) for row in zip(*cells, strict=True)]


def _objects(objects: Sequence[Row], shown: Shown) -> Content:
    words = shown.words
    titles = [
        words.say("report.kind"),
        *(words.title(OBJECT.field(name), OBJECT) for name in _OBJECT[1:]),
    ]
    return [Column(title) for title in titles], [
        [_of_object(row, name, shown) for name in _OBJECT] for row in objects
    ]


def _of_object(row: Row, name: str, shown: Shown) -> str:
    if name == "sop_class_name":
        return row[name] or row["sop_class_uid"] or NOTHING
    if name == "outcome":
        return shown.words.outcome(row[name])
    if name == "processed_at" and row[name]:
        return shown.moment(datetime.fromisoformat(row[name]))
    return shown.value(row[name], OBJECT.field(name))


def _given(rows: Sequence[Row], name: str) -> bool:
    return any(row[name] not in (None, "", []) for row in rows)


def _longer(seconds: float | None) -> str:
    text = minutes(seconds) if seconds is not None else ""
    return f" ({text})" if text else ""


def _sign(row: Row, name: str) -> str:
    """Return the sign that follows a value with a mark; empty for others."""
    return _MARKED if any(mark["field"] == name for mark in row.get("marks") or ()) else ""
