"""Which studies share irradiations, kept up to date within the transaction that writes studies.

The index `index_event_uid` finds the studies with an event UID by a hash of it; the UIDs themselves
are compared by assemble/sharing.py, which decides where an event counts. A study that shares
nothing costs one query of this index.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, cast

import duckdb
import pyarrow as pa

from ..assemble import NEAR, Holder, Record, Sharing, event_uid, share, totals_of_study
from ..records import (
    CT_EVENT,
    EVENT_UID,
    MODALITIES,
    NM_ADMINISTRATION,
    PROJECTION_EVENT,
    STUDY,
    TOTALS,
    TOTALS_AS_REPORTED,
)
from ..records.rows import EventRow, Mark
from .database import rows
from .schema import arrow_type

SHARED, REPEATED = "same_irradiation", "event_uid_repeated"
_OURS = (SHARED, REPEATED)
_NOTED = "sharing_noted"  # a temporary table of the writer's connection
_INDEX = EVENT_UID.name
_EVENT_TABLES = {
    CT_EVENT: "irradiation_event_uid",
    PROJECTION_EVENT: "irradiation_event_uid",
    NM_ADMINISTRATION: "administration_event_uid",
}
_TOTALS = tuple(field.name for field in TOTALS)
# Two rows of the index that may be of one irradiation.
_CLOSE = f"""
    i.key = j.key AND CASE WHEN i.started IS NULL OR j.started IS NULL
    THEN i.day IS NULL OR j.day IS NULL OR i.day = j.day
    ELSE abs(epoch(i.started) - epoch(j.started)) <= {NEAR.total_seconds():.0f} END
"""
# The keys that are in several studies, at times that are not close.
_REPEATED = f"""
    SELECT key FROM {_INDEX} WHERE key IN (SELECT key FROM {_INDEX} WHERE study_id IN (%s))
    GROUP BY key HAVING count(DISTINCT study_id) > 1 AND
    (epoch(max(started)) - epoch(min(started)) > {NEAR.total_seconds():.0f}
     OR max(day) - min(day) > 1)
"""
# So many studies with a UID of one that leaves are looked at again: they may not repeat it any
# more. Of a UID that more have, it is certain that it does not identify an event.
_FEW = 20

Touched = set[tuple[str, int, date | None]]


def key_of(uid: str) -> int:
    """Return the hash of a UID: 63 bits, the same on every machine."""
    return int.from_bytes(hashlib.md5(uid.encode(), usedforsecurity=False).digest()[:8]) >> 1


def index_rows(record: Record) -> list[Mapping[str, Any]]:
    """Return the rows of the index for a record that has its number."""
    study = record.study
    return list(_index_rows(study["id"], study.get("study_date"), record.events))


def _index_rows(
    study_id: int, study_date: date | None, events: Iterable[EventRow]
) -> Iterator[Mapping[str, Any]]:
    for row in events:
        if uid := event_uid(row):
            started = row.get("datetime_started")
            day = started.date() if started else study_date
            yield {"study_id": study_id, "key": key_of(uid), "started": started, "day": day}


def fill(connection: duckdb.DuckDBPyConnection) -> None:
    """Build the index from the events in the store, and decide where they count."""
    connection.execute(f"DELETE FROM {_INDEX}")
    for table, uid in _EVENT_TABLES.items():
        connection.execute(f"""
            INSERT INTO {_INDEX} BY NAME SELECT e.study_id,
            (('0x' || left(md5(e.{uid}), 16))::UBIGINT >> 1)::BIGINT AS key,
            e.datetime_started AS started,
            coalesce(e.datetime_started::DATE, s.study_date) AS day
            FROM "{table.name}" e JOIN study s ON s.id = e.study_id WHERE e.{uid} <> ''
        """)
    several = f"SELECT key FROM {_INDEX} GROUP BY key HAVING count(DISTINCT study_id) > 1"
    query = f"SELECT DISTINCT study_id FROM {_INDEX} WHERE key IN ({several})"
    found = {row[0] for row in connection.execute(query).fetchall()}
    settle(connection, found, set())


def note_partners(connection: duckdb.DuckDBPyConnection, studies: str) -> None:
    """Note the studies that share events with these, which are about to be deleted or rewritten.

    studies: SQL that yields their numbers.
    """
    _prepare(connection)
    connection.execute(f"""
        INSERT INTO {_NOTED} SELECT DISTINCT j.study_id FROM {_INDEX} i JOIN {_INDEX} j ON {_CLOSE}
        WHERE i.study_id IN ({studies})
        UNION SELECT DISTINCT study_id FROM {_INDEX} WHERE key IN
        (SELECT key FROM {_INDEX} WHERE key IN
         (SELECT key FROM {_INDEX} WHERE study_id IN ({studies}))
         GROUP BY key HAVING count(DISTINCT study_id) <= {_FEW})
    """)


def _prepare(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(f"CREATE TEMP TABLE IF NOT EXISTS {_NOTED} (study_id BIGINT)")


def noted(connection: duckdb.DuckDBPyConnection) -> set[int]:
    """Return the studies noted in this transaction, and clear them."""
    _prepare(connection)
    found = {row[0] for row in connection.execute(f"SELECT * FROM {_NOTED}").fetchall()}
    if found:
        connection.execute(f"DELETE FROM {_NOTED}")
    return found


def shares(marks: Iterable[str] | None) -> bool:
    """Return whether a study with these marks shares UIDs with others."""
    return not set(_OURS).isdisjoint(marks or ())


def with_known_uids(
    connection: duckdb.DuckDBPyConnection, new: Sequence[Mapping[str, Any]]
) -> set[int]:
    """Return those studies of new rows of the index, not yet written, whose UIDs others have."""
    by_key: dict[int, set[int]] = {}
    for row in new:
        by_key.setdefault(row["key"], set()).add(row["study_id"])
    if not by_key:
        return set()
    # As text: binding a list costs 0.2 ms per number.
    query = f"SELECT DISTINCT key FROM {_INDEX} WHERE key IN ({', '.join(map(str, by_key))})"
    known = {row[0] for row in connection.execute(query).fetchall()}
    found = {key for key, studies in by_key.items() if key in known or len(studies) > 1}
    return {study for key in found for study in by_key[key]}


def settle(
    connection: duckdb.DuckDBPyConnection, studies: set[int], touched: Touched
) -> dict[int, str]:
    """Decide where the events of these studies, and of those that share with them, count.

    Return the changes for the feed. The days of changed studies are added to `touched`.
    """
    if not studies:
        return {}
    found, repeated = _circle(connection, studies)
    holders = _holders(connection, found)
    known = {uid for one in holders.values() for row in one.events if (uid := event_uid(row))}
    again = frozenset(uid for uid in known if key_of(uid) in repeated)
    decided = share([one for one in holders.values() if one.events], again)
    names = {one.id: one.study_instance_uid for one in holders.values()}
    changes: dict[int, str] = {}
    for row in _study_rows(connection, found):
        one = decided.get(row["id"], Sharing())
        events = holders[row["id"]].events
        if _settle_study(connection, row, events, one, names):
            changes[row["id"]] = "changed"
            touched.add((row["modality"], row["equipment_id"], row["study_date"]))
    return changes


def _circle(connection: duckdb.DuckDBPyConnection, studies: set[int]) -> tuple[set[int], set[int]]:
    """Return these studies with all that share with them, and the keys that are repeated.

    Studies that have a repeated UID at other times are included until they have their mark.
    """
    found: set[int] = set()
    new = studies
    while new:
        found |= new
        listed = _listed(found)
        near = connection.execute(f"""
            SELECT DISTINCT j.study_id FROM {_INDEX} i JOIN {_INDEX} j ON {_CLOSE}
            WHERE i.study_id IN ({_listed(new)}) AND j.study_id NOT IN ({listed})
        """).fetchall()
        far = connection.execute(f"""
            SELECT DISTINCT i.study_id FROM {_INDEX} i JOIN study s ON s.id = i.study_id
            WHERE i.key IN ({_REPEATED % listed}) AND i.study_id NOT IN ({listed})
            AND NOT coalesce(list_contains(s.all_marks, '{REPEATED}'), false)
        """).fetchall()
        new = {row[0] for row in near + far}
    repeated = connection.execute(_REPEATED % _listed(found)).fetchall()
    return found, {row[0] for row in repeated}


def _listed(studies: Iterable[int]) -> str:
    return ", ".join(map(str, studies))


def _study_rows(connection: duckdb.DuckDBPyConnection, studies: set[int]) -> list[dict[str, Any]]:
    query = f"SELECT * FROM study WHERE id IN ({_listed(studies)}) ORDER BY id"
    return rows(connection.execute(query))


def _holders(connection: duckdb.DuckDBPyConnection, studies: set[int]) -> dict[int, Holder]:
    holders = {
        row["id"]: Holder(
            row["id"],
            row["study_instance_uid"] or "",
            row["study_date"],
            row["study_time"],
            row["not_counted"] != "rejected" and row["not_patient_indicator"] is None,
            [],
        )
        for row in _study_rows(connection, studies)
    }
    for table in _EVENT_TABLES:
        query = (
            f'SELECT * FROM "{table.name}" WHERE study_id IN ({_listed(studies)}) '
            "ORDER BY study_id, event_number"
        )
        for row in rows(connection.execute(query)):
            if row["study_id"] in holders:
                holders[row["study_id"]].events.append(cast("EventRow", row))
    return holders


def _settle_study(
    connection: duckdb.DuckDBPyConnection,
    row: dict[str, Any],
    events: list[EventRow],
    decided: Sharing,
    names: dict[int, str],
) -> bool:
    """Write what a study shares, if that is new, and return whether it is."""
    before = {one["event_number"]: one.get("counted_in") for one in events}
    after = {number: decided.counted_in.get(number) for number in before}
    counting = [one for one in events if after[one["event_number"]] is None]
    reported = _as_reported(connection, row)
    new = dict(reported)
    is_partly = 0 < len(counting) < len(events)
    if is_partly:
        new |= _totals_of(row["modality"], counting, reported["marks"])
    new["shared_with"] = [
        {
            "study_id": other,
            "study_instance_uid": names[other],
            "events": len(numbers),
            "counted_there": sum(after[number] == other for number in numbers),
        }
        # By UID: the numbers of studies depend on the order of arrival.
        for other, numbers in sorted(decided.others.items(), key=lambda one: (names[one[0]], one))
    ] or None
    new["marks"] = [*new["marks"], *_marks(new["shared_with"], decided.repeated)]
    new["all_marks"] = sorted({*new["all_marks"], *(one["mark"] for one in new["marks"])})
    new["not_counted"] = (
        row["not_counted"]
        if row["not_counted"] == "rejected"
        else "shared"
        if events and not counting
        else None
    )
    old = {name: row[name] for name in new}
    old["marks"], old["all_marks"] = old["marks"] or [], old["all_marks"] or []
    if new == old and before == after:
        return False
    _write_events(connection, row, {n: to for n, to in after.items() if to != before[n]})
    connection.execute(f"DELETE FROM {TOTALS_AS_REPORTED.name} WHERE study_id = $1", [row["id"]])
    if is_partly:
        connection.execute(
            f"INSERT INTO {TOTALS_AS_REPORTED.name} BY NAME SELECT $1 AS study_id, $2 AS totals",
            [row["id"], json.dumps(reported)],
        )
    changed = [name for name, value in new.items() if value != old[name]]
    _update_study(connection, row["id"], {name: new[name] for name in changed})
    return True


def _as_reported(connection: duckdb.DuckDBPyConnection, row: dict[str, Any]) -> dict[str, Any]:
    """Return the totals and marks of a study as they are while it shares nothing."""
    query = f"SELECT totals FROM {TOTALS_AS_REPORTED.name} WHERE study_id = $1"
    kept = connection.execute(query, [row["id"]]).fetchone()
    if kept is not None:
        return cast("dict[str, Any]", json.loads(kept[0]))
    return {name: row[name] for name in _TOTALS} | {
        "marks": [one for one in row["marks"] or () if one["mark"] not in _OURS],
        "all_marks": [mark for mark in row["all_marks"] or () if mark not in _OURS],
    }


def _totals_of(modality: str, counting: list[EventRow], marks: list[Mark]) -> dict[str, Any]:
    """Return the totals and marks of a study of which only these events count.

    What the reports give as totals includes the other events.
    """
    sums = cast("dict[str, Any]", totals_of_study(modality, [], counting, overlap=False))
    of_totals = [*(one for one in marks if one["field"] not in _TOTALS), *sums.pop("marks", ())]
    return {name: sums.get(name) for name in _TOTALS} | {"marks": of_totals}


def _marks(shared_with: list[dict[str, Any]] | None, repeated: set[str]) -> list[dict[str, Any]]:
    field = "number_of_events"
    out = [
        {
            "field": field,
            "mark": SHARED,
            "raw": f"{one['study_instance_uid']}: {one['events']}, {one['counted_there']} of "
            "these count there",
        }
        for one in shared_with or ()
    ]
    out += [{"field": field, "mark": REPEATED, "raw": uid} for uid in sorted(repeated)]
    return out


def _write_events(
    connection: duckdb.DuckDBPyConnection, row: dict[str, Any], changed: dict[int, int | None]
) -> None:
    by_study: dict[int | None, list[int]] = {}
    for number, study in changed.items():
        by_study.setdefault(study, []).append(number)
    for study, numbers in by_study.items():
        connection.execute(
            f'UPDATE "{MODALITIES[row["modality"]].events.name}" SET counted_in = $1 '
            f"WHERE study_id = $2 AND event_number IN ({_listed(numbers)})",
            [study, row["id"]],
        )


def _update_study(
    connection: duckdb.DuckDBPyConnection, study_id: int, values: dict[str, Any]
) -> None:
    if not values:
        return
    # Through Arrow, since values are lists of structs.
    types = pa.schema([(name, arrow_type(STUDY.field(name))) for name in values])
    connection.register("new_values", pa.Table.from_pylist([values], schema=types))
    names = ", ".join(f'"{name}" = n."{name}"' for name in values)
    connection.execute(f"UPDATE study SET {names} FROM new_values n WHERE study.id = {study_id:d}")
    connection.unregister("new_values")
