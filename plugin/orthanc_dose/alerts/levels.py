"""Looks up which reference levels apply to which texts, for rules that compare with levels."""

from collections.abc import Sequence
from typing import Any

import duckdb

from ..dicom.concepts import BODY_PHANTOM, HEAD_PHANTOM
from ..query import names, reference_levels
from ..records import INDEXED
from ..records.rows import ReferenceLevelRow
from .measure import Measure

PROTOCOLS = "acquisition_protocols"
_OF_STUDY = tuple(name for name in INDEXED if name != PROTOCOLS)
_PHANTOMS = {"head": HEAD_PHANTOM.value, "body": BODY_PHANTOM.value}
_COLUMNS = ("value", "age_from", "age_to", "weight_from", "weight_to")


def names_for(measure: Measure, wanted: Sequence[str]) -> tuple[str, ...]:
    """Return the fields whose texts decide which levels apply: those wanted, or else those that suit
    the measure: the protocol of an event, or the descriptions of a study."""
    return tuple(wanted) or ((PROTOCOLS,) if measure.has_protocol else _OF_STUDY)


def level_tables(
    connection: duckdb.DuckDBPyConnection,
    measure: Measure,
    modalities: Sequence[str],
    fields: Sequence[str],
) -> str | None:
    """Return two tables of a WITH clause: `level`, and `level_term`, the texts that each applies to.

    Returns None if no level applies to any text. Texts are numbers of `term`.
    """
    levels, pairs = [], []
    for modality in modalities:
        found = [
            level
            for level in reference_levels.compared(connection, modality, measure.filter.name)
            if not level["phantom"] or _has_phantom(measure)
        ]
        if not found:
            continue
        levels += found
        for field in fields:
            pairs += _pairs(connection, field, modality, found)
    if not pairs:
        return None
    return f"""
        level(level_id, modality, {", ".join(_COLUMNS)}, phantom) AS (
            VALUES {", ".join(map(_row, levels))}
        ),
        level_term(level_id, term) AS (VALUES {", ".join(pairs)})
    """


def _has_phantom(measure: Measure) -> bool:
    return measure.events is not None and measure.events.name == "ct_event"


def _pairs(
    connection: duckdb.DuckDBPyConnection,
    field: str,
    modality: str,
    levels: Sequence[ReferenceLevelRow],
) -> list[str]:
    named = {}
    if any(level["standard_name"] for level in levels):
        named = names.named_texts(connection, field, modality)
    terms = connection.execute("SELECT id, value FROM term WHERE field = $1", [field]).fetchall()
    return [
        f"({level['id']:d}, {number:d})"
        for number, text in terms
        for level in levels
        if reference_levels.is_for(level, text, named)
    ]


def _row(level: ReferenceLevelRow) -> str:
    numbers: dict[str, Any] = dict(level)
    values = [
        "NULL::DOUBLE" if numbers[name] is None else f"{float(numbers[name])!r}::DOUBLE"
        for name in _COLUMNS
    ]
    phantom = _PHANTOMS.get(level["phantom"] or "")
    quoted = "NULL::VARCHAR" if phantom is None else f"'{phantom}'"
    return f"({level['id']:d}, '{level['modality']}', {', '.join(values)}, {quoted})"


def columns(measure: Measure) -> tuple[str, ...]:
    """Return the columns of values that levels need."""
    return (
        "s.modality AS modality",
        "s.patient_age AS age",
        "s.patient_weight AS weight",
        f"{'t.acquisition_protocol' if measure.has_protocol else 'NULL::VARCHAR'} AS protocol",
        f"{'t.ctdiw_phantom_type.value' if _has_phantom(measure) else 'NULL::VARCHAR'} AS phantom",
    )


def leveled(values: str, measure: Measure, fields: Sequence[str], highest: bool) -> str:
    """Return the values to which a level applies, as SQL; `values` is the name of a table.

    They have the further columns level_id and level: the highest of the levels that apply, or the
    lowest. A level for a class of patients does not apply to those whose age or weight is unknown.
    """
    parts = []
    for field in fields:
        if field == PROTOCOLS and measure.has_protocol:
            parts.append(f"""
                SELECT v.study_id, v.event, lt.level_id FROM {values} v JOIN term te
                ON te.field = '{PROTOCOLS}' AND te.value = v.protocol
                JOIN level_term lt ON lt.term = te.id
            """)
        else:
            parts.append(f"""
                SELECT v.study_id, v.event, lt.level_id FROM {values} v
                JOIN "index_{field}" i ON i.study_id = v.study_id
                JOIN level_term lt ON lt.term = i.term
            """)
    best = "DESC" if highest else "ASC"
    return f"""
        SELECT v.*, l.level_id, l.value AS level FROM {values} v
        JOIN ({" UNION ".join(parts)}) p ON p.study_id = v.study_id AND p.event = v.event
        JOIN level l ON l.level_id = p.level_id AND l.modality = v.modality
        AND (l.age_from IS NULL OR v.age >= l.age_from) AND (l.age_to IS NULL OR v.age < l.age_to)
        AND (l.weight_from IS NULL OR v.weight >= l.weight_from)
        AND (l.weight_to IS NULL OR v.weight < l.weight_to)
        AND (l.phantom IS NULL OR v.phantom = l.phantom)
        QUALIFY row_number() OVER (
            PARTITION BY v.study_id, v.event ORDER BY l.value {best}, l.level_id
        ) = 1
    """
