"""Pure parts of exports: names of sheets as spreadsheets allow them, exposures that are alike."""

from hypothesis import given
from hypothesis import strategies as st

from orthanc_dose.export.groups import numbered
from orthanc_dose.export.sheet_names import SheetNames

# What Microsoft documents of sheets' names: at most 31 characters, none of these, no apostrophe at
# either end, not "History".
FORBIDDEN = set("[]:*?/\\")


@given(st.lists(st.text(max_size=60), max_size=30))
def test_sheets_get_names_that_spreadsheets_allow(wanted: list[str]) -> None:
    names = SheetNames()
    given_names = [names.give(one) for one in wanted]
    folded = [name.casefold() for name in given_names]
    assert len(set(folded)) == len(folded) and "history" not in folded
    for name in given_names:
        assert 0 < len(name.encode("utf-16-le")) <= 62
        assert not FORBIDDEN & set(name) and not name.startswith("'") and not name.endswith("'")


def test_names_that_clash_are_numbered() -> None:
    names = SheetNames()
    assert [
        names.give(one) for one in ("Abdomen", "ABDOMEN", "Head/Neck", "", "x" * 40, "x" * 41)
    ] == ["Abdomen", "ABDOMEN (2)", "Head Neck", "(blank)", "x" * 31, "x" * 27 + " (2)"]


def test_exposures_are_grouped_by_the_first_of_the_group() -> None:
    exposures = [
        (1, 1, ("fluoro",), 0.0, 0.0),
        (1, 2, ("fluoro",), 5.0, 0.0),  # within 5 degrees of the first
        (1, 3, ("fluoro",), 9.0, 0.0),  # of the second, but not of the first
        (1, 4, ("other",), 0.0, 0.0),
        (1, 5, ("fluoro",), 0.0, None),  # an angle that is not given is not considered
        (1, 6, ("fluoro",), 6.0, 0.0),  # 6 from the first, 3 from the third
        (2, 1, ("fluoro",), 178.0, None),
        (2, 2, ("fluoro",), -179.0, None),  # three degrees further
    ]
    assert [number for _, _, number in numbered(exposures)] == [1, 1, 2, 3, 1, 2, 1, 1]


def test_a_group_takes_what_it_lacks_from_its_exposures_and_then_keeps_to_it() -> None:
    exposures = [
        (1, 1, (None, "Cu 0.2"), None, 0.0),
        (1, 2, (220.0, "Cu 0.2"), 30.0, None),  # the group now has a field and an angle
        (1, 3, (150.0, ""), None, None),  # another field
        (
            1,
            4,
            (None, "Cu 0.2"),
            60.0,
            0.0,
        ),  # another angle than the first group, not than the second
        (1, 5, (220.0, "Cu 0.5"), 30.0, 0.0),
        (1, 6, (None, ""), None, None),  # nothing speaks against the first
    ]
    assert [number for _, _, number in numbered(exposures)] == [1, 1, 2, 2, 3, 1]
