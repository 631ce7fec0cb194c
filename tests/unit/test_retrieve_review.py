"""What a search found, sieved, sorted, ticked off and as a file, against the same in plain
Python.
"""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from orthanc_dose.records import FOUND
from orthanc_dose.retrieve import review
from orthanc_dose.retrieve.review import Sieve
from orthanc_dose.store import Store
from orthanc_dose.store.schema import arrow_schema

TASK, OTHER = 7, 8
Line = dict[str, Any]


def made(task: int, chance: random.Random) -> list[Line]:
    """Two hundred studies, a few of them left before their series were asked for."""
    lines: list[Line] = []
    for number in range(200):
        study: Line = {
            "task_id": task,
            "study_instance_uid": f"1.{task}.{number}",
            "study_date": chance.choice((None, "20260105", "20260106")),
            "study_description": chance.choice((None, "Head", "CHEST", '=1+1, "x"', "Größe\nx")),
            "modalities": ["CT", "SR"],
            "looked_at_as": ["CT"],
            "study_reason": None,
            "told": None,
        }
        if chance.random() < 0.1:
            lines.append(study | {"study_reason": "description", "kept": False, "chosen": False})
            continue
        for place in range(chance.randint(1, 4)):
            kept = chance.random() < 0.5
            state = chance.choice((None, "moved", "failed")) if kept else None
            size, images = (
                chance.choice((None, 1, 40)),
                chance.choice((None, ["1.2", "1.3"])) if kept else None,
            )
            lines.append(
                study
                | {
                    "series_instance_uid": f"1.{task}.{number}.{place}",
                    "modality": chance.choice((None, "CT", "SR", "PT")),
                    "series_description": chance.choice((None, "Dose", "thorax")),
                    "station_name": chance.choice((None, "CT01")),
                    "kept": kept,
                    "chosen": kept and chance.random() < 0.7,
                    "size": size,
                    "images": images,
                    "state": state,
                    "reason": chance.choice(
                        ("dose_report", "image") if kept else ("no_report", "known")
                    ),
                    "fault": "It is gone." if state == "failed" else None,
                    "asked_for": 4 if state == "moved" else None,
                    "arrived": chance.choice((3, 4)) if state == "moved" else None,
                }
            )
    return [line | {"line": number} for number, line in enumerate(lines, 1)]


LINES = made(TASK, random.Random(1))


def filled(folder: Path) -> Store:
    opened = Store(folder)
    with opened.writing() as connection:
        table = pa.Table.from_pylist(
            [*made(OTHER, random.Random(2)), *LINES], schema=arrow_schema(FOUND)
        )
        connection.register("lines", table)
        connection.execute(f'INSERT INTO "{FOUND.name}" BY NAME SELECT * FROM lines')
    return opened


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """To be read alone."""
    opened = filled(tmp_path_factory.mktemp("store"))
    yield opened
    opened.close()


def can_be_ticked(line: Line) -> bool:
    """What has not come, or not all of it."""
    return line["kept"] and (line["state"] != "moved" or line["arrived"] < line["asked_for"])


def passes(line: Line, sieve: Sieve) -> bool:
    if sieve.kept is not None and bool(line["kept"]) != sieve.kept:
        return False
    if sieve.modality is not None:
        own = line["modalities"] if line.get("series_instance_uid") is None else [line["modality"]]
        if sieve.modality not in own:
            return False
    if sieve.reason is not None and (line.get("reason") or line["study_reason"]) != sieve.reason:
        return False
    texts = (
        "study_description",
        "series_description",
        "station_name",
        "study_instance_uid",
        "series_instance_uid",
    )
    if sieve.text is not None and not any(
        sieve.text.lower() in (line.get(name) or "").lower() for name in texts
    ):
        return False
    state = line.get("state")
    is_open = can_be_ticked(line)
    return {
        None: True,
        "open": is_open and line["chosen"],
        "off": is_open and not line["chosen"],
        "moved": state == "moved",
        "failed": state == "failed",
        "missing": state == "moved" and line["arrived"] < line["asked_for"],
    }[sieve.became]


SIEVES = [
    Sieve(),
    Sieve(True),
    Sieve(False),
    Sieve(modality="CT"),
    Sieve(True, "SR"),
    Sieve(reason="known"),
    Sieve(False, reason="description"),
    Sieve(text="GRÖSSE"),
    Sieve(text="größe"),
    Sieve(text="ct01"),
    Sieve(text="%"),
    Sieve(text="1.7.19"),
    *(Sieve(became=one) for one in review.BECAME),
    Sieve(True, "CT", "dose_report", "head", "open"),
]


@pytest.mark.parametrize("sieve", SIEVES, ids=str)
def test_a_sieve_leaves_what_it_says(store: Store, sieve: Sieve) -> None:
    expected = [line for line in LINES if passes(line, sieve)]
    with store.reading() as connection:
        found = review.studies(connection, TASK, sieve, "line", 500, 0)
    told = [
        (study["study_instance_uid"], one["line"])
        for study in found["studies"]
        for one in study["series"]
    ]
    assert told == [
        (line["study_instance_uid"], line["line"])
        for line in expected
        if line.get("series_instance_uid")
    ]
    of_open = [line for line in expected if can_be_ticked(line)]
    boxes = {one["line"] for study in found["studies"] for one in study["series"] if one["open"]}
    assert boxes == {one["line"] for one in of_open}
    assert (found["total"], found["series"]) == (
        len({line["study_instance_uid"] for line in expected}),
        len(told),
    )
    assert (found["open"], found["chosen"]) == (
        len(of_open),
        sum(line["chosen"] for line in of_open),
    )


def test_what_there_is_to_sieve_by(store: Store) -> None:
    with store.reading() as connection:
        found = review.studies(connection, TASK, Sieve(True, "CT", "image"), "line", 1, 0)
    kept = [line for line in LINES if line["kept"]]
    assert found["modalities"] == {
        one: sum(line["modality"] == one for line in kept) for one in ("CT", "SR", "PT")
    }
    assert found["reasons"] == {
        one: sum(line["reason"] == one for line in kept) for one in ("dose_report", "image")
    }
    assert list(found["reasons"].values()) == sorted(found["reasons"].values(), reverse=True)


@pytest.mark.parametrize("sort", [sign + name for name in review.SORTS for sign in ("", "-")])
def test_pages_of_a_sort_are_all_studies_once_in_order(store: Store, sort: str) -> None:
    with store.reading() as connection:
        pages = [
            review.studies(connection, TASK, Sieve(True), sort, 7, offset)["studies"]
            for offset in range(0, 210, 7)
        ]
    found = [study for page in pages for study in page]
    uids = {line["study_instance_uid"] for line in LINES if line["kept"]}
    assert len(found) == len(uids) and {study["study_instance_uid"] for study in found} == uids

    def key(study: Line) -> Any:
        name = sort.removeprefix("-")
        if name == "line":
            return study["series"][0]["line"]
        if name == "objects":
            known = [2 if one["singly"] else one["size"] for one in study["series"]]
            return (
                sum(size for size in known if size is not None)
                if any(size is not None for size in known)
                else None
            )
        return study[name] and study[name].lower()

    keys = [key(study) for study in found]
    given = [one for one in keys if one is not None]
    assert keys[len(given) :] == [None] * (len(keys) - len(given)), "what is not given comes last"
    assert given == sorted(given, reverse=sort.startswith("-"))


def test_ticking_all_of_a_sieve_and_lines(tmp_path: Path) -> None:
    store = filled(tmp_path)

    def state() -> dict[int, bool]:
        with store.reading() as connection:
            query = f'SELECT line, chosen FROM "{FOUND.name}" WHERE task_id = $1'
            assert connection.execute(query, [OTHER]).fetchall() == others
            return dict(connection.execute(query, [TASK]).fetchall())

    with store.reading() as connection:
        others = connection.execute(
            f'SELECT line, chosen FROM "{FOUND.name}" WHERE task_id = $1', [OTHER]
        ).fetchall()
    expected = {line["line"]: line["chosen"] for line in LINES}
    for these, chosen in (
        (Sieve(modality="CT"), False),
        (Sieve(text="head"), True),
        (Sieve(), True),
        ([3, 5, 10**9], False),
    ):
        meant = [
            line["line"]
            for line in LINES
            if can_be_ticked(line)
            and (passes(line, these) if isinstance(these, Sieve) else line["line"] in these)
        ]
        with store.writing() as connection:
            assert review.choose(connection, TASK, these, chosen) == len(meant)
        expected |= dict.fromkeys(meant, chosen)
        assert state() == expected
    store.close()


def test_of_a_search_of_which_nothing_was_fetched_all_can_be_ticked(tmp_path: Path) -> None:
    """DuckDB decides by what it knows of a column, so one without any value is a case of its
    own.
    """
    store = Store(tmp_path)
    fresh = [
        line | dict.fromkeys(("state", "fault", "asked_for", "arrived"), None) for line in LINES
    ]
    kept = sum(line["kept"] for line in fresh)
    with store.writing() as connection:
        connection.register("lines", pa.Table.from_pylist(fresh, schema=arrow_schema(FOUND)))
        connection.execute(f'INSERT INTO "{FOUND.name}" BY NAME SELECT * FROM lines')
        assert review.studies(connection, TASK, Sieve(True), "line", 10, 0)["open"] == kept
        for chosen in (False, True):
            assert review.choose(connection, TASK, Sieve(), chosen) == kept
            assert review.overview(connection, TASK)["series"] == (kept if chosen else 0)
    store.close()


def test_what_is_chosen_and_what_failed_is_counted(store: Store) -> None:
    with store.reading() as connection:
        told = review.overview(connection, TASK)
    chosen = [line for line in LINES if can_be_ticked(line) and line["chosen"]]
    sizes = [len(line["images"]) if line["images"] else line["size"] for line in chosen]
    assert told == {
        "series": len(chosen),
        "studies": len({line["study_instance_uid"] for line in chosen}),
        "objects": sum(size or 0 for size in sizes),
        "untold": sizes.count(None),
        "kept": sum(line["kept"] for line in LINES),
        "moved": sum(line.get("state") == "moved" for line in LINES),
        "faults": {"It is gone.": sum(line.get("state") == "failed" for line in LINES)},
    }


def test_decisions_as_a_file(store: Store) -> None:
    words = {one: f"It is {one}" for one in review.REASONS}
    with store.reading() as connection:
        raw = review.decisions(connection, TASK, words)
    assert raw.startswith(b"\xef\xbb\xbf") and raw.endswith(b"\r\n")
    told = list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline="")))
    assert len(told) == len(LINES)
    for line, cells in zip(LINES, told, strict=True):
        for name in (
            "study_instance_uid",
            "study_date",
            "series_instance_uid",
            "modality",
            "reason",
            "study_reason",
            "state",
            "size",
            "asked_for",
            "arrived",
            "fault",
        ):
            assert cells[name] == ("" if line.get(name) is None else str(line[name])), name
        assert (cells["kept"], cells["chosen"]) == (
            str(line["kept"]).lower(),
            str(line["chosen"]).lower(),
        )
        assert cells["modalities"] == "CT SR"
        # No spreadsheet takes a text of a node for a formula.
        description = line["study_description"] or ""
        assert cells["study_description"] == (
            f"'{description}" if description.startswith("=") else description
        )
        assert cells["reason_in_words"] == words[line.get("reason") or line["study_reason"]]
