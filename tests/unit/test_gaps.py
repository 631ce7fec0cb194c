"""Why the store has nothing of a study: cases of what searches found and what came, on a real
store.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from orthanc_dose.records import FOUND, OBJECT
from orthanc_dose.retrieve.gaps import WHY, counted, gaps
from orthanc_dose.store import Store
from orthanc_dose.store.schema import arrow_schema

EARLIER, CHECK, LATER = 3, 5, 8  # searches; the gaps are those of CHECK
STUDY = "1.2.3"
Row = dict[str, Any]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path)
    yield made
    made.close()


def line(search: int, reason: str = "dose_report", study: str = STUDY, **fields: Any) -> Row:
    """A series that is fetched: one report, that the node lists."""
    return {
        "task_id": search,
        "line": 1,
        "study_instance_uid": study,
        "kept": True,
        "chosen": True,
        "reason": reason,
        "listed": [f"{study}.1"],
    } | fields


def left(search: int, reason: str | None = "no_report", study: str = STUDY, **fields: Any) -> Row:
    """A series that is left, or a study with study_reason alone."""
    own = {
        "reason": reason,
        "kept": False,
        "chosen": False,
        "listed": None,
        "study_reason": "nothing_to_fetch",
    }
    return line(search, study=study) | own | fields


def came(
    outcome: str, study: str = STUDY, number: int = 1, reason: str | None = None, minute: int = 0
) -> Row:
    return {
        "handle": f"{study}-{number}",
        "study_instance_uid": study,
        "sop_instance_uid": f"{study}.{number}",
        "outcome": outcome,
        "reason": reason,
        "processed_at": datetime(2026, 3, 2, 8, minute),
    }


def fill(store: Store, found: list[Row], objects: list[Row]) -> None:
    with store.writing() as connection:
        for table, rows in ((FOUND, found), (OBJECT, objects)):
            connection.register("rows", pa.Table.from_pylist(rows, schema=arrow_schema(table)))
            connection.execute(f'INSERT INTO "{table.name}" BY NAME SELECT * FROM rows')
            connection.unregister("rows")


def page(store: Store, why: str | None = None, limit: int = 50, offset: int = 0) -> Any:
    with store.reading() as connection:
        return gaps(connection, CHECK, why, limit, offset)


# What searches found; what came; why, reason, fault and the search that tells it. None: it is no
# gap.
CASES: dict[str, tuple[list[Row], list[Row], tuple[Any, ...] | None]] = {
    "it is imported": ([line(CHECK)], [came("imported")], None),
    "some of it is imported": ([line(CHECK)], [came("ignored"), came("duplicate", number=2)], None),
    "nobody came by it": ([line(CHECK)], [], ("never_asked", None, None, None)),
    "a rule leaves its series": ([left(CHECK)], [], ("rule", "no_report", None, None)),
    "a rule leaves the study": (
        [left(CHECK, None, study_reason="description")],
        [],
        ("rule", "description", None, None),
    ),
    "it has no series at all": (
        [left(CHECK, None)],
        [],
        ("rule", "nothing_to_fetch", None, None),
    ),
    "a report that is none says more than the images": (
        [left(CHECK, "no_report"), left(CHECK, "no_dose_report"), left(CHECK, "station_name")],
        [],
        ("rule", "no_dose_report", None, None),
    ),
    "the node refused to say what it holds": (
        [left(CHECK, None, study_reason="refused", told="The node refused.")],
        [],
        ("failed", "refused", "The node refused.", None),
    ),
    "an earlier search left it by a rule that this one has not": (
        [line(CHECK), left(EARLIER, None, study_reason="description")],
        [],
        ("rule", "description", None, EARLIER),
    ),
    "the same, and another looked without fetching": (
        [line(CHECK), left(EARLIER, None, study_reason="description"), line(EARLIER + 1)],
        [],
        ("rule", "description", None, EARLIER),
    ),
    "a later one leaves it": ([line(CHECK), left(LATER)], [], ("never_asked", None, None, None)),
    "a later one keeps it": ([line(CHECK), line(LATER)], [], ("never_asked", None, None, None)),
    "an earlier one kept it, and nobody fetched it": (
        [line(CHECK), line(EARLIER)],
        [],
        ("not_fetched", None, None, EARLIER),
    ),
    "its fetching was broken off": (
        [line(CHECK), line(EARLIER, state="moving")],
        [],
        ("not_fetched", None, None, EARLIER),
    ),
    "ticked off": (
        [line(CHECK), line(EARLIER, chosen=False)],
        [],
        ("ticked_off", None, None, EARLIER),
    ),
    "ticked off in this search": (
        [line(CHECK, chosen=False)],
        [],
        ("ticked_off", None, None, CHECK),
    ),
    "one series ticked off, and another fetched without success": (
        [
            line(CHECK),
            line(EARLIER, chosen=False),
            line(EARLIER, state="failed", fault="It is gone."),
        ],
        [],
        ("failed", None, "It is gone.", EARLIER),
    ),
    "ticked off by somebody though a rule leaves it now": (
        [left(CHECK), line(EARLIER, chosen=False)],
        [],
        ("ticked_off", None, None, EARLIER),
    ),
    "failed": (
        [line(CHECK), line(EARLIER, state="failed", fault="The node refused.")],
        [],
        ("failed", None, "The node refused.", EARLIER),
    ),
    "failed, and ticked off later": (
        [line(CHECK), line(EARLIER, state="failed", fault="x"), line(EARLIER + 1, chosen=False)],
        [],
        ("ticked_off", None, None, EARLIER + 1),
    ),
    "failed after this search": (
        [line(CHECK), line(LATER, state="failed", fault="It is gone.")],
        [],
        ("failed", None, "It is gone.", LATER),
    ),
    "sent, and it did not come": (
        [line(CHECK), line(EARLIER, state="moved")],
        [],
        ("not_arrived", None, None, EARLIER),
    ),
    "sent, and another object of the study is here": (
        [line(CHECK), line(EARLIER, state="moved")],
        [came("ignored", number=9)],
        ("not_arrived", None, None, EARLIER),
    ),
    "sent, came, and was forgotten since": (
        [line(CHECK), line(EARLIER, state="moved", arrived=1)],
        [],
        ("not_imported", None, None, EARLIER),
    ),
    "sent, came, and a rule of reading ignored it": (
        [left(CHECK, "known"), line(EARLIER, state="moved")],
        [came("ignored", reason="No dose in it.")],
        ("not_imported", "ignored", "No dose in it.", EARLIER),
    ),
    "it came by itself and failed": (
        [line(CHECK)],
        [came("failed", reason="It cannot be read.")],
        ("not_imported", "failed", "It cannot be read.", None),
    ),
    "of several that came the failed one is told": (
        [line(CHECK, listed=[f"{STUDY}.{n}" for n in (1, 2, 3)])],
        [
            came("ignored", number=1, minute=9),
            came("failed", number=2, reason="Broken."),
            came("ignored", number=3, minute=8),
        ],
        ("not_imported", "failed", "Broken.", None),
    ),
    "images by themselves count, not the rest of their series": (
        [line(CHECK, "first_image", images=[f"{STUDY}.2"], listed=[f"{STUDY}.1", f"{STUDY}.2"])],
        [came("ignored")],
        ("never_asked", None, None, None),
    ),
    "the node lists no objects, and something came": (
        [line(CHECK, listed=None), line(EARLIER, listed=None, state="moved")],
        [came("ignored", number=7, reason="No dose.")],
        ("not_imported", "ignored", "No dose.", EARLIER),
    ),
    "what was known then is forgotten": (
        [line(CHECK), left(EARLIER, "known"), left(EARLIER, "report_says_it")],
        [],
        ("not_fetched", None, None, EARLIER),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_why_a_study_is_not_in_the_store(store: Store, case: str) -> None:
    found, objects, expected = CASES[case]
    # Another study, of which this search knows nothing, changes nothing.
    fill(
        store,
        [*found, line(EARLIER, study="1.2.9", state="failed", fault="x")],
        [*objects, came("failed", study="1.2.9")],
    )
    told = page(store)
    said = [(gap["why"], gap["reason"], gap["fault"], gap["search"]) for gap in told["gaps"]]
    assert said == ([expected] if expected else [])
    assert told["total"] == len(told["gaps"])


def test_gaps_stand_in_the_order_of_the_search_are_counted_and_come_in_pages(store: Store) -> None:
    found = [
        line(
            CHECK,
            study=f"1.2.{n}",
            line=2 * n,
            study_date="20260302",
            study_description=f"Study {n}",
            modalities=["CT"],
        )
        for n in range(30, 0, -1)
    ]
    found += [left(CHECK, study=f"1.2.{n}", line=2 * n + 1) for n in range(1, 31)]
    found += [line(EARLIER, study=f"1.2.{n}", chosen=False) for n in range(1, 11)]
    fill(store, found, [came("imported", study="1.2.30")])
    told = page(store, limit=2, offset=9)
    assert (told["total"], told["why"]) == (29, {"ticked_off": 10, "never_asked": 19})
    assert [gap["study_instance_uid"] for gap in told["gaps"]] == ["1.2.10", "1.2.11"]
    assert told["gaps"][1] == {
        "study_instance_uid": "1.2.11",
        "study_date": "20260302",
        "study_description": "Study 11",
        "modalities": ["CT"],
        "why": "never_asked",
        "reason": None,
        "fault": None,
        "search": None,
    }
    never = page(store, "never_asked", limit=50, offset=1)
    assert (never["total"], never["why"]) == (19, told["why"])
    assert [gap["study_instance_uid"] for gap in never["gaps"]] == [
        f"1.2.{n}" for n in range(12, 30)
    ]
    assert page(store, "rule") == {"total": 0, "why": told["why"], "gaps": []}
    with store.reading() as connection:
        assert counted(connection, CHECK) == told["why"] and counted(connection, LATER) == {}
    assert set(told["why"]) < set(WHY)
