"""Bad objects sent to a running server: each gets an outcome with a reason, nothing of them reaches
the log, and the next good report is read as ever."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from orthanc_dose.extract import unpack
from orthanc_dose.samples import Patient, System, ct_report, make_studies, vendor
from orthanc_dose.samples.hostile import FATAL, HOSTILE, REFUSED, STORABLE
from tests.support.expect import check_study
from tests.support.server import OrthancServer

# Orthanc itself, without any plugin, takes half a minute for 50,000 content items side by side.
SENT = sorted(STORABLE - FATAL - {"children_50000"})
SEED = 1
# Where the makers' text must come back as it is.
MARKUP, SQL = "<script>alert(1)</script>", "'; DROP TABLE studies;--"


@pytest.fixture(scope="module")
def attacked() -> Iterator[tuple[OrthancServer, dict[str, str]]]:
    """A server that was given every bad object that Orthanc stores, and the identifiers of these by
    name.
    """
    with OrthancServer() as server:
        ids: dict[str, str] = {}
        for name in SENT:
            status, answer = server.upload(HOSTILE[name](SEED))
            assert status == 200, f"{name}: {answer}"
            ids[name] = server.handle(answer["ID"])
        # Again by C-STORE: the same objects must be the same to the plugin, whatever the network
        # makes of them.
        server.send(
            [HOSTILE[name](SEED) for name in SENT if name not in ("deflated_bomb", "text_5_mb")],
            check=False,
        )
        server.wait_until_idle()
        yield server, ids


def outcomes(server: OrthancServer) -> dict[str, dict[str, Any]]:
    return {row["handle"]: row for row in server.objects()}


def test_each_object_has_an_outcome_that_people_understand(
    attacked: tuple[OrthancServer, dict[str, str]],
) -> None:
    server, ids = attacked
    found = outcomes(server)
    assert set(server.held()) == set(found)
    for name, handle in ids.items():
        row = found[handle]
        assert row["outcome"] in ("imported", "merged", "duplicate", "ignored", "failed"), name
        if row["outcome"] in ("failed", "ignored"):
            assert row["rule"] and row["reason"] and len(row["reason"]) > 20, (name, row)
            assert "Traceback" not in row["reason"]
        # A crash of the reading code is an outcome too, but never one that is planned for.
        assert row["rule"] not in ("error", "store"), f"{name}: {row['reason']}"


@pytest.mark.parametrize(("name", "outcome"), [
    ("not_a_dose_report", "ignored"), ("other_root_code", "ignored"), ("no_root_concept", "ignored"),
    ("unknown_template", "imported"), ("undefined_lengths", "imported"), ("implicit_vr", "imported"),
    ("nasty_text_everywhere", "imported"), ("number_text", "imported"), ("date_impossible", "imported"),
    ("no_patient_id", "imported"), ("text_5_mb", "failed"), ("root_alone", "failed"),
    ("empty_content_sequence", "failed"), ("number_1e308", "imported"),
    ("duplicate_event_uids", "imported"), ("latin1_said_to_be_utf8", "imported"),
])  # fmt: skip
def test_outcome(attacked: tuple[OrthancServer, dict[str, str]], name: str, outcome: str) -> None:
    server, ids = attacked
    row = outcomes(server)[ids[name]]
    assert row["outcome"] == outcome, row["reason"]


def test_every_study_can_be_shown(attacked: tuple[OrthancServer, dict[str, str]]) -> None:
    server, _ = attacked
    studies = server.studies()
    assert len(studies) > 60
    for study in studies:
        for path in (
            f"/dose/api/studies/{study['id']}",
            f"/dose/api/studies/{study['id']}/content",
        ):
            assert server.get(path)[0] == 200, path
    for path in ("/dose/api/summary", "/dose/api/status"):
        assert server.get(path)[0] == 200


def test_numbers_that_are_none_are_no_totals(
    attacked: tuple[OrthancServer, dict[str, str]],
) -> None:
    server, ids = attacked
    found = outcomes(server)
    for name in (
        "number_text",
        "number_nan",
        "number_inf",
        "number_empty",
        "number_hex",
        "number_underscore",
        "number_question",
        "number_1e400",
        "number_fullwidth_digits",
        "unit_missing",
        "unit_unknown",
        "unit_of_another_quantity",
    ):
        detail = server.ok(f"/dose/api/studies/{found[ids[name]]['study_id']}")
        assert detail["dlp_total"] is None, name
        assert all(event["dlp"] is None for event in detail["events"]), name
        marked = [
            *(detail["marks"] or []),
            *(mark for event in detail["events"] for mark in event["marks"] or []),
        ]
        assert marked, f"{name}: what was not used is marked"


def test_text_comes_back_as_data(attacked: tuple[OrthancServer, dict[str, str]]) -> None:
    server, ids = attacked
    study = outcomes(server)[ids["nasty_text_everywhere"]]["study_id"]
    detail = server.ok(f"/dose/api/studies/{study}")
    assert MARKUP in detail["study_description"] and SQL in detail["study_description"]
    assert MARKUP in detail["equipment"]["institution_name"]
    assert all(MARKUP in event["acquisition_protocol"] for event in detail["events"])
    answer = server.request("GET", f"/dose/api/studies/{study}")
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    # The value as a filter is a value, too.
    found = server.request(
        "GET", "/dose/api/studies", params={"accession_number": "'\"<b>;--"}
    ).json()
    assert [row["id"] for row in found["studies"]] == [study]
    assert server.status()["store"]["studies"]["CT"] > 60, "no table was dropped"


def test_the_log_has_nothing_of_the_objects_and_no_traces(
    attacked: tuple[OrthancServer, dict[str, str]],
) -> None:
    server, _ = attacked
    ours = [line for line in server.log.splitlines() if "Dose:" in line]
    for text in ("Sample^", "SAMPLE-", MARKUP, "DROP TABLE", "Traceback"):
        assert not [line for line in ours if text in line], text
    assert "Traceback" not in server.log
    assert not [line for line in ours if line.startswith("E")], "no error of the plugin"


# Its head announces more than the file holds: the plugin refuses it before Orthanc reads it.
REFUSED_AT_THE_DOOR = "truncated_in_meta"


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_orthanc_refuses_leaves_nothing(
    attacked: tuple[OrthancServer, dict[str, str]], name: str
) -> None:
    server, _ = attacked
    before = server.status()["store"]["objects"]
    status, _ = server.upload(HOSTILE[name](SEED))
    if name == REFUSED_AT_THE_DOOR:
        assert status == 400
        # The worker writes the outcome, a moment after the sender has its answer.
        server.wait_for(lambda: bool(server.objects(rule="broken_head")), "the outcome")
        expected = before | {"failed": before["failed"] + 1}
        assert server.status()["store"]["objects"] == expected
    elif status != 200:
        assert server.status()["store"]["objects"] == before
    else:
        # Later versions of Orthanc take some of them.
        server.wait_until_idle()
        assert set(server.held()) == set(outcomes(server))


def test_the_next_good_report_is_read(attacked: tuple[OrthancServer, dict[str, str]]) -> None:
    server, _ = attacked
    [sample] = make_studies(1, seed=77, kinds=["ct"])
    server.send(sample)
    server.wait_until_idle()
    [row] = server.studies(study_instance_uid=sample.study_instance_uid)
    check_study(row, sample)


NAMES = {
    "": ("Zzyzx^Quillon", "PID-7734-Q"),
    "ISO_IR 100": ("Zzyzxé^Åquillon", "PID-7735-Q"),
    "ISO_IR 192": ("Ωzzyzx^Квиллон", "PID-7736-Q"),
    "\\ISO 2022 IR 87": ("Zzyzx^Tarou=仮名^秘密=かな^ひみつ", "PID-7737-Q"),
}
BIRTH_DATE = "19331127"


def test_no_identity_in_store_log_or_answers(server: OrthancServer) -> None:
    """Names, patient IDs and birth dates that were sent are in no file of the store, no answer, not
    in the log.
    """
    reports = []
    for number, (charset, (name, patient_id)) in enumerate(NAMES.items()):
        made_by = vendor("standard", character_set=charset)
        patient = Patient(name=name, patient_id=patient_id, birth_date=BIRTH_DATE)
        reports.append(
            ct_report(3, key=f"identity|{number}", patient=patient, system=System(vendor=made_by))
        )
        # Names that stand in the wrong places are names still.
        bad = ct_report(
            2,
            key=f"identity-bad|{number}",
            patient=patient,
            system=System(vendor=made_by),
            template="31337",
        )
        del bad.ConceptNameCodeSequence
        reports.append(bad)
    server.send(reports)
    server.wait_until_idle()
    assert len(server.studies()) == len(NAMES)
    answers = [
        server.request("GET", path).content
        for path in (
            "/dose/api/status",
            "/dose/api/summary",
            "/dose/api/studies?limit=500",
            "/dose/api/objects?limit=500",
            *(
                f"/dose/api/studies/{row['id']}{tail}"
                for row in server.studies()
                for tail in ("", "/content")
            ),
        )
    ]
    log = server.log.encode()
    assert server.stop() == 0
    files = [path for path in server.dose_directory.rglob("*") if path.is_file()]
    assert any(path.stat().st_size > 10_000 for path in files)
    places = {str(path): path.read_bytes() for path in files}
    places |= {f"answer {number}": answer for number, answer in enumerate(answers)} | {
        "log": log + server.log.encode()
    }
    places["kept content"] = kept_content(server)
    words = [
        word
        for name, patient_id in NAMES.values()
        for word in (*name.replace("=", "^").split("^"), patient_id)
    ]
    for word in {*words, BIRTH_DATE, "1933-11-27"}:
        for encoding in ("utf-8", "latin-1", "iso2022_jp", "utf-16-le"):
            try:
                sought = word.encode(encoding)
            except UnicodeEncodeError:
                continue
            for place, content in places.items():
                assert sought not in content, f"{word!r} in {place}"
            # JSON may write it with escapes.
            assert all(word.encode("ascii", "backslashreplace") not in answer for answer in answers)


def kept_content(server: OrthancServer) -> bytes:
    """The kept content of all objects, unpacked: it is compressed in the file."""
    with duckdb.connect(str(server.dose_directory / "dose.duckdb"), read_only=True) as store:
        found = store.execute("SELECT content FROM object WHERE content IS NOT NULL").fetchall()
    assert found
    return "".join(str(unpack(row[0])) for row in found).encode()
