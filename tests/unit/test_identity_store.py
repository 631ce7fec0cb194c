"""Identity in the store: looking for it by text and by hash, bringing rows to other rules, and
writing the file anew.
"""

from __future__ import annotations

import hashlib
import threading
from functools import partial
from pathlib import Path

import duckdb
import pytest

from orthanc_dose import extract
from orthanc_dose.assemble import Part, put_together
from orthanc_dose.dicom import part10
from orthanc_dose.dicom.identity import IdentityRules
from orthanc_dose.ingest import Options
from orthanc_dose.ingest.identity import ApplyIdentity
from orthanc_dose.query import filters, lists
from orthanc_dose.records import TABLES
from orthanc_dose.records.study import UNDER_RULES
from orthanc_dose.samples import make_studies
from orthanc_dose.samples import part10 as as_bytes
from orthanc_dose.store import Batch, NotRenewed, Store, Writer, database, identity, tasks
from orthanc_dose.work.owner import Owner
from orthanc_dose.work.steps import Steps

SECRET = b"k" * 32
NAME, ID, BIRTH = "Verylongname^Anna", "PID-4711-x", "19501224"
STORED = dict.fromkeys(UNDER_RULES, "stored")


def filled(folder: Path, *rules: dict[str, str]) -> tuple[Store, Writer]:
    """A store with two studies of one patient under each of these rules."""
    store = Store(folder)
    writer, batch = Writer(store), Batch()
    for number, study in enumerate(make_studies(2 * len(rules), seed=9)):
        dataset = study.datasets[0]
        dataset.PatientName, dataset.PatientID, dataset.PatientBirthDate = NAME, ID, BIRTH
        dataset.AccessionNumber = f"ACC-{number}"
        under = IdentityRules(**rules[number // 2], secret=SECRET)
        kept = extract.keep(part10.read_any(as_bytes(dataset)), under)
        packed, digest = kept.pack()
        part = Part(
            str(dataset.SOPInstanceUID),
            extract.extract_object(extract.unpack(packed), str(dataset.SOPClassUID)),
        )
        batch.studies[study.study_instance_uid] = put_together([part])
        batch.objects.append(
            {
                "handle": str(number),
                "content": packed,
                "content_digest": digest,
                "outcome": "imported",
                "study_instance_uid": study.study_instance_uid,
                "sop_instance_uid": str(dataset.SOPInstanceUID),
                "sop_class_uid": str(dataset.SOPClassUID),
            }
        )
    writer.commit(batch)
    return store, writer


def run(store: Store, writer: Writer, rules: dict[str, str]) -> dict[str, object]:
    """The task that applies rules, until its end."""
    under = IdentityRules(**rules, secret=SECRET)
    number = tasks.create(store, "apply-identity", "somebody", parameters={"rules": rules})
    worker = Steps(
        {ApplyIdentity.kind: partial(ApplyIdentity, options=lambda: Options(identity=under))},
        Owner.of_this_process(store),
    )
    worker.look_for_task()
    while worker.step_oldest_task(writer):
        pass
    [task] = [
        task
        for task in tasks.of_states(writer.connection, ("done", "failed"))
        if task["id"] == number
    ]
    assert (task["state"], task["message"]) == ("done", None)
    return dict(task["result"])


def found(store: Store, hashes: IdentityRules, **values: list[str]) -> int:
    widened = filters.or_hashes(values, lambda text: list(hashes.hashes(text).values()))  # type: ignore[arg-type]
    with store.reading() as connection:
        return lists.count_studies(connection, widened)


def test_one_filter_finds_what_is_stored_by_a_part_and_what_is_hashed_by_the_whole(
    tmp_path: Path,
) -> None:
    store, _ = filled(
        tmp_path,
        STORED,
        dict.fromkeys(UNDER_RULES, "hashed"),
        dict.fromkeys(UNDER_RULES, "sha256"),
        dict.fromkeys(UNDER_RULES, "none"),
    )
    rules = IdentityRules(secret=SECRET)
    for filter_name, whole, part in (
        ("patient_id", ID, "4711"),
        ("patient_birth_date", "1950-12-24", "1950"),
        ("patient_name", NAME, "verylong"),
    ):
        assert found(store, rules, **{filter_name: [part]}) == 2
        # The stored name has its comma: as DICOM writes it, it is the text of the hashes.
        assert found(store, rules, **{filter_name: [whole]}) == (
            4 if filter_name == "patient_name" else 6
        )
        assert found(store, rules, **{f"{filter_name}_is": [whole]}) == (
            4 if filter_name == "patient_name" else 6
        )
        assert found(store, rules, **{f"{filter_name}_not": [whole]}) == (
            4 if filter_name == "patient_name" else 2
        )
        assert found(store, IdentityRules(secret=b"another"), **{filter_name: [whole]}) < 6
    assert [found(store, rules, accession_number=[f"ACC-{n}"]) for n in range(8)] == [
        1,
        1,
        1,
        1,
        1,
        1,
        0,
        0,
    ]
    store.close()


@pytest.mark.parametrize("rule", ["none", "sha256"])
def test_rows_whose_content_is_gone_are_brought_to_the_rules_directly(
    tmp_path: Path, rule: str
) -> None:
    store, writer = filled(tmp_path, STORED)
    writer.connection.execute("UPDATE object SET content = NULL")
    result = run(store, writer, dict.fromkeys(UNDER_RULES, rule))
    with store.reading() as connection:
        rows = connection.execute(
            "SELECT patient_name, patient_id, patient_birth_date, accession_number FROM study"
        ).fetchall()
    of = [f"sha256:{hashlib.sha256(text.encode()).hexdigest()}" for text in (ID, "1950-12-24")]
    assert [row[:3] for row in rows] == [(None, None, None) if rule == "none" else (None, *of)] * 2
    # How the name was written is not known any more, so it cannot be hashed: dropped, and told.
    assert result["lost_names"] == (0 if rule == "none" else 2)
    assert result["items"]["patient_name"]["dropped"] == 2  # type: ignore[index]
    store.close()
    raw = (tmp_path / "dose.duckdb").read_bytes()
    assert b"Verylongname" not in raw and ID.encode() not in raw


def everything(store: Store) -> dict[str, list[tuple[object, ...]]]:
    with store.reading() as connection:
        return {
            table.name: connection.execute(f'SELECT * FROM "{table.name}" ORDER BY ALL').fetchall()
            for table in TABLES
        }


def test_the_file_holds_what_was_dropped_until_it_is_written_anew(tmp_path: Path) -> None:
    store, writer = filled(tmp_path, STORED)
    writer.connection.execute("CHECKPOINT")
    with store.writing() as connection:
        connection.execute("UPDATE study SET patient_id = NULL")
    writer.connection.execute("CHECKPOINT")
    path = tmp_path / "dose.duckdb"
    assert ID.encode() in path.read_bytes()  # else there is nothing to do for the task
    before = everything(store)
    writer.renew()
    assert ID.encode() not in path.read_bytes()
    assert everything(store) == before
    # The writer goes on, into the new file.
    writer.commit(Batch(state={"after": "renewal"}))
    store.close()
    (tmp_path / "dose.duckdb.new").write_bytes(b"of a renewal that was killed")
    again = Store(tmp_path)
    assert Writer(again).state("after") == "renewal"
    again.close()
    files = {path.name for path in tmp_path.iterdir()}
    assert files == {"dose.duckdb", "dose.duckdb.last", "identity.key"}


def test_a_reader_that_does_not_end_keeps_the_file_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, writer = filled(tmp_path, STORED)
    monkeypatch.setattr(database, "PATIENCE_S", 0.05)
    with store.reading() as connection:
        with pytest.raises(NotRenewed, match="read"):
            writer.renew()
        assert connection.execute("SELECT count(*) FROM study").fetchone() == (2,)
    writer.commit(Batch(state={"after": "failure"}))
    writer.renew()
    assert writer.state("after") == "failure"
    # Who has the old file open would go on with it.
    with open(store.path, "rb"), pytest.raises(NotRenewed, match="closed"):
        writer.renew()
    assert writer.state("after") == "failure"
    # A connection that somebody kept ends with the old file, so that nobody writes into it.
    kept = store.connection()
    writer.renew()
    with pytest.raises(duckdb.Error):
        kept.execute("INSERT INTO state VALUES ('lost', '1')")
    store.close()


def test_readers_wait_for_the_moment_of_the_change(tmp_path: Path) -> None:
    store, writer = filled(tmp_path, STORED)
    stop, counts, errors = threading.Event(), [], []

    def read() -> None:
        while not stop.is_set():
            try:
                with store.reading() as connection:
                    counts.append(connection.execute("SELECT count(*) FROM study").fetchone())
            except Exception as error:  # noqa: BLE001
                errors.append(error)

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(5):
        writer.renew()
    stop.set()
    for thread in threads:
        thread.join()
    store.close()
    assert not errors and counts and set(counts) == {(2,)}


def test_what_can_be_changed_and_what_cannot() -> None:
    can = {
        (rule, way)
        for rule in identity.WAYS
        for way in identity.WAYS
        if identity.can_change(rule, way)
    }
    assert can == {
        ("none", "stored"),
        ("none", "hashed"),
        ("none", "sha256"),
        ("hashed", "stored"),
        ("sha256", "stored"),
    }
    cannot = {
        (rule, way)
        for rule in identity.WAYS
        for way in identity.WAYS
        if identity.cannot_change(rule, way)
    }
    assert cannot == {
        ("stored", "none"),
        ("stored", "hashed"),
        ("stored", "sha256"),
        ("hashed", "none"),
        ("hashed", "sha256"),
        ("sha256", "none"),
        ("sha256", "hashed"),
    }
