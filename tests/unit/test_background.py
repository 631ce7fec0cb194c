"""Tasks on threads of their own: whatever they are at, stopping ends them."""

import threading
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orthanc_dose.export.background import Background, Run
from orthanc_dose.store import Store

ENDLESS = "SELECT count(*) FROM range(10000000) a, range(10000000) b, range(10000000) c"


def test_a_task_that_is_stopped_between_two_statements_ends_in_the_next(tmp_path: Path) -> None:
    store = Store(tmp_path)
    background = Background(store, {"export"})
    reached, asked, ended = threading.Event(), threading.Event(), threading.Event()

    def work(run: Run) -> dict[str, Any]:
        with store.snapshot() as run.connection:
            reached.set()
            asked.wait()
            with pytest.raises(duckdb.InterruptException):
                run.connection.execute(ENDLESS)
            ended.set()
        return {}

    number = background.start("export", "somebody", "", {}, work)
    reached.wait()
    assert background.stop(number)
    asked.set()
    assert ended.wait(60), "the statement goes on"
    background.close()
    store.close()
