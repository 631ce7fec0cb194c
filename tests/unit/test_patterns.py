"""Patterns with wildcards, as the lists of settings hold them."""

import pytest

from orthanc_dose.dicom.patterns import matched


@pytest.mark.parametrize(
    ("text", "patterns", "found"),
    [
        ("PHYSICS^TEST", ["qa*", "*phy*"], "*phy*"),
        ("physics", ["PHYSICS"], "PHYSICS"),
        ("physics test", ["physics"], None),  # the whole text, not a part of it
        ("QA7", ["qa?"], "qa?"),
        ("QA17", ["qa?"], None),
        ("QA7", ["qa[0-9]"], "qa[0-9]"),
        ("QAx", ["qa[!0-9]"], "qa[!0-9]"),
        ("QA7", ["qa[!0-9]"], None),
        ("STRASSE", ["stra\u00dfe"], "stra\u00dfe"),
        ("\u0391\u03a3", ["\u03b1\u03c3*"], "\u03b1\u03c3*"),
        (" padded ", ["padded"], "padded"),
        ("two*", ["a", "two[*]", "*"], "two[*]"),  # the first that fits
        ("", ["*"], None),
        (None, ["*"], None),
        ("anything", [], None),
        ("open[", ["open["], "open["),
    ],
)
def test_patterns(text: str | None, patterns: list[str], found: str | None) -> None:
    assert matched(text, patterns) == found
