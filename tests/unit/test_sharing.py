"""Each irradiation counts once over all studies, whatever arrives first, and after studies are
deleted, re-extracted and merged. On a real store, by the worker's own code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from math import fsum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from orthanc_dose.charts import CHARTS, DEFAULTS, data_of
from orthanc_dose.export.selection import selected
from orthanc_dose.ingest import assembly, study_deletion
from orthanc_dose.query import filters, history, lists, overview
from orthanc_dose.samples import Study, ct_report, part10
from orthanc_dose.store import Store, Writer, feed, sharing
from tests.support import split
from tests.support.effort import examples
from tests.support.split import SPLITS
from tests.unit.test_arrival import arrive


def objects(datasets: list[Dataset]) -> list[tuple[str, str, bytes]]:
    return [(str(ds.SOPInstanceUID), str(ds.SOPClassUID), part10(ds)) for ds in datasets]


class House:
    def __init__(self, folder: Path) -> None:
        self.store = Store(folder)
        self.writer = Writer(self.store)

    def ask(self, query: str, *bound: Any) -> list[Any]:
        return self.writer.connection.execute(query, list(bound)).fetchall()

    def arrive(self, *datasets: Dataset) -> None:
        for number, one in enumerate(datasets, 1):
            arrive(self.writer, objects([one]), number)

    def numbers(self) -> dict[str, int]:
        return dict(self.ask("SELECT study_instance_uid, id FROM study"))

    def counting(self) -> dict[str, list[int]]:
        """The events that count in each study, by their numbers there, from 0."""
        out: dict[str, list[int]] = {
            uid: [] for (uid,) in self.ask("SELECT study_instance_uid FROM study")
        }
        query = """
            SELECT s.study_instance_uid, e.event_number - 1 FROM study s JOIN ct_event e ON
            e.study_id = s.id WHERE e.counted_in IS NULL ORDER BY ALL
        """
        for uid, number in self.ask(query):
            out[uid].append(number)
        return out

    def close(self) -> None:
        self.writer.close()
        self.store.close()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    out = House(tmp_path)
    yield out
    out.close()


def expected_events(name: str, there: set[int] | None = None) -> dict[str, list[int]]:
    return {
        split.study_uid(name, number): [list(part.events).index(index) for index in part.counts]
        for number, part in enumerate(SPLITS[name])
        if there is None or number in there
    }


def dlp_of(name: str) -> float:
    """The DLP of the examination: each irradiation that was written, once."""
    doses = [one.dlp for one in split.events(name)]
    return fsum(doses[index] or 0 for part in SPLITS[name] for index in part.counts)


@pytest.mark.parametrize("name", SPLITS)
def test_events_count_in_the_study_that_began_first(house: House, name: str) -> None:
    house.arrive(*split.ct(name))
    assert house.counting() == expected_events(name)
    rows = house.ask("SELECT study_instance_uid, not_counted, shared_with, marks FROM study")
    for uid, not_counted, shared_with, marks in rows:
        number = next(n for n in range(3) if split.study_uid(name, n) == uid)
        part, others = SPLITS[name][number], SPLITS[name]
        assert not_counted == (None if part.counts else "shared")
        same = {
            split.study_uid(name, n)
            for n, other in enumerate(others)
            if n != number
            and set(other.events) & set(part.events)
            and name not in ("another day", "ten minutes later", "at three times")
        }
        assert {one["study_instance_uid"] for one in shared_with or ()} == same
        assert ("same_irradiation" in {one["mark"] for one in marks}) == bool(same)


@pytest.mark.parametrize("name", ["another day", "ten minutes later", "at three times"])
def test_a_uid_at_several_times_is_marked(house: House, name: str) -> None:
    house.arrive(*split.ct(name))
    marks = house.ask("SELECT all_marks FROM study")
    assert all("event_uid_repeated" in found for (found,) in marks)
    first, last = (house.numbers()[split.study_uid(name, n)] for n in (0, len(SPLITS[name]) - 1))
    house.writer.commit(study_deletion.of_one(house.writer, last))
    rest = dict(house.ask("SELECT id, all_marks FROM study"))
    assert ("event_uid_repeated" in rest[first]) == (len(rest) > 2)


def sums(house: House) -> dict[str, float]:
    """The DLP of all studies, by whoever adds up."""
    connection = house.writer.connection
    chart = CHARTS["ct-dlp-study-description"]
    data = data_of(connection, chart, "bar", DEFAULTS, {})
    of_charts = fsum(row["mean"] * row["n"] for row in data.rows if row["mean"] is not None)
    with selected(house.store, "CT", {}, frozenset()) as chosen:
        of_export = chosen.connection.execute(
            "SELECT sum(dlp_total) FROM hit JOIN study USING (id)"
        ).fetchone()[0]
        of_events = chosen.connection.execute(
            "SELECT sum(dlp) FROM ct_event SEMI JOIN hit ON hit.id = study_id"
        ).fetchone()[0]
    condition, bound = filters.where(filters.counted({}))
    of_filter = connection.execute(
        f"SELECT sum(dlp_total) FROM study s WHERE {condition}", bound
    ).fetchone()[0]
    return {
        "charts": of_charts,
        "export": of_export,
        "events of the export": of_events,
        "filter": of_filter,
    }


@pytest.mark.parametrize("name", SPLITS)
def test_sums_count_each_irradiation_once(house: House, name: str) -> None:
    house.arrive(*split.ct(name))
    assert sums(house) == pytest.approx(dict.fromkeys(sums(house), dlp_of(name)))
    page = lists.page_of_studies(house.writer.connection, {}, "id", 10, 0, ())
    assert page["total"] == len(SPLITS[name])  # lists show all
    number = len([1 for part in SPLITS[name] if part.counts])
    [(studies, events)] = house.ask("SELECT sum(studies), sum(events) FROM study_day")
    counted = sum(len(part.counts) for part in SPLITS[name])
    assert (studies, events) == (number, counted)
    assert overview.counts(house.writer.connection)["events"] == counted


def test_a_history_counts_each_irradiation_once(house: House) -> None:
    house.arrive(*split.ct("a part"))
    house.ask("UPDATE study SET patient_id = 'P1'")
    one = house.numbers()[split.study_uid("a part", 1)]
    found = history.of_patient(house.writer.connection, one, None, None)
    assert found is not None and len(found["studies"]) == 2
    total = found["cumulated"][0]["totals"]["dlp_total"]
    assert total["value"] == pytest.approx(dlp_of("a part")) and total["studies"] == 2


def test_totals_of_a_part_are_those_of_its_own_events(house: House) -> None:
    """The accumulated container of the second report includes the events of the first study."""
    house.arrive(*split.ct("a part"))
    [(total, number, marks)] = house.ask(
        "SELECT dlp_total, number_of_events, all_marks FROM study WHERE study_instance_uid = ?",
        split.study_uid("a part", 1),
    )
    assert total == pytest.approx(split.events("a part")[4].dlp) and number == 1
    assert {"computed", "same_irradiation"} <= set(marks)


def test_a_split_examination_in_two_planes(house: House) -> None:
    house.arrive(*split.rf())
    rows = house.ask("""
        SELECT s.study_instance_uid, count(*), count(*) FILTER (counted_in IS NULL),
        sum(dap) FILTER (counted_in IS NULL), any_value(s.dap_total)
        FROM study s JOIN projection_event e ON e.study_id = s.id GROUP BY ALL ORDER BY 1
    """)
    assert [row[1:3] for row in rows] == [(3, 3), (2, 1)]
    assert rows[1][3] == pytest.approx(rows[1][4])


def test_an_administration_in_two_studies_counts_once(house: House) -> None:
    house.arrive(*split.nm())
    rows = house.ask(
        "SELECT not_counted, administered_activity_total FROM study ORDER BY study_time"
    )
    assert [row[0] for row in rows] == [None, "shared"]
    assert rows[0][1] == rows[1][1] == split.FDG_GIVEN.given.activity


def state(house: House) -> list[Any]:
    """What the store says of sharing, without the numbers of studies."""
    names = {number: uid for uid, number in house.numbers().items()}
    rows = house.ask("""
        SELECT study_instance_uid, not_counted, shared_with, dlp_total, number_of_events, all_marks
        FROM study ORDER BY 1
    """)
    out: list[Any] = []
    for uid, why, shared_with, *rest in rows:
        others = sorted(
            (names[one["study_id"]], one["study_instance_uid"], one["events"], one["counted_there"])
            for one in shared_with or ()
        )
        out.append((uid, why, others, *rest))
    query = "SELECT study_id, event_number, counted_in FROM ct_event"
    events = sorted(
        (names[study], number, names.get(other, "")) for study, number, other in house.ask(query)
    )
    index = house.ask("SELECT study_id, key FROM index_event_uid")
    kept = house.ask("SELECT study_id FROM totals_as_reported")
    return [out, events, sorted((names[study], key) for study, key in index),
            sorted(names[study] for (study,) in kept)]  # fmt: skip


@pytest.mark.parametrize("name", SPLITS)
@examples(3)
@given(data=st.data())
def test_the_order_in_which_studies_come_and_go_does_not_matter(
    name: str, data: st.DataObject
) -> None:
    every = objects(split.ct(name))
    numbers = range(len(every))
    order = data.draw(st.permutations(numbers))
    gone = data.draw(st.sets(st.sampled_from(numbers)))
    together = data.draw(st.booleans())
    with TemporaryDirectory() as one, TemporaryDirectory() as other:
        first, second = House(Path(one)), House(Path(other))
        if together:
            arrive(first.writer, [every[number] for number in order], 1)
        else:
            for change, number in enumerate(order, 1):
                arrive(first.writer, [every[number]], change)
        for number in gone:
            study = first.numbers()[split.study_uid(name, number)]
            first.writer.commit(study_deletion.of_one(first.writer, study))
        for number in numbers:
            if number not in gone:
                arrive(second.writer, [every[number]], number + 1)
        assert state(first) == state(second)
        uids = list(first.numbers())
        before = first.writer.rows_of_studies(uids)
        first.writer.commit(assembly.again(first.writer, uids))
        assert first.writer.rows_of_studies(uids) == before  # re-extraction changes nothing
        first.close()
        second.close()


def test_the_feed_tells_of_studies_whose_counting_changes(house: House) -> None:
    early, late = split.ct("all events")
    house.arrive(late)
    last = feed.newest(house.writer.connection)
    house.arrive(early)
    told = dict(house.ask("SELECT study_id, what FROM study_change WHERE number > ?", last))
    numbers = house.numbers()
    first, second = (numbers[split.study_uid("all events", n)] for n in (0, 1))
    assert told == {first: "made", second: "changed"}
    last = feed.newest(house.writer.connection)
    house.writer.commit(study_deletion.of_one(house.writer, first))
    told = dict(house.ask("SELECT study_id, what FROM study_change WHERE number > ?", last))
    assert told == {first: "removed", second: "changed"}
    assert house.counting()[split.study_uid("all events", 1)] == [0, 1, 2, 3]


def test_a_uid_that_a_maker_repeats_identifies_nothing(house: House) -> None:
    """All reports of a system have one UID, for examinations a few minutes apart."""
    made = [_with_one_uid(number) for number in range(6)]
    house.arrive(*made)
    assert {why for (why,) in house.ask("SELECT not_counted FROM study")} == {None}
    assert house.ask("SELECT count(*) FROM ct_event WHERE counted_in IS NOT NULL") == [(0,)]
    assert all(
        "event_uid_repeated" in found for (found,) in house.ask("SELECT all_marks FROM study")
    )


def _with_one_uid(number: int) -> Dataset:
    started = split.STARTED + timedelta(minutes=3 * number)
    spiral = replace(
        split.events("all events")[1], uid="1.2.840.1", started=started, ctdi=4.0 + number,
        dlp=100.0 + 30 * number,
    )  # fmt: skip
    study = Study(instance_uid=f"2.25.77{number}", started=started)
    return ct_report([spiral], study=study, key=f"constant|{number}")


def test_keys_of_a_migrated_index_are_those_of_the_writer(house: House) -> None:
    house.arrive(*split.ct("a part"))
    query = "SELECT * FROM index_event_uid ORDER BY ALL"
    written, before = house.ask(query), state(house)
    house.ask("UPDATE ct_event SET counted_in = NULL")
    sharing.fill(house.writer.connection)
    assert house.ask(query) == written and state(house) == before
