"""Studies that a node has but the store lacks, and why: the gaps that a search reveals."""

from collections import Counter
from typing import Any

import duckdb
import pyarrow as pa

from ..records import FOUND
from .arrival import IMPORTED

# Why the store has nothing of a study; pages put it in words.
WHY = {
    "rule": "a rule skips it",
    "ticked_off": "a search selected it, and a user deselected it",
    "failed": "it could not be fetched, or the node refused to list its contents",
    "not_arrived": "the node reported that it sent it, but it did not arrive",
    "not_imported": "it arrived, but contained no dose data",
    "not_fetched": "an earlier search found it, and it was never fetched",
    "never_asked": "no earlier search found it",
}
# If the series of a study have several reasons, the first of these is reported.
_TELLING = (
    "objects_not_listed",
    "no_dose_report",
    "station_name",
    "no_report",
    "no_image_of_dose",
    "report_says_it",
)


def gaps(
    connection: duckdb.DuckDBPyConnection, task_id: int, why: str | None, limit: int, offset: int
) -> dict[str, Any]:
    """Return a page of the gaps of a search, in its order, with the number of all gaps by reason.

    why: only gaps for this reason; `total` then counts these. The results of other searches for a
    study count as well, whichever node they queried.
    """
    found = connection.execute(_QUERY, {"task": task_id}).to_arrow_table()
    reasons = found.column("why").to_pylist()
    counts = Counter(reasons)
    chosen = [place for place, one in enumerate(reasons) if why in (None, one)]
    page = found.take(pa.array(chosen[offset : offset + limit], pa.int64())).to_pylist()
    return {
        "total": len(chosen),
        "why": {name: counts[name] for name in WHY if counts[name]},
        "gaps": page,
    }


def counted(connection: duckdb.DuckDBPyConnection, task_id: int) -> dict[str, int]:
    """Count the gaps that a search reveals, by reason."""
    why: dict[str, int] = gaps(connection, task_id, None, 0, 0)["why"]
    return why


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"'{name}'" for name in names)


# verdict: what each search that encountered a study says of it. The strongest counts, and of
# several the newest: what was done (1); that this search excludes it (2); that an earlier one does
# (3); that an earlier one kept it, and nothing was done (4).
_QUERY = f"""
    WITH gap AS (
        SELECT study_instance_uid, min(line) AS line, any_value(study_date) AS study_date,
            any_value(study_description) AS study_description, any_value(modalities) AS modalities
        FROM "{FOUND.name}" WHERE task_id = $task AND study_instance_uid NOT IN (
            SELECT study_instance_uid FROM object WHERE study_instance_uid IS NOT NULL AND outcome
            IN ({_listed(IMPORTED)})
        ) GROUP BY study_instance_uid
    ), lines AS (
        SELECT *, if(len(images) > 0, images, listed) AS uids FROM "{FOUND.name}" SEMI JOIN gap
        USING (study_instance_uid)
    ), wanted AS (
        SELECT study_instance_uid, unnest(uids) AS sop_instance_uid FROM lines WHERE kept
    ), any_object AS (
        SELECT DISTINCT study_instance_uid FROM lines
        WHERE (task_id = $task AND reason = 'known') OR (state = 'moved' AND coalesce(len(uids), 0)
        = 0)
    ), came AS (
        SELECT study_instance_uid, arg_min(outcome, (outcome <> 'failed', -epoch(processed_at))) AS
        outcome,
            arg_min(coalesce(reason, ''), (outcome <> 'failed', -epoch(processed_at))) AS said
        FROM object WHERE (study_instance_uid, sop_instance_uid) IN (SELECT study_instance_uid,
        sop_instance_uid FROM wanted)
            OR study_instance_uid IN (SELECT study_instance_uid FROM any_object)
        GROUP BY study_instance_uid
    ), sent AS (
        SELECT study_instance_uid, max(task_id) AS search FROM lines WHERE state = 'moved' GROUP BY
        study_instance_uid
    ), told AS (
        SELECT study_instance_uid, task_id, coalesce(bool_or(kept), false) AS is_kept,
            coalesce(bool_or(reason = 'known'), false) AS was_known,
            coalesce(bool_or(chosen AND state = 'failed'), false) AS has_failed,
            coalesce(bool_or(chosen AND state = 'moved'), false) AS was_sent, coalesce(max(arrived),
            0) > 0 AS had_arrived,
            coalesce(bool_or(kept AND NOT chosen), false) AS is_ticked_off,
            any_value(fault) FILTER (chosen AND state = 'failed') AS fault, any_value(told) AS told,
            any_value(study_reason) AS study_reason,
            arg_min(reason, list_position([{_listed(_TELLING)}], reason)) AS series_reason
        FROM lines GROUP BY study_instance_uid, task_id
    ), verdict AS (
        SELECT study_instance_uid, task_id, CASE
                WHEN has_failed THEN 'failed'
                WHEN was_sent THEN if(had_arrived, 'not_imported', 'not_arrived')
                WHEN is_ticked_off THEN 'ticked_off'
                WHEN is_kept OR was_known THEN 'not_fetched'
                WHEN study_reason = 'refused' THEN 'failed'
                ELSE 'rule' END AS why,
            CASE WHEN has_failed OR was_sent OR is_ticked_off THEN 1
                WHEN is_kept OR was_known THEN 4
                WHEN task_id = $task THEN 2 ELSE 3 END AS rank,
            if(is_kept OR was_known, NULL, if(study_reason = 'nothing_to_fetch',
            coalesce(series_reason, study_reason),
                study_reason)) AS reason,
            if(has_failed, fault, if(is_kept, NULL, told)) AS fault
        FROM told
    ), strongest AS (
        SELECT * FROM verdict WHERE rank <= 2 OR task_id < $task
        QUALIFY row_number() OVER (PARTITION BY study_instance_uid ORDER BY rank, task_id DESC) = 1
    )
    SELECT gap.study_instance_uid, study_date, study_description, modalities,
        if(came.outcome IS NULL, coalesce(why, 'never_asked'), 'not_imported') AS why,
        if(came.outcome IS NULL, reason, came.outcome) AS reason,
        if(came.outcome IS NULL, fault, nullif(came.said, '')) AS fault,
        if(came.outcome IS NULL, if(rank = 2, NULL, task_id), sent.search) AS search
    FROM gap LEFT JOIN came USING (study_instance_uid) LEFT JOIN sent USING (study_instance_uid)
        LEFT JOIN strongest USING (study_instance_uid)
    ORDER BY gap.line
"""
