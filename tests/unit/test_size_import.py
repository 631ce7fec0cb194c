"""Importing heights and weights: what becomes of each line, held against the same rules in plain
Python; and that they stay.
"""

import hashlib
import hmac
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orthanc_dose.ingest import size_import as module
from orthanc_dose.ingest.size_import import SizeImport
from orthanc_dose.query import lists, studies
from orthanc_dose.query import tasks as task_queries
from orthanc_dose.records import STUDY
from orthanc_dose.sizes import matching, table
from orthanc_dose.sizes.files import KEPT_S, KIND, SizeFiles
from orthanc_dose.store import Batch, Store, Writer, tasks
from orthanc_dose.store.schema import arrow_schema
from orthanc_dose.work.owner import Owner
from orthanc_dose.work.steps import Steps
from tests.support.effort import examples
from tests.unit.test_store import batch_of

CHOICE = {
    "identifier": 0,
    "height": 1,
    "weight": 2,
    "kind": "accession-number",
    "height_unit": "cm",
    "weight_unit": "kg",
    "overwrite": False,
    "dry_run": False,
}
KEY = b"the key of these tests"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def uploads(tmp_path: Path, store: Store) -> SizeFiles:
    return SizeFiles(tmp_path, store)


class Importer:
    """Imports files into a store, task by task, as the worker does."""

    def __init__(self, store: Store, uploads: SizeFiles) -> None:
        self.store, self.uploads = store, uploads
        self.writer = Writer(store)
        self.worker = Steps(
            {KIND: lambda task: SizeImport(task, uploads, KEY)}, Owner.of_this_process(store)
        )

    def start(self, lines: list[str], **choice: Any) -> int:
        body = "\n".join(["accession;height;weight", *lines]).encode()
        file = self.uploads.add(body, "somebody")
        parameters = CHOICE | choice | {"file": file.number}
        task = self.uploads.start_import(
            file, lambda: tasks.create(self.store, KIND, "somebody", str(file.number), parameters)
        )
        assert task is not None
        self.worker.look_for_task()
        return task

    def run(self, lines: list[str], **choice: Any) -> list[tuple[int, str, int | None, str | None]]:
        """The log of an import: line, outcome, study, message."""
        task = self.start(lines, **choice)
        while self.worker.step_oldest_task(self.writer):
            pass
        return self.log(task)

    def log(self, task: int) -> list[tuple[int, str, int | None, str | None]]:
        with self.store.reading() as connection:
            found = task_queries.find_task(connection, task)
            assert found is not None and found["state"] == "done", found
            page = task_queries.task_log_page(connection, task, None, 100_000, 0)
            counts = {name: count for name, count in found["result"].items() if count}
            assert counts == page["outcomes"]
            return [
                (row["line"], row["outcome"], row["study_id"], row["message"])
                for row in page["lines"]
            ]

    def add(self, *records: dict[str, Any]) -> None:
        """Records of studies, without objects."""
        rows = pa.Table.from_pylist(list(records), schema=arrow_schema(STUDY))
        self.writer.connection.register("new", rows)
        self.writer.connection.execute("INSERT INTO study BY NAME SELECT * FROM new")
        self.writer.connection.unregister("new")

    def sizes(self) -> dict[int, tuple[float | None, float | None, str | None, str | None]]:
        query = (
            "SELECT id, patient_size, patient_weight, patient_size_from, patient_weight_from "
            "FROM study ORDER BY id"
        )
        return {
            number: tuple(rest)
            for number, *rest in self.writer.connection.execute(query).fetchall()
        }


@pytest.fixture
def importer(store: Store, uploads: SizeFiles) -> Importer:
    return Importer(store, uploads)


def record(
    number: int,
    accession: str | None,
    height: float | None = None,
    weight: float | None = None,
    uid: str = "",
) -> dict[str, Any]:
    return {
        "id": number,
        "modality": "CT",
        "study_instance_uid": uid or f"1.2.{number}",
        "accession_number": accession,
        "patient_size": height,
        "patient_weight": weight,
    }


def test_each_outcome(importer: Importer) -> None:
    importer.add(
        record(1, "A"), record(2, "B", 1.8, 80), record(3, "C", 1.6), record(4, "D"), record(5, "D")
    )
    log = importer.run(["A;170;70", "B;180;80", "B;180;", "C;170;60", "D;175;", "X;150;50", ";150;50", "A2;;", "A;0,5;1,2,3",
                        "A;170;70"])  # fmt: skip
    assert log == [
        (2, "inserted", 1, "height inserted; weight inserted"),
        (3, "there already", 2, "height there already; weight there already"),
        (4, "there already", 2, "height there already"),
        (5, "inserted", 3, "height other value kept; weight inserted"),
        (6, "inserted", 4, "height inserted"),
        (6, "inserted", 5, "height inserted"),
        (7, "no study", None, None),
        (8, "bad value", None, "no identifier"),
        (9, "bad value", None, "no height and no weight"),
        (10, "bad value", None, "the height is implausible; the weight is not a number"),
        (11, "there already", 1, "height there already; weight there already"),
    ]
    assert importer.sizes() == {
        1: (1.7, 70, "import", "import"),
        2: (1.8, 80, None, None),
        3: (1.6, 60, None, "import"),
        4: (1.75, None, "import", None),
        5: (1.75, None, "import", None),
    }


def test_lines_that_contradict_each_other_change_nothing(
    importer: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "READ", 3)
    monkeypatch.setattr(module, "PUT_IN", 2)
    importer.add(*(record(number, f"A{number}") for number in range(1, 9)))
    lines = [f"A{number};170;70" for number in range(1, 8)] + [
        "A1;171;",
        "A2;170;70",
        " A3 ;;70",
        "A4;;71",
    ]
    log = importer.run(lines, overwrite=True)
    assert {(line, outcome) for line, outcome, *_ in log if outcome == "contradiction"} == {
        (2, "contradiction"),
        (9, "contradiction"),
        (5, "contradiction"),
        (12, "contradiction"),
    }
    found = importer.sizes()
    assert found[1] == found[4] == found[8] == (None, None, None, None)
    assert found[2] == found[3] == found[5] == (1.7, 70, "import", "import")
    assert [row[1] for row in log if row[0] in (10, 11)] == ["there already", "there already"]


def test_nothing_is_overwritten_unless_asked(importer: Importer) -> None:
    importer.add(record(1, "A", 1.8, 80))
    assert importer.run(["A;170;80"]) == [
        (2, "there already", 1, "height other value kept; weight there already")
    ]
    assert importer.sizes() == {1: (1.8, 80, None, None)}
    assert importer.run(["A;170;80"], overwrite=True) == [
        (2, "overwritten", 1, "height overwritten; weight there already")
    ]
    assert importer.sizes() == {1: (1.7, 80, "import", None)}
    assert importer.run(["A;171;"]) == [(2, "there already", 1, "height other value kept")]
    assert importer.run(["A;171;"], overwrite=True) == [(2, "overwritten", 1, "height overwritten")]
    assert importer.sizes() == {1: (1.71, 80, "import", None)}


def test_accession_numbers_that_are_kept_as_hashes(importer: Importer) -> None:
    keyed = "hmac-sha256:" + hmac.new(KEY, "A-1 ä".encode(), hashlib.sha256).hexdigest()
    plain = "sha256:" + hashlib.sha256("A-1 ä".encode()).hexdigest()
    importer.add(
        record(1, keyed),
        record(2, plain),
        record(3, "A-1 ä"),
        record(4, "a-1 ä"),
        record(5, keyed[:-1]),
    )
    log = importer.run(["  A-1 ä ;170;70"])
    assert [(row[1], row[2]) for row in log] == [("inserted", 1), ("inserted", 2), ("inserted", 3)]
    assert [row[0] for row in importer.sizes().values()] == [1.7, 1.7, 1.7, None, None]


def test_studies_by_their_uid_and_all_records_of_a_study(importer: Importer) -> None:
    importer.add(
        record(1, "A", uid="1.2.3"), record(2, "B", uid="1.2.3"), record(3, "1.2.3", uid="3")
    )
    assert [row[2] for row in importer.run(["1.2.3;170;"], kind="study-uid")] == [1, 2]
    assert [row[2] for row in importer.run(["A;;70"])] == [1, 2], (
        "a study has one patient, whatever its records are called"
    )
    assert importer.sizes()[3] == (None, None, None, None)


def test_a_trial_run_says_the_same_and_changes_nothing(importer: Importer) -> None:
    importer.add(record(1, "A", 1.8), record(2, "B"))
    lines = ["A;170;70", "B;160;", "B;160;", "C;1;1"]
    trial = importer.run(lines, overwrite=True, dry_run=True)
    assert importer.sizes() == {1: (1.8, None, None, None), 2: (None, None, None, None)}
    assert importer.writer.connection.execute("SELECT count(*) FROM patient_size").fetchone() == (
        0,
    )
    assert importer.run(lines, overwrite=True) == trial


def test_the_preview_says_what_the_import_then_does(importer: Importer, store: Store) -> None:
    importer.add(record(1, "A", 1.8), record(2, "B"), record(3, "B"))
    lines = ["A;170;70", "B;160;", "C;170;", "B;;7e1", "D;170;x"]
    choice = matching.Choice(**{name: value for name, value in CHOICE.items() if name != "dry_run"})
    rows = [table.Row(line, text.split(";")) for line, text in enumerate(lines, 2)]
    with store.reading() as connection:
        found = matching.preview_rows(connection, rows, choice, b"a key")
    assert [
        (row["line"], row["outcome"], row["study_id"], row["message"]) for row in found
    ] == importer.run(lines)
    assert found[0]["identifier"] == "A" and (found[0]["height"], found[0]["weight"]) == (1.7, 70)


# --- against the rules in plain Python ---

_ACCESSIONS = ("A", "B", "C", "D")
_HEIGHT = st.sampled_from((None, 1.5, 1.6, 1.7))
_WEIGHT = st.sampled_from((None, 50.0, 60.0))
_RECORDS = st.lists(st.tuples(st.sampled_from(_ACCESSIONS[:3]), _HEIGHT, _WEIGHT), max_size=5)
_LINES = st.lists(
    st.tuples(
        st.sampled_from(_ACCESSIONS),
        st.sampled_from(("", "150", "160", "999", "?")),
        st.sampled_from(("", "50", "60", "0")),
    ),
    max_size=8,
)
_GOOD = {"150": 1.5, "160": 1.6, "50": 50.0, "60": 60.0}


def oracle(
    records: list[dict[str, Any]], lines: list[tuple[str, str, str]], overwrite: bool
) -> tuple[list[tuple[int, str, int | None]], list[tuple[float | None, float | None]]]:
    """Lines of the log without messages, and heights and weights of the records."""
    names = ("patient_size", "patient_weight")
    now = [dict(one) for one in records]
    given = [
        (number, accession, [_GOOD.get(text) for text in texts])
        for number, (accession, *texts) in enumerate(lines, 2)
    ]
    log: list[tuple[int, str, int | None]] = []
    for number, accession, pair in given:
        of_study = [one for one in now if one["accession_number"] == accession]
        if pair == [None, None]:
            log.append((number, "bad value", None))
            continue
        if not of_study:
            log.append((number, "no study", None))
            continue
        others = [other for _, name, other in given if name == accession]
        if any(len({other[at] for other in others if other[at] is not None}) > 1 for at in (0, 1)):
            log += [(number, "contradiction", one["id"]) for one in of_study]
            continue
        for one in of_study:
            said = set()
            for name, value in zip(names, pair, strict=True):
                if value is not None and one[name] is None:
                    said.add("inserted")
                    one[name] = value
                elif value is not None and one[name] != value and overwrite:
                    said.add("overwritten")
                    one[name] = value
            outcome = next(
                (word for word in ("overwritten", "inserted") if word in said), "there already"
            )
            log.append((number, outcome, one["id"]))
    return log, [(one["patient_size"], one["patient_weight"]) for one in now]


@given(_RECORDS, _LINES, st.booleans(), st.integers(1, 4))
@examples(20)
def test_against_the_rules_in_plain_python(
    importer: Importer,
    records: list[tuple[str, float | None, float | None]],
    lines: list[tuple[str, str, str]],
    overwrite: bool,
    step: int,
) -> None:
    importer.writer.connection.execute("DELETE FROM study; DELETE FROM patient_size")
    rows = [record(number, *one) for number, one in enumerate(records, 1)]
    if rows:
        importer.add(*rows)
    wanted, sizes = oracle(rows, lines, overwrite)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "READ", step)
        patch.setattr(module, "PUT_IN", step)
        log = importer.run([";".join(line) for line in lines], overwrite=overwrite)
    assert [row[:3] for row in log] == wanted
    found = importer.sizes()
    assert [row[:2] for row in found.values()] == sizes
    for row in rows:
        height, weight, height_from, weight_from = found[row["id"]]
        assert height_from == (None if height == row["patient_size"] else "import")
        assert weight_from == (None if weight == row["patient_weight"] else "import")


# --- what is imported stays ---


def test_a_study_that_is_written_anew_keeps_what_a_file_gave(
    importer: Importer, store: Store
) -> None:
    importer.writer.commit(batch_of(4))
    query = (
        "SELECT id, study_instance_uid, patient_size FROM study WHERE patient_size IS NOT NULL "
        "LIMIT 1"
    )
    number, uid, own = importer.writer.connection.execute(query).fetchone()
    importer.writer.connection.execute("UPDATE study SET patient_weight = NULL")
    new = round(own * 100 + 1, 1)
    importer.run([f"{uid};{new};77"], kind="study-uid", overwrite=True)
    before = importer.sizes()[number]
    assert before[:1] == (pytest.approx(new / 100),) and before[1:] == (77, "import", "import")
    batch = batch_of(4)
    for records in batch.studies.values():
        for one in records:
            one.study.pop("patient_weight", None)
    importer.writer.commit(batch)
    assert importer.sizes()[number] == before
    importer.writer.commit(batch_of(4))
    own_weight = next(one.study["patient_weight"] for one in batch_of(4).studies[uid])
    assert own_weight is not None and importer.sizes()[number][1:] == (
        own_weight,
        "import",
        None,
    ), "the object's own counts"
    with store.reading() as connection:
        detail = studies.study(connection, number)
        assert {"field": "patient_size", "mark": "from_size_import", "raw": None} in detail["marks"]
        assert "from_size_import" in detail["all_marks"]
        page = lists.page_of_studies(connection, {"mark": ["from_size_import"]}, "id", 10, 0, ())
        assert [row["id"] for row in page["studies"]] == [number] and page["total"] == 1
        assert [
            one["field"] for one in page["studies"][0]["marks"] if one["mark"] == "from_size_import"
        ] == ["patient_size"]


def test_a_restart_in_the_middle_goes_on_and_doubles_nothing(
    importer: Importer, store: Store, uploads: SizeFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "READ", 4)
    monkeypatch.setattr(module, "PUT_IN", 3)
    importer.add(*(record(number, f"A{number}") for number in range(10)))
    task = importer.start([f"A{number};{150 + number};" for number in range(10)])
    for _ in range(5):  # three to read the file, two to put in
        assert importer.worker.step_oldest_task(importer.writer)
    importer.writer.close()
    after = Importer(store, uploads)
    assert sum(found[0] is not None for found in after.sizes().values()) == 6
    while after.worker.step_oldest_task(after.writer):
        pass
    assert [row[:3] for row in after.log(task)] == [
        (number + 2, "inserted", number) for number in range(10)
    ]
    assert [found[0] for found in after.sizes().values()] == [
        pytest.approx(1.5 + number / 100) for number in range(10)
    ]


def test_the_file_goes_with_the_end_of_its_task(
    importer: Importer, uploads: SizeFiles, tmp_path: Path
) -> None:
    folder = tmp_path / "imports"
    file = uploads.add(b"a;b\n1;2\n", "somebody")
    assert {path.name for path in folder.iterdir()} == {"1.csv", "1.json"}
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in folder.iterdir())
    uploads.remove(file.number)
    importer.run(["A;170;70"])
    assert list(folder.iterdir()) == []
    waiting = importer.start(["A;170;70"])
    assert importer.worker.stop(importer.writer, waiting)
    assert list(folder.iterdir()) == []
    running = importer.start(["A;170;70"])
    assert importer.worker.step_oldest_task(importer.writer)
    assert importer.worker.stop(importer.writer, running)
    assert list(folder.iterdir()) == []


def test_files_that_nobody_started_go_after_a_day(
    importer: Importer, uploads: SizeFiles, store: Store, tmp_path: Path
) -> None:
    old, new = (uploads.add(b"a;b\n1;2\n", "somebody") for _ in range(2))
    started = importer.start(["A;170;70"])
    ended = uploads.add(b"a;b\n1;2\n", "somebody")
    uploads.start_import(ended, lambda: 999)  # of a task that is not under way
    long_ago = time.time() - KEPT_S - 60
    for number in (old.number, 3):
        os.utime(tmp_path / "imports" / f"{number}.csv", (long_ago, long_ago))
    with store.writing() as connection:
        uploads.sweep(connection)
    assert started and {path.stem for path in (tmp_path / "imports").glob("*.csv")} == {
        str(new.number),
        "3",
    }


def test_a_file_that_is_gone_ends_its_task_with_a_reason(
    importer: Importer, uploads: SizeFiles, store: Store
) -> None:
    task = importer.start(["A;170;70"])
    uploads.remove(1)
    while importer.worker.step_oldest_task(importer.writer):
        pass
    with store.reading() as connection:
        found = task_queries.find_task(connection, task)
    assert (found["state"], found["message"]) == (
        "failed",
        "The file no longer exists: upload it again.",
    )


def test_a_file_is_imported_once(uploads: SizeFiles) -> None:
    file = uploads.add(b"a;b\n1;2\n", "somebody")
    assert uploads.start_import(file, lambda: 5) == 5
    assert uploads.start_import(file, lambda: 6) is None
    assert uploads.add(b"a;b\n1;2\n", "somebody").number == file.number + 1


def test_the_log_holds_no_identifier(importer: Importer) -> None:
    lines = [
        "SECRET-1;SECRET-2;SECRET-3",
        "SECRET-4;4711;0815",
        'SECRET-5";170;70',
        "SECRET-6;170;70;SECRET-7",
    ]
    log = importer.run(lines)
    assert len(log) == 4 and not any("SECRET" in str(row) or "4711" in str(row) for row in log)
    held = importer.writer.connection.execute("SELECT task_log::VARCHAR FROM task_log").fetchall()
    assert "SECRET" not in str(held)


def test_an_empty_batch_leaves_sizes_alone(importer: Importer) -> None:
    importer.add(record(1, "A"))
    importer.run(["A;170;70"])
    importer.writer.commit(Batch(state={"cursor": "9"}))
    assert importer.sizes()[1] == (1.7, 70, "import", "import")
