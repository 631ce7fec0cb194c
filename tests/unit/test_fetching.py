"""What a retrieval waits for before it counts what arrived."""

import threading

import pytest

from orthanc_dose.retrieve import fetching
from orthanc_dose.retrieve.fetching import Reading, await_reading
from orthanc_dose.work.task_interface import Stopped


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No patience, and no pause between two looks."""
    monkeypatch.setattr(fetching, "_PATIENCE_S", 0.0)
    monkeypatch.setattr(fetching, "_LOOK_S", 0.0)


def test_however_slowly_it_is_read_all_that_has_arrived_is_waited_for() -> None:
    # Meanwhile more arrives, of which the retrieval knows nothing: change 20 was the last one.
    seen = iter([Reading(at, 20 if at == 15 else 99, False) for at in range(15, 30)])
    await_reading(lambda: next(seen), threading.Event())
    assert next(seen).cursor == 21


def test_a_log_that_is_emptied_meanwhile_is_waited_for_to_its_new_end() -> None:
    seen = iter([Reading(15, 20, False), Reading(0, 3, False), Reading(3, 3, False)])
    await_reading(lambda: next(seen), threading.Event())
    assert list(seen) == []


def test_what_cannot_be_written_is_waited_for_in_vain() -> None:
    seen = iter([Reading(1, 9, False), *[Reading(2, 9, True)] * 1000])
    await_reading(lambda: next(seen), threading.Event())


def test_stopping_ends_the_wait() -> None:
    stopping = threading.Event()
    stopping.set()
    with pytest.raises(Stopped):
        await_reading(lambda: Reading(1, 9, False), stopping)
