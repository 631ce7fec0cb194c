"""Filters evaluated in plain Python on the records as stored, with which the SQL of the filters is
compared.

Where each filter looks is written here independently, from the data dictionary and the descriptions
of the filters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import time
from typing import Any

from orthanc_dose.store import Store
from orthanc_dose.store.database import rows

Whole = dict[str, Any]  # a study's row with "equipment", "events", "accumulated" and "objects"
NAMED = (
    "study_description",
    "requested_procedure_description",
    "performed_procedure_step_description",
)
EVENTS = {
    "CT": "ct_event",
    "RF": "projection_event",
    "DX": "projection_event",
    "MG": "projection_event",
    "NM": "nm_administration",
}
ESTIMATED = {
    "ssde_mean": "ssde_mean",
    "ssde_max": "ssde_max",
    "effective_dose_estimated": "effective_dose",
}
ACCUMULATED = {
    "CT": "ct_accumulated",
    "RF": "projection_accumulated",
    "DX": "projection_accumulated",
    "MG": "projection_accumulated",
}


def whole_studies(store: Store) -> list[Whole]:
    """Return all studies with everything that belongs to them."""

    def read(connection: Any, table: str) -> list[dict[str, Any]]:
        return rows(connection.execute(f'SELECT * FROM "{table}"'))

    with store.reading() as connection:
        equipment = {row["id"]: row for row in read(connection, "equipment")}
        tables = {
            name: read(connection, name)
            for name in {*EVENTS.values(), *ACCUMULATED.values(), "object", "estimate"}
        }
        out, entries = (
            read(connection, "study"),
            sorted(read(connection, "standard_name"), key=lambda row: row["position"]),
        )
    for study in out:

        def of(table: str | None, study_id: int = study["id"]) -> list[dict[str, Any]]:
            return [row for row in tables[table] if row["study_id"] == study_id] if table else []

        study["equipment"] = equipment[study["equipment_id"]]
        study["events"], study["accumulated"] = (
            of(EVENTS[study["modality"]]),
            of(ACCUMULATED.get(study["modality"])),
        )
        study["objects"] = of("object")
        for field, quantity in ESTIMATED.items():
            study[field] = next(
                (
                    row["value"]
                    for row in of("estimate")
                    if row["quantity"] == quantity and row["event_number"] is None
                ),
                None,
            )
        study["effective_dose_table"] = (
            None if study["effective_dose_estimated"] is None else "aapm96 1 ICRP 60"
        )
        kinds = {
            **{name: [study[name]] for name in NAMED},
            "acquisition_protocols": study["acquisition_protocols"] or (),
        }
        study["standard_names"] = [
            name for kind, texts in kinds.items() for name in _names(entries, kind, texts, study)
        ]
    return out


def _names(
    entries: list[dict[str, Any]], kind: str, texts: Iterable[Any], study: Whole
) -> Iterable[str]:
    """Yield the standard name of each text, by the first matching entry.

    An entry's pattern is a word with * before and after it.
    """
    for text in filter(None, texts):
        fits = (
            entry["standard_name"]
            for entry in entries
            if entry["kind"] == kind
            and entry["modality"] in (None, study["modality"])
            and entry["pattern"].strip("*").lower() in text.lower()
        )
        yield from list(fits)[:1]


def _of_events(*path: str) -> Callable[[Whole], Iterable[Any]]:
    def values(study: Whole) -> Iterable[Any]:
        for event in study["events"]:
            value: Any = event
            for name in path:
                value = value.get(name) if value is not None else None
            yield value

    return values


def _events_of_type(*codes: str) -> Callable[[Whole], Iterable[Any]]:
    return lambda study: [
        sum((event["ct_acquisition_type"] or {}).get("value") in codes for event in study["events"])
        if study["modality"] == "CT"
        else None
    ]


def _projection_only(values: Callable[[Whole], Iterable[Any]]) -> Callable[[Whole], Iterable[Any]]:
    return lambda study: values(study) if study["modality"] in ("RF", "DX", "MG") else ()


def _marks(study: Whole) -> set[str]:
    records = (study, *study["events"], *study["accumulated"])
    return {mark["mark"] for record in records for mark in record["marks"] or ()}


_PHANTOMS = {"113690": "head", "113691": "body"}
_OF_EQUIPMENT = (
    "display_name",
    "institution_name",
    "institutional_department_name",
    "manufacturer",
    "manufacturer_model_name",
    "station_name",
    "device_serial_number",
    "software_versions",
    "gantry_id",
)
# The values at which a filter looks, if they are not those of the study's field of the same name.
VALUES: dict[str, Callable[[Whole], Iterable[Any]]] = {
    "weekday": lambda study: [study["study_date"] and study["study_date"].strftime("%a").lower()],
    "acquisition_protocols": _of_events("acquisition_protocol"),
    "procedure_code": lambda study: [(study["procedure_code"] or {}).get("meaning")],
    "accession_number": lambda study: [
        study["accession_number"],
        *(study["accession_numbers"] or ()),
    ],
    "counting": lambda study: [
        study["not_counted"] or "yes",
        *["partly" for one in study["shared_with"] or () if one["counted_there"]][
            : study["not_counted"] is None
        ],
    ],
    "study_number": lambda study: [study["id"]],
    "sop_instance_uid": lambda study: [row["sop_instance_uid"] for row in study["objects"]],
    **{name: lambda study, name=name: [study["equipment"][name]] for name in _OF_EQUIPMENT},
    "patient_sex": lambda study: [
        study["patient_sex"] if study["patient_sex"] in ("F", "M", "O") else "unknown"
    ],
    "number_of_events": lambda study: [len(study["events"])],
    "number_of_spiral_events": _events_of_type("116152004"),
    "number_of_sequenced_events": _events_of_type("113804"),
    "number_of_constant_angle_events": _events_of_type("113805"),
    "number_of_stationary_events": _events_of_type("113806"),
    "number_of_free_events": _events_of_type("113807"),
    "number_of_cone_beam_events": _events_of_type("702569007"),
    "ctdiw_phantom_type": lambda study: (
        [
            _PHANTOMS.get(code, "other")
            for code in _of_events("ctdiw_phantom_type", "value")(study)
            if code is not None
        ]
        if study["modality"] == "CT"
        else ()
    ),
    **{
        name: _projection_only(_of_events(name))
        for name in (
            "kvp",
            "exposure",
            "exposure_index",
            "compression_thickness",
            "exposure_control_mode",
        )
    },
    "image_view": _projection_only(_of_events("image_view", "meaning")),
    "standard_names": lambda study: study["standard_names"],
    "mark": _marks,
    "test_data": lambda study: ["no" if study["not_patient_indicator"] is None else "yes"],
}


def values_of(name: str, study: Whole) -> list[Any]:
    """Return the values of a study at which a filter looks, without missing and empty ones."""
    found = VALUES[name](study) if name in VALUES else [study[name]]
    return [value for value in found if value is not None and value != ""]


def lowered(text: str) -> str:
    return text.lower()


def matches(name: str, role: str, wanted: Any, study: Whole) -> bool:
    """Return whether a study matches one parameter of a filter.

    An interval is given as ("interval", (low, high)).
    """
    found = values_of(name, study)
    if role == "contains":
        return any(lowered(term) in lowered(value) for value in found for term in wanted)
    if role == "not":
        return not any(lowered(term) in lowered(value) for value in found for term in wanted)
    if role == "is" and isinstance(wanted, list):
        return any(lowered(term) == lowered(value) for value in found for term in wanted)
    if role == "exactly":
        return wanted in found
    if role == "given":
        return any(value != 0 for value in found) == (wanted == "yes")
    if role == "empty":
        return (not found) == (wanted == "yes")
    if role == "any":
        return any(value in wanted for value in found)
    if role == "interval":
        return any(_between(value, *wanted) for value in found)
    return wanted in found


def _between(value: Any, low: Any, high: Any) -> bool:
    if isinstance(value, time) and low is not None and high is not None and low > high:
        return value >= low or value <= high
    return (low is None or value >= low) and (high is None or value <= high)
