"""The results of a search for people: by study, filtered and sorted, ticked off, and as a file."""

from dataclasses import dataclass
from typing import Any

import duckdb

from ..cells import BOM, line, safe
from ..records import FOUND
from ..store.database import rows
from . import node_search, rules

SORTS = {
    "line": "min(line)",
    "study_date": "max(study_date)",
    "study_description": "lower(max(study_description))",
    "objects": "sum(objects) FILTER (kept)",
}
REASONS = tuple(dict.fromkeys((*rules.KEPT, *rules.LEFT, *node_search.LEFT)))
# What was chosen and what became of it, as conditions. What has arrived can no longer be ticked
# off.
_MISSING = "(state = 'moved' AND coalesce(arrived < asked_for, false))"
# Not with IS DISTINCT FROM: with OR beside it, DuckDB 1.5 finds nothing if no line has a state.
OPEN = "(kept AND (coalesce(state, '') <> 'moved' OR coalesce(arrived < asked_for, false)))"
BECAME = {
    "open": f"({OPEN} AND chosen)",
    "off": f"({OPEN} AND NOT chosen)",
    "moved": "state = 'moved'",
    "failed": "state = 'failed'",
    "missing": _MISSING,
}
_REASON = "coalesce(reason, study_reason)"
_OBJECTS = "CASE WHEN images IS NULL THEN size ELSE len(images) END"
_TEXTS = (
    "lower(concat_ws(chr(10), study_description, series_description, station_name, "
    "study_instance_uid,"
    " series_instance_uid))"
)
_FROM = f'(SELECT *, {_OBJECTS} AS objects FROM "{FOUND.name}" WHERE task_id = $task)'
_OF_STUDY = (
    "study_instance_uid",
    "study_date",
    "study_description",
    "modalities",
    "looked_at_as",
    "study_reason",
    "told",
)
_OF_SERIES = ("line", "series_instance_uid", "modality", "series_description", "station_name", "size", "objects", "kept",
              "reason", "chosen", "state", "fault", "asked_for", "arrived", "imported")  # fmt: skip


@dataclass(frozen=True)
class Sieve:
    """Selects lines: all conditions given must hold.

    kept: what is retrieved, or what is left. text: a part of a description, a station name or a
    UID; case is ignored. became: a key of BECAME.
    """

    kept: bool | None = None
    modality: str | None = None
    reason: str | None = None
    text: str | None = None
    became: str | None = None

    def where(self, task_id: int) -> tuple[str, dict[str, Any]]:
        """Return a condition on _FROM, and its bound values."""
        conditions, bound = ["true"], {"task": task_id}
        for name, condition in (
            ("kept", "coalesce(kept, false) = $kept"),
            ("reason", f"{_REASON} = $reason"),
            (
                "modality",
                "CASE WHEN series_instance_uid IS NULL THEN list_contains(modalities, $modality)"
                " ELSE modality = $modality END",
            ),
            ("text", f"contains({_TEXTS}, lower($text))"),
        ):
            if getattr(self, name) is not None:
                conditions.append(condition)
                bound[name] = getattr(self, name)
        if self.became:
            conditions.append(BECAME[self.became])
        return " AND ".join(conditions), bound


def studies(
    connection: duckdb.DuckDBPyConnection,
    task_id: int,
    sieve: Sieve,
    sort: str,
    limit: int,
    offset: int,
) -> dict[str, Any]:
    """Return a page of studies, each with those of its series that match the sieve.

    The result also describes all that match: total, the number of studies; series; open, the number
    of series that can be ticked, and chosen, the number that are; and the modalities and reasons to
    filter by. sort: one of SORTS, descending with a "-" before it.
    """
    where, bound = sieve.where(task_id)
    [counts] = rows(
        connection.execute(
            f"""
        SELECT count(DISTINCT study_instance_uid) AS total, count(series_instance_uid) AS series,
            count(*) FILTER ({OPEN}) AS open, count(*) FILTER ({OPEN} AND chosen) AS chosen FROM
            {_FROM} WHERE {where}
    """,
            bound,
        )
    )
    name, direction = sort.removeprefix("-"), "DESC" if sort.startswith("-") else "ASC"
    uids = [
        uid
        for (uid,) in connection.execute(
            f"""
        SELECT study_instance_uid FROM {_FROM} WHERE {where} GROUP BY ALL
        ORDER BY {SORTS[name]} {direction} NULLS LAST, min(line) LIMIT {limit:d} OFFSET {offset:d}
    """,
            bound,
        ).fetchall()
    ]
    lines = rows(
        connection.execute(
            f"""
        SELECT {", ".join((*_OF_STUDY, *_OF_SERIES))}, images IS NOT NULL AS singly, {OPEN} AS open
        FROM {_FROM}
        WHERE {where} AND study_instance_uid IN (SELECT unnest($uids::VARCHAR[])) ORDER BY line
    """,
            bound | {"uids": uids},
        )
    )
    found: dict[str, dict[str, Any]] = {uid: {} for uid in uids}
    for one in lines:
        uid = one["study_instance_uid"]
        study = found[uid] = found[uid] or {name: one[name] for name in _OF_STUDY} | {"series": []}
        if one["series_instance_uid"]:
            study["series"].append({name: one[name] for name in (*_OF_SERIES, "singly", "open")})
    return counts | {"studies": list(found.values())} | _choices(connection, task_id, sieve.kept)


def _choices(
    connection: duckdb.DuckDBPyConnection, task_id: int, kept: bool | None
) -> dict[str, dict[str, int]]:
    """Return the modalities and reasons that occur, with the number of lines that have them.

    The most frequent come first.
    """
    where, bound = Sieve(kept).where(task_id)
    modalities = "CASE WHEN series_instance_uid IS NULL THEN modalities ELSE [modality] END"
    out = {}
    for name, each in (("modalities", f"unnest({modalities})"), ("reasons", _REASON)):
        query = (
            f"SELECT one, count(*) FROM (SELECT {each} AS one FROM {_FROM} WHERE {where}) "
            f"GROUP BY ALL ORDER BY 2 DESC, 1"
        )
        out[name] = {
            one: count for one, count in connection.execute(query, bound).fetchall() if one
        }
    return out


def overview(connection: duckdb.DuckDBPyConnection, task_id: int) -> dict[str, Any]:
    """Sum up what is chosen and has not arrived.

    series, studies, objects: their numbers, the last as far as the node states them; untold: number
    of series for which it does not. kept: number of series that carry dose; moved: number of these
    that have arrived. faults: the reasons of those that failed, with their frequency.
    """
    query = f"""
        SELECT count(*) AS series, count(DISTINCT study_instance_uid) AS studies,
        coalesce(sum(objects), 0)::BIGINT AS objects,
            count(*) FILTER (objects IS NULL) AS untold FROM {_FROM} WHERE {BECAME["open"]}
    """
    [chosen] = rows(connection.execute(query, {"task": task_id}))
    query = (
        f"SELECT count(*) FILTER (kept) AS kept, count(*) FILTER (state = 'moved') AS moved "
        f"FROM {_FROM}"
    )
    [of_all] = rows(connection.execute(query, {"task": task_id}))
    query = (
        f"SELECT coalesce(fault, ''), count(*) FROM {_FROM} WHERE state = 'failed' GROUP BY "
        f"ALL ORDER BY 2 DESC, 1"
    )
    return (
        chosen | of_all | {"faults": dict(connection.execute(query, {"task": task_id}).fetchall())}
    )


def choose(
    connection: duckdb.DuckDBPyConnection, task_id: int, these: Sieve | list[int], chosen: bool
) -> int:
    """Tick lines off, or on again, if they are kept and have not arrived; return their number.

    these: the lines, or a sieve that selects them.
    """
    if isinstance(these, Sieve):
        where, bound = these.where(task_id)
    else:
        where, bound = (
            "line IN (SELECT unnest($lines::BIGINT[]))",
            {"task": task_id, "lines": these},
        )
    query = (
        f'UPDATE "{FOUND.name}" SET chosen = $chosen WHERE task_id = $task AND {OPEN} AND {where}'
    )
    done = connection.execute(query, bound | {"chosen": chosen}).fetchone()
    return done[0] if done else 0


def decisions(connection: duckdb.DuckDBPyConnection, task_id: int, told: dict[str, str]) -> bytes:
    """Return everything that was found as CSV (RFC 4180, UTF-8 with a byte order mark).

    Columns are named as in the API, and the reasons are also given in words. told: each of REASONS
    in words.
    """
    texts = {
        *_OF_STUDY,
        "series_instance_uid",
        "modality",
        "series_description",
        "station_name",
        "reason",
        "state",
        "fault",
    }
    lists = {"modalities", "looked_at_as"}
    cells = {
        name: f"array_to_string({name}, ' ')" if name in lists else name
        for name in (*_OF_STUDY, *_OF_SERIES)
    }
    cells["reason_in_words"] = f"list_extract($words, list_position($reasons, {_REASON})::INTEGER)"
    texts.add("reason_in_words")
    sql = (
        safe(f"({cell})") if name in texts else f"CAST({cell} AS VARCHAR)"
        for name, cell in cells.items()
    )
    query = f"""
        SELECT concat({", ',', ".join(f"coalesce({one}, '')" for one in sql)}) FROM {_FROM} ORDER BY
        line
    """
    bound = {"task": task_id, "words": list(told.values()), "reasons": list(told)}
    found = connection.execute(query, bound)
    out = [BOM, line(cells)]
    while lines := found.fetchmany(10_000):
        out += ["".join(f"{one}\r\n" for (one,) in lines).encode("utf-8", "replace")]
    return b"".join(out)
