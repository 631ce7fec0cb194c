"""The process of a statement, as the side sees it that starts it."""

from pathlib import Path

import pytest

from orthanc_dose.sql import process as process_module
from orthanc_dose.sql.process import Process


def test_a_process_that_has_waited_for_long_is_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A spare waits for minutes: how long its start may take says nothing of that."""
    waiting = Process(tmp_path / "empty")
    try:
        waiting.wait_until_ready(lambda: None)
    finally:
        waiting.close()
    monkeypatch.setattr(process_module, "_START_S", -1.0)
    spare = Process(tmp_path / "empty")
    try:
        assert process_module.select.select([spare._out], [], [], 60.0)[0]
        spare.wait_until_ready(lambda: None)
        assert spare.is_usable()
    finally:
        assert spare.close() or not spare.is_usable()
