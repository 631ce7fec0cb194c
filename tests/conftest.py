"""What holds for all tests: how much they try, in which order the files come, and what was tried at
the end.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.support.effort import LONG, choose_profile

HERE = Path(__file__).parent
# Files that take longest, the longest first: with two files at a time none of them is left for the
# end, when one worker would have nothing to do. `make test` names slow tests when it is done.
LONGEST = (
    "orthanc/test_api_contract.py",
    "orthanc/test_identity_leaks.py",
    "orthanc/test_tasks.py",
    "unit/test_arrival.py",
    "unit/test_ocr.py",
    "orthanc/test_equipment.py",
    "orthanc/test_locked_doors.py",
    "orthanc/test_deletion.py",
    "browser/test_details.py",
    "orthanc/test_sessions.py",
    "orthanc/test_study_files.py",
    "orthanc/test_study_deletion.py",
    "browser/test_charts_page.py",
    "orthanc/test_sources.py",
    "browser/test_exports_page.py",
    "orthanc/test_sql_limits.py",
    "browser/test_lists.py",
    "orthanc/test_sql_refused.py",
    "orthanc/test_task_faults.py",
    "orthanc/test_size_import.py",
    "browser/test_sign_in.py",
    "browser/test_equipment.py",
    "browser/test_pages.py",
    "browser/test_access.py",
    "browser/test_chart_options.py",
    "orthanc/test_exports.py",
    "orthanc/test_kill.py",
    "orthanc/test_planted_identity.py",
    "orthanc/test_reading.py",
)

choose_profile()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what tries more in the long run, and put the files that take longest first."""
    for item in items:
        if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            item.add_marker(pytest.mark.tries_more)
    places = {HERE / name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """Note in the report of a property with how many examples it was tried, for the summary."""
    report = yield
    tried = getattr(item, "obj", None)
    if report.when == "call" and report.passed and getattr(tried, "is_hypothesis_test", False):
        number = tried._hypothesis_internal_use_settings.max_examples
        report.user_properties.append(("examples of properties, at most", number))
    return report


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say what was tried: the numbers that tests have recorded, added up."""
    tried: Counter[str] = Counter()
    for report in terminalreporter.stats.get("passed", ()):
        for name, number in report.user_properties:
            if isinstance(number, int):
                tried[name] += number
    if tried:
        said = ", ".join(f"{number:,} {name}" for name, number in tried.items())
        terminalreporter.write_line(f"Tried{' in the long run' if LONG else ''}: {said}")
