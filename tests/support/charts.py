"""Studies with the values that charts are about, put unchanged into a real store; and the same
charts calculated by numpy.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, time, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st

from orthanc_dose.charts import CHARTS, DEFAULTS, Chart, Wording, data_of, figure_of
from orthanc_dose.manage import reference_levels
from orthanc_dose.records import MODALITIES, REFERENCE_LEVEL
from orthanc_dose.store import Store, index

NAMES = (
    None,
    "",
    "Chest",
    "CHEST",
    "chest ",
    "it's",
    '50% "+" <b>x</b>',
    "胸部",
    "a, b",
    "Ä",
    "ä",
    "1",
    "2024-01-01",
    "\\",
)
QUANTITIES = {
    "study": ("dlp_total", "dap_total", "dose_rp_total", "total_fluoro_time", "administered_activity_total", "patient_weight",
              "patient_age"),
    "ct_event": ("dlp", "mean_ctdivol"),
    "projection_event": ("dap", "kvp", "exposure", "average_glandular_dose", "compression_thickness"),
    "nm_administration": ("administered_activity",),
}  # fmt: skip
# Fields of the study that are rows of `estimate`, with their quantity.
ESTIMATED = {"ssde_max": "ssde_max", "effective_dose_estimated": "effective_dose"}
VALUES = st.sampled_from((None, 0.0, 1.0, 2.5, 2.5, 1e-7)) | st.floats(1e-9, 1e4)
_DAYS = st.none() | st.dates(date(2023, 12, 25), date(2024, 3, 5))
_TIMES = (
    st.none()
    | st.sampled_from((time(0), time(7, 59, 59, 999_999), time(8), time(8, 30), time(23, 59)))
    | st.times()
)
Made = dict[str, Any]


PHANTOMS = st.none() | st.sampled_from(
    [{"value": value, "scheme": "DCM", "meaning": "IEC"} for value in ("113690", "113691")]
)


def _code(meaning: str | None) -> dict[str, Any] | None:
    return None if meaning is None else {"value": "1", "scheme": "99TEST", "meaning": meaning}


@st.composite
def studies(draw: Any, modality: str) -> list[Made]:
    """Draw some studies with their events under "events"."""
    table, out = MODALITIES[modality].events.name, []
    names = st.sampled_from(draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=6)))
    for number in range(1, draw(st.integers(0, 12)) + 1):
        study: Made = {
            "id": number,
            "modality": modality,
            "equipment_id": draw(st.integers(1, 3)),
            "study_date": draw(_DAYS),
            "study_time": draw(_TIMES),
            "study_description": draw(names),
            "requested_procedure_description": draw(names),
            "study_instance_uid": f"1.2.{number}",
            **{name: draw(VALUES) for name in (*QUANTITIES["study"], *ESTIMATED)},
        }
        events = [
            {name: draw(VALUES) for name in QUANTITIES[table]}
            for _ in range(draw(st.integers(0, 3)))
        ]
        for event in events:
            event["study_id"] = number
            if table == "nm_administration":
                event |= {
                    "radiopharmaceutical_agent": _code(draw(names)),
                    "radiopharmaceutical_name": draw(names),
                }
            else:
                event["acquisition_protocol"] = draw(names)
            if table == "ct_event":
                event["ctdiw_phantom_type"] = draw(PHANTOMS)
            if table == "projection_event":
                event["image_view"] = _code(draw(names))
        out.append(study | {"number_of_events": len(events), "events": events})
    return out


def put(store: Store, made: list[Made]) -> None:
    """Replace the studies in the store by these. Of three systems one has no name."""
    with store.connection() as connection:
        connection.execute("BEGIN TRANSACTION")
        for table in ("study", "equipment", "estimate", *QUANTITIES.keys() - {"study"}):
            connection.execute(f'DELETE FROM "{table}"')

        def insert(table: str, rows: list[Made]) -> None:
            if rows:
                connection.register("rows", pa.Table.from_pylist(rows))
                connection.execute(f'INSERT INTO "{table}" BY NAME SELECT * FROM rows')
                connection.unregister("rows")

        systems = ((1, "CT <1> & 胸"), (2, "Other"), (3, None))
        insert("equipment", [{"id": number, "display_name": name} for number, name in systems])
        insert(
            "study",
            [
                {
                    name: value
                    for name, value in study.items()
                    if name != "events" and name not in ESTIMATED
                }
                for study in made
            ],
        )
        insert(
            "estimate",
            [
                {"study_id": study["id"], "quantity": quantity, "value": study.get(name)}
                for study in made
                for name, quantity in ESTIMATED.items()
            ],
        )
        for modality, one in MODALITIES.items():
            insert(
                one.events.name,
                [
                    event
                    for study in made
                    if study["modality"] == modality
                    for event in study["events"]
                ],
            )
        index.fill(connection)
        connection.execute("COMMIT")


def value(field: str, study: Made, event: Made) -> Any:
    """Return what a chart measures or groups by; `field` as "table.field"."""
    if field == "nm_administration.radiopharmaceutical_agent":
        agent = event["radiopharmaceutical_agent"]
        return (agent and agent["meaning"]) or event["radiopharmaceutical_name"]
    if not field:  # activity per weight
        weight = study["patient_weight"]
        return (
            event["administered_activity"] / weight
            if weight and event["administered_activity"] is not None
            else None
        )
    table, name = field.split(".")
    found = (study if table == "study" else event)[name]
    return found["meaning"] if isinstance(found, dict) else found


def rows_of(chart: Chart, made: list[Made]) -> Iterator[tuple[Made, Made]]:
    """Yield what a chart counts: studies, or events with their study."""
    for study in made:
        yield from (
            (study, event) for event in (study["events"] if chart.level == "event" else ({},))
        )


def grouped(
    chart: Chart, made: list[Made], options: Made, *more: Any
) -> dict[Any, tuple[np.ndarray, set[int]]]:
    """Return the values that count, in the shown unit, and their studies.

    They are grouped by name, system, and what `more` returns for a study. Charts that measure
    nothing have ones.
    """
    found: defaultdict[Any, list[float]] = defaultdict(list)
    of: defaultdict[Any, set[int]] = defaultdict(set)
    for study, event in rows_of(chart, made):
        number = 1.0
        if chart.measure:
            stored = value(chart.measure.filter.field, study, event)
            if not stored:
                continue
            number = stored * chart.measure.shown.factor
        name = (
            (value(chart.grouping.filter.field, study, event) or None) if chart.grouping else None
        )
        name = name.lower() if name and options["ignore_case"] else name
        key = (
            name,
            study["equipment_id"] if options["per_system"] else None,
            *(one(study) for one in more),
        )
        found[key].append(number)
        of[key].add(study["id"])
    return {key: (np.array(values), of[key]) for key, values in found.items()}


def period_of(day: date | None, period: str) -> date | None:
    """Return the first day of the period."""
    if day is None or period == "day":
        return day
    if period == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if period == "month" else day.replace(month=1, day=1)


def ct_study(number: int, name: str | None, value: float | None, **more: Any) -> Made:
    """Return a CT study with this description and DLP, for `put`."""
    return {"id": number, "modality": "CT", "equipment_id": 1, "study_date": date(2024, 1, 1), "study_time": None,
            "study_instance_uid": f"1.2.{number}", "study_description": name, "dlp_total": value, "patient_age": None,
            "patient_weight": None, "events": [], **more}  # fmt: skip


def rows_of_table(store: Store, chart: str, **options: Any) -> list[dict[str, Any]]:
    """Return the rows of a chart's table, which has no figure."""
    with store.reading() as connection:
        data = data_of(connection, CHARTS[chart], "table", DEFAULTS | options, {})
    assert figure_of(data, Wording()) == {"data": [], "layout": {}}
    return data.rows


def put_levels(store: Store, *levels: dict[str, Any]) -> list[int]:
    """Replace the reference levels in the store by these, and return their numbers."""
    with store.writing() as connection:
        connection.execute("DELETE FROM reference_level")
    usual = {
        "name": "Level",
        "modality": "CT",
        "quantity": "dlp_total",
        "statistic": "median",
        "source": "Test",
        "valid": True,
    }
    return reference_levels.add_levels(
        store, [dict.fromkeys(REFERENCE_LEVEL.names) | usual | level for level in levels]
    )


# By modality type: the dose of the study (None: its events decide) and of the event.
_DOSES = {
    "CT": ("dlp_total", "dlp"),
    "RF": ("dap_total", "dap"),
    "DX": ("dap_total", "dap"),
    "MG": (None, "average_glandular_dose"),
    "NM": (None, "administered_activity"),
}


def with_dose(chart: Chart, made: list[Made]) -> list[Made]:
    """Return the studies with a dose or, in charts of events, with their events that have one."""
    of_study, of_event = _DOSES[chart.modality]
    dosed = [
        study | {"events": [event for event in study["events"] if event[of_event]]}
        for study in made
    ]
    if chart.level == "event":
        return dosed
    return [study for study in dosed if (study[of_study] if of_study else study["events"])]
