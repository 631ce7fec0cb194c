"""The patient's identity in studies, and bringing existing rows of studies to other rules.

The latter is for studies whose objects' content is gone.
"""

from collections.abc import Callable
from typing import Any

import duckdb

from ..dicom.concepts import ACCESSION_NUMBER
from ..records.study import UNDER_RULES
from . import feed, state
from .schema import OLD_BYTES

WAYS = ("none", "stored", "hashed", "sha256")
_LENGTHS = {"hashed": len("hmac-sha256:") + 64, "sha256": len("sha256:") + 64}
# How a study holds an item, distinguishing hashes from text as dicom.identity.is_hash does.
_WAY = f"""
    CASE WHEN {{0}} IS NULL THEN 'none'
    WHEN {{0}} LIKE 'hmac-sha256:%' AND length({{0}}) = {_LENGTHS["hashed"]} THEN 'hashed'
    WHEN {{0}} LIKE 'sha256:%' AND length({{0}}) = {_LENGTHS["sha256"]} THEN 'sha256' ELSE 'stored' END
"""
# A rule keeps a value, possibly changed, or drops it by returning None.
Keep = Callable[[str, str], str | None]


def ways(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, int]]:
    """Count the studies that hold each item in each way: by item, by WAYS."""
    out = {}
    for item in UNDER_RULES:
        query = f"SELECT {_WAY.format(item)} AS way, count(*) FROM study GROUP BY way"
        out[item] = dict.fromkeys(WAYS, 0) | dict(connection.execute(query).fetchall())
    return out


def has_old_bytes(connection: duckdb.DuckDBPyConnection) -> bool:
    """Return whether the store's file may hold bytes of what an older version kept."""
    return state.read_state(connection, OLD_BYTES) is not None


def can_change(rule: str, way: str) -> bool:
    """Return whether an item held in this way can be brought to a rule.

    Everything can be dropped, and what is stored can be hashed.
    """
    return way not in ("none", rule) and (rule == "none" or (way == "stored" and rule != "stored"))


def cannot_change(rule: str, way: str) -> bool:
    """Return whether the rule asks for what no longer exists.

    That is what was dropped, or the text behind a hash.
    """
    return way != rule and rule != "none" and way != "stored"


def to_change(
    connection: duckdb.DuckDBPyConnection, rules: dict[str, str], limit: int
) -> list[tuple[int, dict[str, str]]]:
    """Return up to `limit` studies holding items differently from the rules that can be changed.

    Each is given as its number and these items.
    """
    names = ", ".join(UNDER_RULES)
    condition = " OR ".join(
        f"({_WAY.format(item)}) = '{way}'"
        for item in UNDER_RULES
        for way in WAYS
        if can_change(rules[item], way)
    )
    query = (
        f"SELECT id, {names} FROM study WHERE {condition or 'false'} ORDER BY id LIMIT {limit:d}"
    )
    return [
        (row[0], dict(zip(UNDER_RULES, row[1:], strict=True)))
        for row in connection.execute(query).fetchall()
    ]


def _kept_numbers(
    connection: duckdb.DuckDBPyConnection, study: int, keep: Keep
) -> list[str] | None:
    """Return what the rule keeps of all accession numbers of a study."""
    query = "SELECT accession_numbers FROM study WHERE id = $1"
    numbers = (connection.execute(query, [study]).fetchone() or (None,))[0]
    kept = [keep("accession_number", number) for number in numbers or ()]
    return [number for number in kept if number is not None] or None


def change_identity(
    connection: duckdb.DuckDBPyConnection, studies: list[tuple[int, dict[str, str]]], keep: Keep
) -> None:
    """Bring these studies to the rules. keep: returns the value to hold, given item and value."""
    feed.mark_changed(
        connection, "changed", "SELECT unnest($1::BIGINT[])", [[number for number, _ in studies]]
    )
    for number, items in studies:
        held: dict[str, Any] = {
            item: None if value is None else keep(item, value) for item, value in items.items()
        }
        # A content item that was assigned to no field may hold the number as well.
        unused = ""
        if held["accession_number"] != items["accession_number"]:
            unused = (
                ", not_used = list_filter(not_used, x -> x.concept IS DISTINCT FROM "
                f"'{ACCESSION_NUMBER.key}')"
            )
        names = ", ".join(f"{item} = ${item}" for item in held)
        held["accession_numbers"] = _kept_numbers(connection, number, keep)
        names += ", accession_numbers = $accession_numbers"
        # Some systems write the patient's ID as the study's ID.
        own = "study_id = CASE WHEN study_id = $old THEN NULL ELSE study_id END"
        old = items["patient_id"] if held["patient_id"] != items["patient_id"] else None
        query = f"UPDATE study SET {names}, {own}{unused} WHERE id = $id"
        connection.execute(query, {**held, "id": number, "old": old})
