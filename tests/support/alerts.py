"""Studies with the values that rules of alerts are about, in a real store; and the rules evaluated in
plain Python over the same rows, written from the descriptions of the kinds and not from their SQL.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, time, timedelta
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa

from orthanc_dose.records import (
    CT_EVENT,
    EQUIPMENT,
    PROJECTION_EVENT,
    REFERENCE_LEVEL,
    STUDY,
    Table,
)
from orthanc_dose.store import Store, index
from orthanc_dose.store.names import StandardNames
from orthanc_dose.store.schema import arrow_schema

Row = dict[str, Any]
TODAY = date(2026, 6, 30)
FIRST = date(2025, 11, 1)
NAMES = ("Abdomen", "ABDOMEN", "Thorax ä", "Head", "", None)
PROTOCOLS = ("Spiral abdomen", "spiral ABDOMEN", "Topogram", None)
# As the map of names of these stores has it: text that is contained, in lower case, and name.
MAP = (
    ("study_description", "abdomen", "Belly"),
    ("study_description", "thorax", "Chest"),
    ("acquisition_protocols", "spiral", "Any spiral"),
)
LEVELS: tuple[Row, ...] = tuple(
    {"id": number, "name": "Level", "statistic": "median", "valid": True, **more}
    for number, more in enumerate(
        (
            {"modality": "CT", "quantity": "dlp_total", "pattern": "*abdomen*", "value": 400.0},
            {"modality": "CT", "quantity": "dlp_total", "standard_name": "belly", "value": 500.0,
             "age_from": 18.0, "weight_to": 90.0},
            {"modality": "CT", "quantity": "dlp_total", "pattern": "head", "value": 300.0, "age_to": 18.0},
            {"modality": "CT", "quantity": "dlp_total", "pattern": "*spiral*", "value": 350.0},
            {"modality": "CT", "quantity": "dlp_total", "pattern": "*", "value": 1.0, "valid": False},
            {"modality": "CT", "quantity": "ct_event_mean_ctdivol", "pattern": "*SPIRAL*", "value": 10.0,
             "phantom": "body"},
            {"modality": "CT", "quantity": "ct_event_mean_ctdivol", "standard_name": "Any spiral", "value": 12.0,
             "weight_from": 60.0},
            {"modality": "RF", "quantity": "dap_total", "pattern": "thorax*", "value": 0.01},
            {"modality": "RF", "quantity": "dap_total", "pattern": "*", "value": 0.015},
        ),
        1,
    )
)  # fmt: skip
_PHANTOMS = {"head": "113690", "body": "113691"}
_TABLES = {"CT": "ct_event", "RF": "projection_event"}


def made_studies(seed: int, count: int) -> list[Row]:
    """Return made-up studies with their events, among them odd ones: without date, patient or value,
    with 0, doubted, rejected, shared, of phantoms."""
    random = Random(seed)

    def perhaps(value: Any, share: float = 0.1, other: Any = None) -> Any:
        return other if random.random() < share else value

    def dose(middle: float) -> Any:
        value = random.choice((middle, round(middle * math.exp(random.gauss(0, 0.6)), 6)))
        return perhaps(perhaps(value), 0.05, 0.0)

    out = []
    for number in range(1, count + 1):
        modality = random.choice(("CT", "CT", "CT", "RF"))
        day = FIRST + timedelta(days=int(random.random() ** 0.8 * (TODAY - FIRST).days))
        study: Row = {
            "id": number,
            "modality": modality,
            "study_instance_uid": f"1.2.{number - (random.random() < 0.05)}",
            "equipment_id": random.choice((1, 1, 1, 2)),
            "study_date": perhaps(day, 0.04),
            "study_time": perhaps(time(random.choice((8, 9)), 30), 0.2),
            "stored_at": None,
            "study_description": random.choice((NAMES[0], NAMES[0], *NAMES)),
            "patient_id": perhaps(f"P{random.randrange(count // 6)}", 0.1, random.choice((None, ""))),
            "patient_age": perhaps(random.choice((10.0, 18.0, 40.0, 70.0))),
            "patient_weight": perhaps(random.choice((30.0, 60.0, 75.0, 80.0, 90.0, 130.0)), 0.15),
            "not_patient_indicator": "*phantom*" if random.random() < 0.04 else None,
            "not_counted": random.choice(("shared", "rejected")) if random.random() < 0.05 else None,
            "marks": [],
        }  # fmt: skip
        if modality == "CT":
            study["dlp_total"] = dose(400.0)
        else:
            study["dap_total"], study["dose_rp_total"] = dose(0.01), dose(0.5)
        events = [_event(modality, dose, random) for _ in range(random.choice((0, 1, 2, 3)))]
        for place, event in enumerate(events, 1):
            event |= {"study_id": number, "event_number": place}
        if random.random() < 0.08:
            _doubt(study, random.choice(("dlp_total", "dap_total", "dose_rp_total", "patient_age")))
        if events and random.random() < 0.08:
            _doubt(events[0], "mean_ctdivol")
        study["all_marks"] = sorted(
            {mark["mark"] for row in (study, *events) for mark in row["marks"]}
        )
        study["number_of_events"] = len(events)
        study["acquisition_protocols"] = sorted(
            {event["acquisition_protocol"] for event in events if event["acquisition_protocol"]}
        )
        out.append(study | {"events": events})
    return out


def _doubt(row: Row, field: str) -> None:
    row["marks"] = [{"field": field, "mark": "implausible", "raw": None}]


def _event(modality: str, dose: Any, random: Random) -> Row:
    event: Row = {
        "acquisition_protocol": random.choice(PROTOCOLS),
        "counted_in": 1 if random.random() < 0.05 else None,
        "marks": [],
    }
    if modality == "RF":
        return event | {"dap": dose(0.002), "kvp": dose(80.0)}
    phantom = random.choice((None, "113690", "113691"))
    check = random.random() < 0.2
    return event | {
        "mean_ctdivol": dose(10.0),
        "dlp": dose(200.0),
        "ctdiw_phantom_type": phantom and {"value": phantom, "scheme": "DCM", "meaning": "IEC"},
        "ctdivol_alert_value": random.choice((None, 30.0)) if check else None,
        "accumulated_ctdivol_forward_estimate": random.choice((29.0, 30.0, 31.0)),
        "alert_reason_for_proceeding": random.choice((None, "", " ", "needed")),
        "dlp_notification_value": random.choice((None, 500.0)) if check else None,
        "dlp_forward_estimate": random.choice((None, 499.0, 500.0)),
        "notification_reason_for_proceeding": random.choice((None, "large patient")),
    }


def put(store: Store, made: list[Row]) -> None:
    """Put the studies, two systems, the levels and the map of names into an empty store."""
    with store.connection() as connection:
        connection.execute("BEGIN TRANSACTION")

        def insert(table: Table, rows: Iterable[Row]) -> None:
            known = set(table.names)
            found = [{name: row[name] for name in row if name in known} for row in rows]
            connection.register("rows", pa.Table.from_pylist(found, schema=arrow_schema(table)))
            connection.execute(f'INSERT INTO "{table.name}" BY NAME SELECT * FROM rows')
            connection.unregister("rows")

        insert(EQUIPMENT, [{"id": 1, "display_name": "One"}, {"id": 2, "display_name": "Two"}])
        insert(STUDY, made)
        for modality, table in (("CT", CT_EVENT), ("RF", PROJECTION_EVENT)):
            insert(table, [e for s in made if s["modality"] == modality for e in s["events"]])
        insert(REFERENCE_LEVEL, LEVELS)
        index.fill(connection)
        entries: Any = [
            {"kind": kind, "pattern": f"*{part}*", "modality": None, "standard_name": name}
            for kind, part, name in MAP
        ]
        StandardNames(entries).write_map(connection)
        connection.execute("COMMIT")


# --- plain evaluation ---


def _counts(study: Row) -> bool:
    return study["not_patient_indicator"] is None and study["not_counted"] is None


def _is_for(study: Row, filters: Row) -> bool:
    """The filters that the tests use."""
    return (
        study["modality"] in filters.get("modality", ("CT", "RF"))
        and filters.get("equipment_id", study["equipment_id"]) == study["equipment_id"]
        and (
            "patient_age_from" not in filters
            or (study["patient_age"] or -1) >= filters["patient_age_from"]
        )
    )


def _doubted(row: Row, field: str) -> bool:
    return any(mark["field"] == field and mark["mark"] == "implausible" for mark in row["marks"])


def _values(study: Row, measure: str) -> list[Row]:
    """The values of a study: each with its event, which is {} for a value of the study."""
    for table in _TABLES.values():
        if measure.startswith(f"{table}_"):
            name = measure.removeprefix(f"{table}_")
            events = study["events"] if _TABLES[study["modality"]] == table else []
            return [
                {"value": event[name], "event": event, "doubted": _doubted(event, name)}
                for event in events
                if event["counted_in"] is None and (event[name] or 0) > 0
            ]
    value = study.get(measure)
    if not value:
        return []
    return [{"value": value, "event": {}, "doubted": _doubted(study, measure)}]


def _texts(study: Row, event: Row, field: str) -> set[str]:
    """What a value is called, in lower case: by a field, or by standard names."""
    if field == "standard_names":
        texts = {"study_description": [study["study_description"]],
                 "acquisition_protocols": study["acquisition_protocols"]}  # fmt: skip
        return {
            next((new.lower() for of, part, new in MAP if of == kind and part in text.lower()), "")
            for kind, found in texts.items()
            for text in found
            if text
        } - {""}
    if field == "acquisition_protocols":
        found = [event["acquisition_protocol"]] if event else study["acquisition_protocols"]
    else:
        found = [study.get(field)]
    return {text.lower() for text in found if text}


def _level(study: Row, value: Row, measure: str, fields: list[str], highest: bool) -> Row | None:
    event = value["event"]
    suits = fields or (["acquisition_protocols"] if event else ["study_description"])
    named = [
        (text, {new.lower() for of, part, new in MAP if of == field and part in text})
        for field in suits
        for text in _texts(study, event, field)
    ]
    age, weight = study["patient_age"], study["patient_weight"]
    phantom = (event.get("ctdiw_phantom_type") or {}).get("value")
    found = [
        level
        for level in LEVELS
        if level["valid"]
        and level["modality"] == study["modality"]
        and level["quantity"] == measure
        and any(_fits(level, text, names) for text, names in named)
        and ("age_from" not in level or (age is not None and age >= level["age_from"]))
        and ("age_to" not in level or (age is not None and age < level["age_to"]))
        and ("weight_from" not in level or (weight is not None and weight >= level["weight_from"]))
        and ("weight_to" not in level or (weight is not None and weight < level["weight_to"]))
        and ("phantom" not in level or phantom == _PHANTOMS[level["phantom"]])
    ]
    sign = -1 if highest else 1
    return min(found, key=lambda level: (sign * level["value"], level["id"]), default=None)


def _fits(level: Row, text: str, names: set[str]) -> bool:
    if "pattern" not in level:
        return level["standard_name"].lower() in names
    pattern, word = level["pattern"].lower(), level["pattern"].lower().strip("*")
    return (
        text == word
        or (pattern.startswith("*") and pattern.endswith("*") and word in text)
        or (pattern.endswith("*") and not pattern.startswith("*") and text.startswith(word))
    )


def _passes(value: float, bound: float, compare: str) -> bool:
    close = math.isclose(value, bound, rel_tol=1e-9, abs_tol=0)
    if compare == "reaches":
        return close or value > bound
    return not close and (value < bound if compare == "below" else value > bound)


def _most(found: list[tuple[float, float]], compare: str) -> tuple[float, float] | None:
    """The value and bound of one study that exceed most, of those that exceed."""
    passing = [one for one in found if _passes(*one, compare)]
    pick = min if compare == "below" else max
    return pick(passing, key=lambda one: one[0] / one[1], default=None)


def _single(made: list[Row], rule: Row, bound_of: Any) -> dict[Any, tuple[float, float]]:
    out = {}
    compare = rule["bound"].get("compare", "above")
    for study in made:
        pairs = [
            (value["value"], bound)
            for value in _values(study, rule["measure"])
            if (bound := bound_of(study, value)) is not None
        ]
        if (most := _most(pairs, compare)) is not None:
            out[study["id"]] = most
    return out


def _when(study: Row) -> tuple[Any, ...]:
    return study["study_date"], study["study_time"] or time(0), study["id"]


def _size_class(weight: float | None) -> int | None:
    if weight is None:
        return None
    return sum(weight >= low for low in (5, 15, 30, 50, 60, 80, 100, 120))


def _peers(made: list[Row], rule: Row) -> Any:
    bound = rule["bound"]
    by_name: defaultdict[Any, list[tuple[date, float]]] = defaultdict(list)

    def keys(study: Row, event: Row) -> list[Any]:
        size = _size_class(study["patient_weight"]) if bound["same_size"] else 0
        if size is None:
            return []
        system = study["equipment_id"] if bound["same_system"] else 0
        return [
            (study["modality"], name, system, size) for name in _texts(study, event, bound["same"])
        ]

    for study in made:
        for value in _values(study, rule["measure"]) if study["study_date"] else ():
            for key in keys(study, value["event"]) if not value["doubted"] else ():
                by_name[key].append((study["study_date"], value["value"]))

    def of(study: Row, value: Row) -> float | None:
        if not study["study_date"]:
            return None
        month = study["study_date"].replace(day=1)
        first = month - timedelta(days=bound["days"])
        found = [
            limit
            for key in keys(study, value["event"])
            if (limit := _limit([v for day, v in by_name[key] if first <= day < month], bound))
        ]
        pick = min if bound["compare"] == "below" else max
        return pick(found, default=None)

    return of


def _limit(peers: list[float], bound: Row) -> float | None:
    if len(peers) < 50:
        return None
    sign = -1 if bound["compare"] == "below" else 1
    limit, middle = bound["limit"], float(np.median(peers))
    if bound["method"] == "median":
        return middle * limit
    if bound["method"] == "percentile":
        return float(np.percentile(peers, limit))
    if bound["method"] == "iqr":
        low, high = np.percentile(peers, [25, 75])
        found = middle + sign * limit * float(high - low)
        return found if high > low and found > 0 else None
    logs = np.log(peers)
    spread = float(np.median(np.abs(logs - np.median(logs))))
    return math.exp(float(np.median(logs)) + sign * limit * 1.4826 * spread) if spread else None


def _sums(made: list[Row], rule: Row) -> dict[Any, tuple[float, float]]:
    bound, out = rule["bound"], {}
    usable = {
        study["id"]: (
            1.0
            if rule["measure"] == "studies"
            else sum(v["value"] for v in _values(study, rule["measure"]) if not v["doubted"])
        )
        for study in made
    }
    for study in made:
        if not study["study_date"] or not study["patient_id"] or not usable[study["id"]]:
            continue
        first = study["study_date"] - timedelta(days=bound["days"] - 1)
        parts = [
            other
            for other in made
            if other["patient_id"] == study["patient_id"]
            and other["study_date"]
            and other["study_date"] >= first
            and _when(other) <= _when(study)
        ]
        total = math.fsum(usable[other["id"]] for other in parts)
        if rule["measure"] == "studies":
            total = float(len({other["study_instance_uid"] for other in parts}))
        if _passes(total, bound["value"], bound.get("compare", "reaches")):
            out[study["id"]] = (total, float(bound["value"]))
    return out


def _runs(made: list[Row], rule: Row) -> dict[Any, tuple[float, float]]:
    bound, out = rule["bound"], {}
    groups: defaultdict[Any, list[Row]] = defaultdict(list)
    for study in made:
        of_study = [
            (value["value"], level)
            for value in _values(study, rule["measure"])
            if not value["doubted"]
            and (level := _level(study, value, rule["measure"], bound.get("names", []), True))
        ]
        if study["study_date"] and of_study:
            own, level = max(of_study, key=lambda one: one[0] / one[1]["value"])
            groups[study["equipment_id"], level["id"]].append(
                {"study": study, "own": own, "level": level["value"]}
            )
    for group in groups.values():
        group.sort(key=lambda one: _when(one["study"]))
        before = None
        for place, one in enumerate(group):
            last = group[max(0, place + 1 - bound["n"]) : place + 1]
            mean = math.fsum(other["own"] for other in last) / len(last)
            limit = one["level"] * bound["factor"]
            if len(last) == bound["n"]:
                trigger = bound.get("trigger")
                may = (
                    before is None or before <= limit
                    if trigger is None
                    else _passes(one["own"], one["level"] * trigger, "above")
                )
                if may and _passes(mean, limit, "above"):
                    out[one["study"]["id"]] = (mean, limit)
                before = mean
    return out


_CHECKS = {
    "alert": (("dlp_alert_value", "accumulated_dlp_forward_estimate"),
              ("ctdivol_alert_value", "accumulated_ctdivol_forward_estimate")),
    "notification": (("dlp_notification_value", "dlp_forward_estimate"),
                     ("ctdivol_notification_value", "ctdivol_forward_estimate")),
}  # fmt: skip


def _checks(made: list[Row], rule: Row) -> dict[Any, tuple[float, float]]:
    wanted = rule["bound"].get("check", "either")
    out = {}
    for study in made:
        n = sum(
            any(
                _reached(event, *limit)
                and not (event[f"{kind}_reason_for_proceeding"] or "").strip()
                for kind, limits in _CHECKS.items()
                if wanted in ("either", kind)
                for limit in limits
            )
            for event in study["events"]
            if study["modality"] == "CT" and event["counted_in"] is None
        )
        if n:
            out[study["id"]] = (float(n), 0.0)
    return out


def _reached(event: Row, value: str, estimate: str) -> bool:
    limit, expected = event.get(value), event.get(estimate)
    return limit is not None and expected is not None and expected >= limit


_HAVE = {"dlp_total": ("CT",), "dap_total": ("RF",), "dose_rp_total": ("RF",)}


def _lacking(made: list[Row], rule: Row) -> dict[Any, tuple[float, float]]:
    out = {}
    for study in made:
        n = 0
        for name in set(rule["bound"]["of"]):
            table = next((one for one in _TABLES.values() if name.startswith(f"{one}_")), "")
            if table:
                field = name.removeprefix(f"{table}_")
                of_type = _TABLES[study["modality"]] == table
                n += of_type and not any(event[field] for event in study["events"])
            else:
                n += study["modality"] in _HAVE.get(name, ("CT", "RF")) and not study.get(name)
        if n:
            out[study["id"]] = (float(n), 0.0)
    return out


def _silences(made: list[Row], rule: Row) -> dict[Any, tuple[float, float]]:
    days: defaultdict[int, set[date]] = defaultdict(set)
    for study in made:
        if study["study_date"] and study["study_date"] <= TODAY:
            days[study["equipment_id"]].add(study["study_date"])
    out = {}
    for system, found in days.items():
        listed = sorted(found)
        for last, following in zip(listed, [*listed[1:], TODAY], strict=True):
            pause, limit = (following - last).days, rule["bound"]["days"]
            if pause > limit:
                out[system, last + timedelta(days=limit + 1)] = (float(pause), float(limit))
    return out


def plain(made: list[Row], rule: Row) -> dict[Any, tuple[float, float]]:
    """Return the alerts of a rule, as JSON, over these studies: by study its value and bound; for
    silence, by system and day."""
    kind = rule["bound"]["kind"]
    of_filters = [study for study in made if _is_for(study, rule["filters"])]
    if kind == "silent":
        return _silences(of_filters, rule)
    counting = [study for study in of_filters if _counts(study)]
    if kind == "value":
        return _single(counting, rule, lambda *_: rule["bound"]["value"])
    if kind == "level":
        bound = rule["bound"]
        highest = bound.get("compare") != "below"

        def of_level(study: Row, value: Row) -> float | None:
            level = _level(study, value, rule["measure"], bound.get("names", []), highest)
            return None if level is None else level["value"] * bound["factor"]

        return _single(counting, rule, of_level)
    if kind == "outlier":
        return _single(counting, rule, _peers(counting, rule))
    others = {"sum": _sums, "run": _runs, "dose_check": _checks, "missing": _lacking}
    return others[kind](counting, rule)
