"""Kinds of objects for the rules that delete objects from Orthanc after they were read.

The kind is derived from the object's row alone: its outcome, its class, and whether its content was
kept. An object has a kind only when it is finished: its dose is in the store, or it holds none.
Whatever may still be read later has no kind: objects that failed, that wait, or that a setting or a
person excludes; nor do kept physics studies.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import duckdb
import pyarrow as pa

from ..dicom.sop_classes import (
    CONE_BEAM_VOLUMES,
    CT_IMAGES,
    KEY_OBJECT_SELECTION,
    MAMMOGRAPHY_IMAGES,
    NUCLEAR_IMAGES,
    RADIOGRAPHY_IMAGES,
    REPORTS,
    SECONDARY_CAPTURES,
)

WAITS = "waits_for_study"  # the rule for CT images until their study is complete
SAME_SERIES = "same_series"  # the rule for images of a series of which another image was read
STUDY_DELETED = "study_deleted"  # the rule for objects whose dose record was deleted by a user
PHYSICS = "physics"  # the rule for kept physics studies
# Values of object.in_orthanc.
TO_DELETE, DELETED, REFUSED = "to delete", "deleted", "refused"

KINDS = {
    "reports": "Dose reports",
    "mammography": "Mammography images",
    "radiography": "Radiography images",
    "captures": "Dose screens",
    "nuclear": "PET and NM images",
    "unmatched": "Other objects",
}

# Ignored for now: a change of the settings, of the program or of a person's mind can still turn
# them into a dose record.
_MAY_BE_READ = frozenset(
    {WAITS, PHYSICS, "dose_screen", "screen_not_read", "taken_out", STUDY_DELETED}
)
_COUNTED = frozenset({"imported", "merged", "duplicate"})
_OF_CLASSES = {
    **dict.fromkeys(REPORTS, "reports"),
    **dict.fromkeys(MAMMOGRAPHY_IMAGES, "mammography"),
    **dict.fromkeys(RADIOGRAPHY_IMAGES | CONE_BEAM_VOLUMES, "radiography"),
    **dict.fromkeys(NUCLEAR_IMAGES, "nuclear"),
    **dict.fromkeys(CT_IMAGES, "unmatched"),
}
# Secondary captures with dose: dose screens belong to CT; some equipment also writes its X-ray
# images as captures.
_OF_CAPTURES = {"CT": "captures", "MG": "mammography", "DX": "radiography"}
# What determines the kind, as columns and as the SQL that yields them.
_TELLING = ("outcome", "rule", "sop_class_uid", "modality", "content_kept")
_COLUMNS = "outcome, rule, sop_class_uid, modality, content_digest IS NOT NULL AS content_kept"


def kind(row: Mapping[str, Any]) -> str | None:
    """Return the object's kind, a key of KINDS, or None if no rule may delete it.

    row: must have `content_kept` or `content_digest`.
    """
    kept = row["content_kept"] if "content_kept" in row else row.get("content_digest") is not None
    if row["outcome"] == "ignored":
        if row["rule"] in _MAY_BE_READ:
            return None
        return "nuclear" if row["rule"] == SAME_SERIES else "unmatched"
    if row["outcome"] not in _COUNTED or not kept:
        return None
    sop_class = row["sop_class_uid"] or ""
    if sop_class in SECONDARY_CAPTURES:
        return _OF_CAPTURES.get(row["modality"] or "")
    return _OF_CLASSES.get(sop_class)


def kind_by_class(sop_class_uid: str, reads_ct_images: bool) -> str | None:
    """Return the kind that an object of this class will have, where the class alone determines it.

    Such objects can be dropped before they are stored. Returns None for reports, for secondary
    captures, of which some hold dose and some do not, and for selections of objects, which may be
    rejection notes.
    """
    if sop_class_uid in CT_IMAGES and reads_ct_images:
        return None
    if sop_class_uid in REPORTS | SECONDARY_CAPTURES | {KEY_OBJECT_SELECTION}:
        return None
    return _OF_CLASSES.get(sop_class_uid, "unmatched") if sop_class_uid else None


def count_by_kind(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Count, by kind, the objects to which no rule was applied.

    These are the objects that Orthanc still has, as far as is known.
    """
    out = dict.fromkeys(KINDS, 0)
    for *telling, number in _groups(connection):
        of = kind(dict(zip(_TELLING, telling, strict=True)))
        if of is not None:
            out[of] += number
    return out


def of_kinds(
    connection: duckdb.DuckDBPyConnection, kinds: Iterable[str], after: str = ""
) -> list[str]:
    """Return the handles, sorted, of objects of these kinds that no rule was applied to.

    after: only handles after this one.
    """
    wanted = set(kinds)
    groups = [
        telling
        for *telling, _ in _groups(connection)
        if kind(dict(zip(_TELLING, telling, strict=True))) in wanted
    ]
    if not groups:
        return []
    chosen = {name: [group[place] for group in groups] for place, name in enumerate(_TELLING)}
    texts = pa.schema(
        [(name, pa.bool_() if name == "content_kept" else pa.string()) for name in _TELLING]
    )
    connection.register("chosen", pa.table(chosen, schema=texts))
    same = " AND ".join(f"o.{name} IS NOT DISTINCT FROM c.{name}" for name in _TELLING)
    query = f"""
        SELECT o.handle FROM (SELECT handle, {_COLUMNS} FROM object WHERE in_orthanc IS NULL
        AND handle > $1) o
        JOIN chosen c ON {same} ORDER BY 1
    """
    try:
        return [row[0] for row in connection.execute(query, [after]).fetchall()]
    finally:
        connection.unregister("chosen")


def _groups(connection: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
    query = f"SELECT {_COLUMNS}, count(*) FROM object WHERE in_orthanc IS NULL GROUP BY ALL"
    return connection.execute(query).fetchall()


def count_waiting(connection: duckdb.DuckDBPyConnection) -> int:
    """Return the number of objects that are to be deleted."""
    found = connection.execute(
        "SELECT count(*) FROM object WHERE in_orthanc = $1", [TO_DELETE]
    ).fetchone()
    return found[0] if found else 0


def waiting_for_deletion(
    connection: duckdb.DuckDBPyConnection, after: str, limit: int
) -> list[str]:
    """Return the handles of up to `limit` objects that are to be deleted, sorted, after `after`."""
    query = "SELECT handle FROM object WHERE in_orthanc = $1 AND handle > $2 ORDER BY 1 LIMIT $3"
    return [row[0] for row in connection.execute(query, [TO_DELETE, after, limit]).fetchall()]


def by_hand(
    connection: duckdb.DuckDBPyConnection,
    outcome: str | None = None,
    rule: str | None = None,
    uids: list[str] | None = None,
    after: str = "",
) -> list[str]:
    """Return the handles, sorted, of objects that people may delete.

    These are the objects with the given SOP Instance UIDs, or all with an outcome (failed,
    ignored), or all with one of its rules. Without a rule, ignored objects that may still be read
    are left out.
    """
    condition = "handle > $1 AND outcome IN ('failed', 'ignored')"
    bound: list[Any] = [after]
    if uids is not None:
        condition, bound = (
            f"{condition} AND sop_instance_uid IN (SELECT unnest($2))",
            [*bound, uids],
        )
    else:
        condition, bound = f"{condition} AND outcome = $2", [*bound, outcome]
        if rule is not None:
            condition, bound = f"{condition} AND rule = $3", [*bound, rule]
        else:
            condition, bound = (
                f"{condition} AND coalesce(rule, '') NOT IN (SELECT unnest($3))",
                [*bound, sorted(_MAY_BE_READ)],
            )
    query = (
        f"SELECT handle FROM object WHERE {condition} AND coalesce(rule, '') <> "
        f"'{PHYSICS}' ORDER BY 1"
    )
    return [row[0] for row in connection.execute(query, bound).fetchall()]


def set_in_orthanc(
    connection: duckdb.DuckDBPyConnection, state: str | None, ids: list[str], at: Any = None
) -> None:
    """Record what became of objects in Orthanc, in the transaction of the connection."""
    if ids:
        query = (
            "UPDATE object SET in_orthanc = $1, deleted_at = $2 WHERE handle IN (SELECT unnest($3))"
        )
        connection.execute(query, [state, at, ids])


def forget_objects(connection: duckdb.DuckDBPyConnection, ids: list[str]) -> int:
    """Forget those of these objects that failed or were ignored and are no longer in Orthanc.

    Returns their number.
    """
    query = """
        DELETE FROM object WHERE handle IN (SELECT unnest($1)) AND in_orthanc IN ($2, $3) AND
        outcome IN ('failed', 'ignored')
    """
    found = connection.execute(query, [ids, DELETED, REFUSED]).fetchone()
    return found[0] if found else 0


def count_dropped(connection: duckdb.DuckDBPyConnection, counts: dict[str, int], at: Any) -> None:
    """Add to the counts, by SOP class, of objects that were dropped before they were stored."""
    for sop_class, number in counts.items():
        query = "SELECT objects, first_at FROM dropped WHERE sop_class_uid = $1"
        objects, first_at = connection.execute(query, [sop_class]).fetchone() or (0, at)
        connection.execute("DELETE FROM dropped WHERE sop_class_uid = $1", [sop_class])
        connection.execute(
            "INSERT INTO dropped VALUES ($1, $2, $3, $4)",
            [sop_class, objects + number, first_at, at],
        )
