"""Lists of studies, filtered, sorted and paged; their number; and the neighbours of a study."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypedDict, cast

import duckdb

from ..extract.rows import value_of
from ..records import STUDY, STUDY_NAMES, TOTALS
from ..records.rows import EquipmentRow, StudyRow
from ..store.database import rows, rows_of
from ..store.places import PLACE
from . import estimates, filters, sizes

# What every row of a list has: what it is, when it was, and remarks on its values.
ALWAYS = (
    "id",
    "modality",
    "equipment_id",
    "study_instance_uid",
    "study_date",
    "study_time",
    "source",
    "marks",
    "not_patient_indicator",
    "not_counted",
    "shared_with",
)
_INNER = ("made_by",)  # for the store's own use
_DERIVED = tuple(field.name for field in STUDY.derived)
_USUAL = (
    "accession_number", "timezone_offset_from_utc", "study_description", "requested_procedure_description",
    "performed_procedure_step_description", "patient_age", "patient_sex", "equipment_display_name", "manufacturer",
    "manufacturer_model_name", "institution_name", "station_name",
)  # fmt: skip
# Columns of the system, by their names in lists.
SYSTEM = {
    "equipment_display_name": "display_name",
    "manufacturer": "manufacturer",
    "manufacturer_model_name": "manufacturer_model_name",
    "institution_name": "institution_name",
    "institutional_department_name": "institutional_department_name",
    "station_name": "station_name",
    "device_serial_number": "device_serial_number",
    "software_versions": "software_versions",
    "gantry_id": "gantry_id",
}
_SORTABLE_TYPES = frozenset({"number", "integer", "text", "uid", "date", "time", "datetime"})
_LISTABLE_TYPES = _SORTABLE_TYPES | {"code", "texts"}
SORTABLE = (
    *(
        field.name
        for field in STUDY.fields
        if field.type in _SORTABLE_TYPES and field.name not in _INNER
    ),
    *estimates.NAMES,
    *SYSTEM,
)


def columns_of(modality: str | None) -> tuple[str, ...]:
    """Return the names of the columns that a list can have, in addition to those of ALWAYS.

    modality: the modality type of the list; None for all.
    """
    of_study = (
        field.name
        for field in STUDY.fields
        if field.type in _LISTABLE_TYPES
        and field.name not in (*ALWAYS, *_INNER)
        and (not modality or not field.modalities or modality in field.modalities)
    )
    derived = (
        field.name
        for field in STUDY.derived
        if not modality or not field.modalities or modality in field.modalities
    )
    return (*of_study, *derived, *SYSTEM)


def usual_columns(modality: str | None) -> tuple[str, ...]:
    """Return the columns of a list if no others are requested.

    These distinguish studies, and give the totals.
    """
    totals = tuple(
        field.name
        for field in TOTALS
        if not modality or not field.modalities or modality in field.modalities
    )
    return (*_USUAL, *totals)


class ListedStudy(StudyRow, total=False):
    """A study in a list: the columns that were requested, which may include those of SYSTEM."""

    equipment_display_name: str | None
    manufacturer: str | None
    manufacturer_model_name: str | None
    institution_name: str | None
    institutional_department_name: str | None
    station_name: str | None
    device_serial_number: str | None
    software_versions: str | None
    gantry_id: str | None


class StudyPage(TypedDict):
    """A page of studies, and the number of all studies that the filters match."""

    total: int
    studies: list[ListedStudy]


class Neighbours(TypedDict):
    """The position of a study in a list, from 1, the length of the list, and the studies beside it.

    What does not exist is None.
    """

    position: int | None
    total: int
    previous: int | None
    next: int | None


@dataclass(frozen=True)
class Order:
    """The order of a list.

    Missing values come last in both directions; the study's number makes the order total.
    """

    name: str
    down: bool

    @classmethod
    def by(cls, sort: str) -> "Order":
        """Return the order by one of SORTABLE, descending with a "-" before it.

        Raises ValueError for any other name.
        """
        name = sort.removeprefix("-")
        if name not in SORTABLE:
            raise ValueError(f"not a column to sort by: {name}")
        return cls(name, sort.startswith("-"))

    @property
    def keys(self) -> tuple[str, ...]:
        """The sort keys, as expressions over the study `s`."""
        if self.name in SYSTEM:
            return (
                f"(SELECT e.{SYSTEM[self.name]} FROM equipment e WHERE e.id = s.equipment_id)",
                "s.id",
            )
        if self.name in estimates.NAMES:
            return (estimates.sql_of_study(self.name), "s.id")
        # The date alone leaves the studies of a day in no order.
        return (
            (f"s.{self.name}", "s.study_time", "s.id")
            if self.name == "study_date"
            else (f"s.{self.name}", "s.id")
        )

    def clause(self, keys: tuple[str, ...], turned: bool = False) -> str:
        """Return the ORDER BY list over these keys; `turned` reverses it."""
        direction = "DESC" if self.down != turned else "ASC"
        return ", ".join(f"{key} {direction} NULLS {'FIRST' if turned else 'LAST'}" for key in keys)


def page_of_studies(
    connection: duckdb.DuckDBPyConnection,
    values: dict[str, Any],
    sort: str,
    limit: int,
    offset: int,
    columns: tuple[str, ...],
) -> StudyPage:
    """Return a page of studies, and the number of all studies that the filters match.

    values: of the filters' parameters, by name; columns: some of `columns_of`.
    """
    condition, bound = filters.where(values)
    order = Order.by(sort)
    # The studies are found with the few columns that this needs; the other columns are read for the
    # page alone.
    total, places = (_looked_up if "SELECT" in condition else _scanned)(
        connection, condition, bound, order, limit, offset
    )
    return {"total": total, "studies": _rows(connection, places, columns)}


def _scanned(
    connection: duckdb.DuckDBPyConnection,
    condition: str,
    bound: dict[str, Any],
    order: Order,
    limit: int,
    offset: int,
) -> tuple[int, list[int]]:
    """Return the number of rows, and the places of those on a page.

    For conditions on the study alone: scanning twice is faster than keeping what was found.
    """
    ordered = f"ORDER BY {order.clause(order.keys)} LIMIT {limit:d} OFFSET {offset:d}"
    query = f"SELECT s.{PLACE} FROM study s WHERE {condition} {ordered}"
    places = [place for (place,) in connection.execute(query, bound).fetchall()]
    found = connection.execute(f"SELECT count(*) FROM study s WHERE {condition}", bound).fetchone()
    return found[0] if found else 0, places


def _looked_up(
    connection: duckdb.DuckDBPyConnection,
    condition: str,
    bound: dict[str, Any],
    order: Order,
    limit: int,
    offset: int,
) -> tuple[int, list[int]]:
    """Return the same for conditions that look into other tables, which is done once."""
    query = f"""
        WITH hit AS MATERIALIZED (SELECT s.{PLACE} AS place, {_numbered(order.keys)} FROM study s
        WHERE {condition})
        SELECT (SELECT count(*) FROM hit), place FROM (SELECT 1) LEFT JOIN
        (SELECT place, row_number() OVER () AS n FROM (SELECT place FROM hit ORDER BY
        {order.clause(_names(order.keys))}
         LIMIT {limit:d} OFFSET {offset:d})) ON true ORDER BY n
    """
    found = connection.execute(query, bound).fetchall()
    return found[0][0], [place for _, place in found if place is not None]


def _numbered(keys: tuple[str, ...]) -> str:
    return ", ".join(f"{key} AS k{number}" for number, key in enumerate(keys))


def _names(keys: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"k{number}" for number in range(len(keys)))


def _rows(
    connection: duckdb.DuckDBPyConnection, places: list[int], columns: tuple[str, ...]
) -> list[ListedStudy]:
    """Return the rows at these places of the table, in this order."""
    if not places:
        return []
    wanted = dict.fromkeys((*ALWAYS, *columns))
    of_study = ", ".join(
        f"s.{name}" for name in {**wanted, **sizes.FROM} if name not in (*SYSTEM, *_DERIVED)
    )
    # With a subquery, DuckDB goes to these rows; with a plain list it would read the columns of all
    # rows. They are given as text, since binding a list costs 0.2 ms per number.
    listed = ", ".join(map(str, places))
    query = (
        f"SELECT s.{PLACE} AS place, {of_study} FROM study s WHERE s.{PLACE} IN (SELECT "
        f"unnest([{listed}]))"
    )
    read = {row.pop("place"): row for row in rows(connection.execute(query))}
    found = {place: cast("StudyRow", row) for place, row in read.items()}
    if "standard_names" in wanted:
        names = standard_names(connection, [row["id"] for row in found.values()])
        for row in found.values():
            row["standard_names"] = names.get(row["id"], [])
    if not wanted.keys().isdisjoint(estimates.NAMES):
        estimated = estimates.values_of_studies(connection, [row["id"] for row in found.values()])
        for row in found.values():
            row.update(cast("StudyRow", estimated.get(row["id"], {})))
    for row in found.values():
        sizes.mark_imported_sizes(row)
    systems: dict[int, EquipmentRow] = {}
    if not wanted.keys().isdisjoint(SYSTEM):
        every = rows_of(connection.execute("SELECT * FROM equipment"), EquipmentRow)
        systems = {row["id"]: row for row in every}
    return [
        _listed(found[place], systems.get(found[place]["equipment_id"], {}), wanted)
        for place in places
    ]


def _listed(study: StudyRow, system: EquipmentRow, wanted: Iterable[str]) -> ListedStudy:
    """Return these columns of a study and its system."""
    listed = {
        name: value_of(system, SYSTEM[name]) if name in SYSTEM else value_of(study, name)
        for name in wanted
    }
    return cast("ListedStudy", listed)


def chosen(
    connection: duckdb.DuckDBPyConnection, condition: str, bound: dict[str, Any], sort: str
) -> list[ListedStudy]:
    """Return all studies `s` that meet a condition, in an order, with the usual columns."""
    order = Order.by(sort)
    query = f"SELECT s.{PLACE} FROM study s WHERE {condition} ORDER BY {order.clause(order.keys)}"
    places = [place for (place,) in connection.execute(query, bound).fetchall()]
    return _rows(connection, places, usual_columns(None))


def standard_names(connection: duckdb.DuckDBPyConnection, ids: list[int]) -> dict[int, list[str]]:
    """Return the standard names of those of these studies that have any, each name once."""
    listed = ", ".join(map(str, ids))  # as text: binding a list costs 0.2 ms per number
    query = f"""
        SELECT study_id, list(DISTINCT standard_name ORDER BY standard_name) FROM {STUDY_NAMES}
        WHERE study_id IN (SELECT unnest([{listed}]::BIGINT[])) GROUP BY study_id
    """
    return dict(connection.execute(query).fetchall())


def count_studies(connection: duckdb.DuckDBPyConnection, values: dict[str, Any]) -> int:
    """Return the number of studies that the filters match."""
    condition, bound = filters.where(values)
    found = connection.execute(f"SELECT count(*) FROM study s WHERE {condition}", bound).fetchone()
    return found[0] if found else 0


def neighbours(
    connection: duckdb.DuckDBPyConnection, study_id: int, values: dict[str, Any], sort: str
) -> Neighbours:
    """Return the position of a study in a list, and the studies before and after it."""
    condition, bound = filters.where(values)
    order = Order.by(sort)
    names = _names(order.keys)
    hit = (
        f"hit AS MATERIALIZED (SELECT s.id, {_numbered(order.keys)} FROM study s WHERE {condition})"
    )
    query = f"WITH {hit} SELECT {', '.join(names)} FROM hit WHERE id = $own"
    own = connection.execute(query, bound | {"own": study_id}).fetchone()
    if own is None:
        return {
            "position": None,
            "total": count_studies(connection, values),
            "previous": None,
            "next": None,
        }
    bound |= {f"own{number}": key for number, key in enumerate(own) if key is not None}
    before, after = _beside(order, own, before=True), _beside(order, own, before=False)
    query = f"""
        WITH {hit} SELECT (SELECT count(*) FROM hit), (SELECT count(*) FROM hit WHERE {before}),
        (SELECT id FROM hit WHERE {before} ORDER BY {order.clause(names, turned=True)} LIMIT 1),
        (SELECT id FROM hit WHERE {after} ORDER BY {order.clause(names)} LIMIT 1)
    """
    [(total, earlier, previous, following)] = connection.execute(query, bound).fetchall()
    return {"position": earlier + 1, "total": total, "previous": previous, "next": following}


def _beside(order: Order, own: tuple[Any, ...], before: bool) -> str:
    """Return the SQL saying that a row comes before, or after, the one with keys own0, own1, …

    The first key that differs decides.
    """
    ways: list[str] = []
    alike: list[str] = []
    for number, key in enumerate(own):
        name, bound = f"k{number}", f"$own{number}"
        if key is None:
            differs, same = (f"{name} IS NOT NULL" if before else "false"), f"{name} IS NULL"
        else:
            sign = "<" if before != order.down else ">"
            differs, same = (
                f"{name} {sign} {bound}" + ("" if before else f" OR {name} IS NULL"),
                f"{name} = {bound}",
            )
        ways.append(" AND ".join((*alike, f"({differs})")))
        alike.append(same)
    return "(" + " OR ".join(ways) + ")"
