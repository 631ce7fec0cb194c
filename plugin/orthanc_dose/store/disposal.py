"""Which kind an object is to the rules that delete objects from Orthanc after they were read, and
which objects those are.

A kind is told from the object's row alone: what became of it, its class, whether its content was
kept. An object is of a kind only when it is done with: its dose is in the store, or it holds none.
What may still be read later is of none: objects that failed, that wait, that a setting or a person
leaves alone; nor are kept physics studies."""

from collections.abc import Iterable, Mapping
from typing import Any

import duckdb
import pyarrow as pa

from ..dicom.sop_classes import (
    CT_IMAGE,
    MAMMOGRAPHY_IMAGES,
    NUCLEAR_IMAGES,
    RADIOGRAPHY_IMAGES,
    REPORTS,
    SECONDARY_CAPTURES,
)

WAITS = "waits_for_study"  # the rule of CT images until their study is complete
SAME_SERIES = "same_series"  # the rule of images of a series of which another one was read
STUDY_DELETED = "study_deleted"  # the rule of objects whose dose record a user deleted
PHYSICS = "physics"  # the rule of kept physics studies
# Of object.in_orthanc.
TO_DELETE, DELETED, REFUSED = "to delete", "deleted", "refused"

KINDS = {
    "reports": "Dose reports",
    "mammography": "Mammography images",
    "radiography": "Radiography images",
    "captures": "Dose screens",
    "nuclear": "PET and NM images",
    "unmatched": "Other objects",
}

# Ignored for now: a change of the settings, of the program or of a person's mind can make a dose
# record of them yet.
_MAY_BE_READ = frozenset(
    {WAITS, PHYSICS, "dose_screen", "screen_not_read", "taken_out", STUDY_DELETED}
)
_COUNTED = frozenset({"imported", "merged", "duplicate"})
_OF_CLASSES = {
    **dict.fromkeys(REPORTS, "reports"),
    **dict.fromkeys(MAMMOGRAPHY_IMAGES, "mammography"),
    **dict.fromkeys(RADIOGRAPHY_IMAGES, "radiography"),
    **dict.fromkeys(NUCLEAR_IMAGES, "nuclear"),
    CT_IMAGE: "unmatched",
}
# Secondary captures with dose: dose screens are of CT; some equipment writes its X-ray images as
# captures, too.
_OF_CAPTURES = {"CT": "captures", "MG": "mammography", "DX": "radiography"}
# What tells the kind, as columns and as SQL that gives them.
_TELLING = ("outcome", "rule", "sop_class_uid", "modality", "content_kept")
_COLUMNS = "outcome, rule, sop_class_uid, modality, content_digest IS NOT NULL AS content_kept"


def kind(row: Mapping[str, Any]) -> str | None:
    """The object's kind, a key of KINDS; None where no rule may delete it. row: with `content_kept`
    or `content_digest`.
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
    """The kind that an object of this class will be of, where the class alone tells it: what can be
    dropped before it is stored. None for reports, and for secondary captures, of which some hold
    dose and some do not."""
    if sop_class_uid == CT_IMAGE and reads_ct_images:
        return None
    if sop_class_uid in REPORTS | SECONDARY_CAPTURES:
        return None
    return _OF_CLASSES.get(sop_class_uid, "unmatched") if sop_class_uid else None


def count(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """How many objects of each kind no rule was applied to: those that Orthanc still has, as far as
    is known.
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
    """Those objects of some kinds, by handle, in order, from the one after this."""
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
    """How many objects are to be deleted."""
    found = connection.execute(
        "SELECT count(*) FROM object WHERE in_orthanc = $1", [TO_DELETE]
    ).fetchone()
    return found[0] if found else 0


def waiting(connection: duckdb.DuckDBPyConnection, after: str, limit: int) -> list[str]:
    """A page of the objects that are to be deleted, by handle, in order, from the
    one after this.
    """
    query = "SELECT handle FROM object WHERE in_orthanc = $1 AND handle > $2 ORDER BY 1 LIMIT $3"
    return [row[0] for row in connection.execute(query, [TO_DELETE, after, limit]).fetchall()]


def by_hand(
    connection: duckdb.DuckDBPyConnection,
    outcome: str | None = None,
    rule: str | None = None,
    uids: list[str] | None = None,
    after: str = "",
) -> list[str]:
    """Objects that people may delete, by handle, in order: those of SOP Instance
    UIDs, or all of an outcome (failed, ignored), or of one of its rules. Without a rule, ignored
    objects that may still be read are left out."""
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
    """Note of objects what became of them in Orthanc, in the transaction of the connection."""
    if ids:
        query = (
            "UPDATE object SET in_orthanc = $1, deleted_at = $2 WHERE handle IN (SELECT unnest($3))"
        )
        connection.execute(query, [state, at, ids])


def forget(connection: duckdb.DuckDBPyConnection, ids: list[str]) -> int:
    """Forget those of these objects that are failed or ignored and not in Orthanc any more; how
    many there were.
    """
    query = """
        DELETE FROM object WHERE handle IN (SELECT unnest($1)) AND in_orthanc IN ($2, $3) AND
        outcome IN ('failed', 'ignored')
    """
    found = connection.execute(query, [ids, DELETED, REFUSED]).fetchone()
    return found[0] if found else 0


def count_dropped(connection: duckdb.DuckDBPyConnection, counts: dict[str, int], at: Any) -> None:
    """Add to how many objects of which SOP classes were dropped before they were stored."""
    for sop_class, number in counts.items():
        query = "SELECT objects, first_at FROM dropped WHERE sop_class_uid = $1"
        objects, first_at = connection.execute(query, [sop_class]).fetchone() or (0, at)
        connection.execute("DELETE FROM dropped WHERE sop_class_uid = $1", [sop_class])
        connection.execute(
            "INSERT INTO dropped VALUES ($1, $2, $3, $4)",
            [sop_class, objects + number, first_at, at],
        )
