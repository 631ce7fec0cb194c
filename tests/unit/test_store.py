"""The store: what is written is read back, all or nothing, and stores of other versions."""

from contextlib import closing
from datetime import date
from pathlib import Path

import duckdb
import pytest

from orthanc_dose import extract
from orthanc_dose.assemble import Part, put_together
from orthanc_dose.dicom import part10
from orthanc_dose.dicom.sop_classes import XRAY_DOSE_SR
from orthanc_dose.query import lists, overview, studies
from orthanc_dose.records import INDEXED, INDEXES, STUDY, TABLES, TERM
from orthanc_dose.samples import make_studies
from orthanc_dose.samples import part10 as as_bytes
from orthanc_dose.store import Batch, Store, StoreError, Writer
from tests.unit.test_handles import old_store


def batch_of(count: int, seed: int = 1) -> Batch:
    batch = Batch(state={"cursor": "7"})
    for number, study in enumerate(make_studies(count, seed=seed)):
        kept = extract.keep(part10.read_part10(as_bytes(study.datasets[0])))
        sop = str(study.datasets[0].SOPInstanceUID)
        records = put_together([Part(sop, extract.extract_object(kept, XRAY_DOSE_SR))])
        uid = records[0].study["study_instance_uid"]
        batch.studies[uid] = records
        batch.objects.append(
            {
                "handle": f"{seed}-{number}",
                "sop_instance_uid": sop,
                "study_instance_uid": uid,
                "outcome": "imported",
                "content": kept.pack()[0],
            }
        )
    return batch


@pytest.fixture
def store(tmp_path: Path):  # type: ignore[no-untyped-def]
    opened = Store(tmp_path)
    yield opened
    opened.close()


def count(store: Store, table: str) -> int:
    with store.reading() as connection:
        return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def given(value: object) -> object:
    """A value without what is not given in it: structs come back with all their fields, lists that
    hold nothing as none.
    """
    if isinstance(value, dict):
        return {name: given(part) for name, part in value.items() if given(part) is not None}
    return [given(part) for part in value] or None if isinstance(value, list) else value


def test_records_come_back_as_they_were_written(store: Store) -> None:
    batch = batch_of(24)
    Writer(store).commit(batch)
    with store.reading() as connection:
        for records in batch.studies.values():
            written = records[0]
            found = studies.study(connection, written.study["id"])
            assert found is not None
            for name in STUDY.names:
                if name in found and name != "stored_at":
                    assert given(found[name]) == given(written.study.get(name)), name
            assert len(found["events"]) == len(written.events)
            for row, event in zip(found["events"], written.events, strict=True):
                for name, value in event.items():
                    assert given(row[name]) == given(value), name
            assert found["equipment"]["manufacturer"] == written.equipment["manufacturer"]
            assert found["objects"][0]["outcome"] == "imported"
            assert (
                studies.kept_content(connection, written.study["id"])[0]["tree"]["concept"]
                == "DCM:113701"
            )


def test_a_study_that_is_written_again_keeps_its_number_and_is_there_once(store: Store) -> None:
    writer = Writer(store)
    writer.commit(batch_of(6))
    events = count(store, "ct_event") + count(store, "projection_event")
    with store.reading() as connection:
        before = connection.execute(
            "SELECT study_instance_uid, id FROM study ORDER BY 1"
        ).fetchall()
    writer.commit(batch_of(6))
    with store.reading() as connection:
        assert (
            connection.execute("SELECT study_instance_uid, id FROM study ORDER BY 1").fetchall()
            == before
        )
    assert count(store, "ct_event") + count(store, "projection_event") == events
    assert count(store, "object") == 6


def test_a_batch_that_cannot_be_written_leaves_nothing_behind(store: Store) -> None:
    writer = Writer(store)
    batch = batch_of(4)
    batch.objects[-1]["size"] = "not a number"
    with pytest.raises(Exception):  # noqa: B017  Arrow's error, whatever it is
        writer.commit(batch)
    assert [count(store, table.name) for table in TABLES if table.name != "state"] == [0] * (
        len(TABLES) - 1
    )
    assert writer.state("cursor") is None
    writer.commit(batch_of(4, seed=2))
    assert count(store, "study") == 4


def test_numbers_of_studies_are_not_given_twice_after_a_new_start(store: Store) -> None:
    Writer(store).commit(batch_of(3))
    with store.connection() as connection:
        connection.execute("DELETE FROM study WHERE id = 3")
    Writer(store).commit(batch_of(1, seed=9))
    with store.reading() as connection:
        assert [
            row[0] for row in connection.execute("SELECT id FROM study ORDER BY 1").fetchall()
        ] == [1, 2, 4]


def test_a_page_and_its_total_are_of_one_state(store: Store) -> None:
    writer = Writer(store)
    writer.commit(batch_of(4))
    with store.reading() as connection:
        first = lists.page_of_studies(connection, {}, "-study_date", 50, 0, ())
        writer.commit(batch_of(5, seed=3))
        assert lists.page_of_studies(connection, {}, "-study_date", 50, 0, ()) == first
    with store.reading() as connection:
        assert lists.page_of_studies(connection, {}, "-study_date", 2, 0, ())["total"] == 9


@pytest.mark.parametrize(
    "sort", ["study_date", "-dlp_total", "equipment_display_name", "-number_of_events"]
)
def test_pages_follow_each_other_without_gap_or_repetition(store: Store, sort: str) -> None:
    Writer(store).commit(batch_of(23))
    with store.reading() as connection:
        columns = lists.usual_columns(None)
        whole = lists.page_of_studies(connection, {}, sort, 100, 0, columns)["studies"]
        pages = [
            row
            for offset in range(0, 25, 5)
            for row in lists.page_of_studies(connection, {}, sort, 5, offset, columns)["studies"]
        ]
        assert [row["id"] for row in pages] == [row["id"] for row in whole]
        column = [row[sort.removeprefix("-")] for row in whole]
        given = [value for value in column if value is not None]
        assert given == sorted(given, reverse=sort.startswith("-")) and column[len(given) :] == [
            None
        ] * (len(column) - len(given))


def test_the_summary_counts_what_is_there(store: Store) -> None:
    Writer(store).commit(batch_of(20))
    with store.reading() as connection:
        by_modality = {
            row["modality"]: row for row in overview.summary(connection, date.today(), 7, 30)
        }
        held = overview.counts(connection)
    assert {code: row["studies"] for code, row in by_modality.items()} == {
        code: n for code, n in held["studies"].items() if n
    }
    assert sum(system["studies"] for row in by_modality.values() for system in row["systems"]) == 20
    assert held["events"] == sum(row["events"] for row in by_modality.values())


def test_a_store_of_a_later_version_is_refused(tmp_path: Path) -> None:
    Store(tmp_path).close()
    with duckdb.connect(str(tmp_path / "dose.duckdb")) as connection:
        connection.execute("UPDATE state SET value = '999' WHERE name = 'schema_version'")
    with pytest.raises(StoreError, match="later version"):
        Store(tmp_path)


def test_a_store_without_an_index_of_texts_gets_one(tmp_path: Path) -> None:
    first = Store(tmp_path)
    Writer(first).commit(batch_of(8))
    query = (
        "SELECT count(*) FROM (SELECT study_id, value FROM index_{0} i JOIN term t ON t.id = "
        "i.term AND t.field = '{0}')"
    )
    same = "SELECT study_id, value FROM index_{0} i JOIN term t ON t.id = i.term ORDER BY ALL"
    with first.reading() as connection:
        assert connection.execute(query.format("acquisition_protocols")).fetchone() > (8,)
        written = {name: connection.execute(same.format(name)).fetchall() for name in INDEXED}
    first.close()
    with duckdb.connect(str(tmp_path / "dose.duckdb")) as connection:
        for table in (*INDEXES, TERM):
            connection.execute(f'DROP TABLE "{table.name}"')
        connection.execute("UPDATE state SET value = '1' WHERE name = 'schema_version'")
    second = Store(tmp_path)
    with second.reading() as connection:
        assert {
            name: connection.execute(same.format(name)).fetchall() for name in INDEXED
        } == written
    writer = Writer(second)
    writer.commit(batch_of(8))  # the same studies again
    with second.reading() as connection:
        assert {
            name: connection.execute(same.format(name)).fetchall() for name in INDEXED
        } == written
    second.close()


def test_columns_that_a_new_data_dictionary_adds_are_added(tmp_path: Path) -> None:
    first = Store(tmp_path)
    Writer(first).commit(batch_of(2))
    first.close()
    with duckdb.connect(str(tmp_path / "dose.duckdb")) as connection:
        connection.execute("ALTER TABLE study DROP COLUMN comment")
    second = Store(tmp_path)
    with second.reading() as connection:
        assert connection.execute("SELECT count(*), count(comment) FROM study").fetchone() == (2, 0)
    second.close()


def test_columns_of_an_old_store_have_the_types_of_a_new_one(tmp_path: Path) -> None:
    """Columns are added by name. Of a field that is new within a list of structs DuckDB drops the
    values without a word as long as the column has the old type: such a change is a migration."""

    def types(folder: Path) -> dict[tuple[str, str], str]:
        with closing(Store(folder)) as store, store.reading() as connection:
            query = "SELECT table_name, column_name, data_type FROM duckdb_columns()"
            return {
                (table, column): kind
                for table, column, kind in connection.execute(query).fetchall()
            }

    old, new = tmp_path / "old", tmp_path / "new"
    for folder in (old, new):
        folder.mkdir()
    old_store(old)
    found, wanted = types(old), types(new)
    assert {key: found.get(key) for key, kind in wanted.items() if found.get(key) != kind} == {}


def test_a_damaged_file_is_an_error_with_the_path(tmp_path: Path) -> None:
    (tmp_path / "dose.duckdb").write_bytes(b"this is no database" * 1000)
    with pytest.raises(StoreError, match=r"dose\.duckdb"):
        Store(tmp_path)


def test_studies_a_day_are_those_of_the_store_whatever_is_written(store: Store) -> None:
    counted = (
        "SELECT modality, equipment_id, study_date, studies, events, last_time FROM "
        "study_day ORDER BY ALL"
    )
    fresh = """
        SELECT modality, equipment_id, study_date, count(*), sum(number_of_events)::BIGINT,
        max(study_time) FROM study
        WHERE not_patient_indicator IS NULL GROUP BY ALL ORDER BY ALL
    """
    writer = Writer(store)
    first, again = batch_of(12), batch_of(12)
    for number, records in enumerate(again.studies.values()):
        if number % 3 == 0:
            records[0].study["study_date"] = None if number else date(2030, 1, 1)
        if number % 3 == 1:
            records[0].study["not_patient_indicator"] = "name: *test*"
    for batch in (
        first,
        again,
        batch_of(5, seed=2),
        Batch(studies={uid: [] for uid in first.studies}),
    ):
        writer.commit(batch)
        with store.reading() as connection:
            assert connection.execute(counted).fetchall() == connection.execute(fresh).fetchall()
