"""What is kept of who the patient is, by the rules of the installation, and what of it reaches the
store.
"""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

import pytest

from orthanc_dose import config, extract
from orthanc_dose.assemble import Part, put_together
from orthanc_dose.dicom import part10
from orthanc_dose.dicom.identity import IdentityRules
from orthanc_dose.manage.settings import BY_KEY
from orthanc_dose.query import history, lists
from orthanc_dose.samples import make_studies
from orthanc_dose.samples import part10 as as_bytes
from orthanc_dose.store import Batch, Store, Writer
from orthanc_dose.store.handles import installation_key

NAME, ID = "Verylongname^Anna", "PID-4711-x"
SECRET = b"k" * 32


def stored(folder: Path, rules: IdentityRules) -> Store:
    """A store of eight studies, all of one patient but the last."""
    store, batch = Store(folder), Batch()
    for number, study in enumerate(make_studies(8, seed=3)):
        dataset = study.datasets[0]
        dataset.PatientName, dataset.PatientID = (
            (NAME, ID) if number < 7 else ("Other^One", "PID-1")
        )
        kept = extract.keep(part10.read_any(as_bytes(dataset)), rules)
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
            }
        )
    Writer(store).commit(batch)
    return store


@pytest.mark.parametrize("rule", ["none", "stored", "hashed"])
def test_name_and_id_are_kept_as_the_rule_says(tmp_path: Path, rule: str) -> None:
    store = stored(tmp_path, IdentityRules(rule, rule, secret=SECRET))
    hashed = {
        text: "hmac-sha256:" + hmac.new(SECRET, text.encode(), hashlib.sha256).hexdigest()
        for text in (NAME, ID)
    }
    expected = {
        "none": (None, None),
        "stored": ("Verylongname, Anna", ID),
        "hashed": (hashed[NAME], hashed[ID]),
    }[rule]
    with store.reading() as connection:
        row = lists.page_of_studies(connection, {}, "id", 1, 0, ("patient_name", "patient_id"))[
            "studies"
        ][0]
        contents = connection.execute("SELECT content FROM object").fetchall()
    assert (row["patient_name"], row["patient_id"]) == expected
    for (content,) in contents[:7]:
        assert (NAME in str(extract.unpack(content))) == (rule == "stored")
    store.close()
    if rule != "stored":
        raw = (tmp_path / "dose.duckdb").read_bytes()
        assert b"Verylongname" not in raw and ID.encode() not in raw


@pytest.mark.parametrize("rule", ["none", "stored", "hashed"])
def test_the_history_is_of_one_patient(tmp_path: Path, rule: str) -> None:
    store = stored(tmp_path, IdentityRules("none", rule, secret=SECRET))
    with store.reading() as connection:
        rows = {
            row["id"]: row
            for row in lists.page_of_studies(
                connection, {}, "id", 50, 0, lists.usual_columns(None)
            )["studies"]
        }
        whole = history.of_patient(connection, 1, None, None)
        days = sorted(row["study_date"] for row in rows.values() if row["id"] != 8)
        some = history.of_patient(connection, 1, days[2], days[4])
        assert history.of_patient(connection, 99, None, None) is None
    store.close()
    assert whole is not None and some is not None
    assert whole["identified"] == (None if rule == "none" else rule)
    assert whole["patient_id"] == (ID if rule == "stored" else None)
    if rule == "none":
        assert whole["studies"] == whole["cumulated"] == []
        return
    assert [row["id"] for row in whole["studies"]] == sorted(
        set(rows) - {8}, key=lambda n: (rows[n]["study_date"], n)
    )
    assert (
        all(days[2] <= row["study_date"] <= days[4] for row in some["studies"])
        and len(some["studies"]) >= 3
    )
    for sums in whole["cumulated"]:
        of_modality = [row for row in whole["studies"] if row["modality"] == sums["modality"]]
        assert sums["studies"] == len(of_modality)
        for name, total in sums["totals"].items():
            values = [row[name] for row in of_modality if row[name] is not None]
            assert (total["studies"], total["value"]) == (len(values), pytest.approx(sum(values)))


def test_the_key_of_the_installation_is_made_once_and_is_for_the_owner_alone(
    tmp_path: Path,
) -> None:
    (tmp_path / "identity.key.new").write_bytes(b"of a start that was killed")
    store = Store(tmp_path)
    assert store.key == installation_key(tmp_path) and len(store.key) == 32
    assert (tmp_path / "identity.key").read_bytes() == store.key
    assert (tmp_path / "identity.key").stat().st_mode & 0o777 == 0o600
    store.close()
    store.open()
    assert store.key == installation_key(tmp_path)
    store.close()
    files = {path.name for path in tmp_path.iterdir()}
    assert files == {"dose.duckdb", "dose.duckdb.last", "identity.key"}
    # A kill between making the file and writing it left it empty in older versions.
    (tmp_path / "identity.key").write_bytes(b"")
    assert len(installation_key(tmp_path)) == 32


def test_the_configuration_names_the_rules(tmp_path: Path) -> None:
    read = config.read_configuration(
        {"DataDirectory": str(tmp_path), "PatientID": "hashed", "PatientName": "stored"},
        tmp_path,
        BY_KEY,
    )
    assert read.first_values == {"patient_id": "hashed", "patient_name": "stored"}
    with pytest.raises(config.ConfigError, match=r"PatientID.*none, stored, hashed, sha256"):
        config.read_configuration({"PatientID": "yes"}, tmp_path, BY_KEY)
