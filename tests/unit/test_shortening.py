"""Long texts in answers."""

from orthanc_dose.rest.shortening import LONGEST, short


def test_a_long_text_is_cut_once_and_says_how_much_is_missing() -> None:
    cut = "x" * LONGEST + "… (12,345 more characters)"
    assert short({"a": ["x" * (LONGEST + 12_345)]}) == {"a": [cut]}
    # An answer is shortened where it is made and where it is sent.
    assert short(cut) == cut


def test_other_texts_are_left() -> None:
    assert short(["x" * LONGEST, 5, None]) == ["x" * LONGEST, 5, None]
