"""Files of heights and weights: encodings, delimiters, numbers, units, what the columns seem to
be.
"""

import contextlib
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orthanc_dose.sizes import guesses, table, values

HEADER = ["Auftragsnummer", "Größe", "Gewicht"]
TEXT = "Auftragsnummer;Größe;Gewicht\r\nA 1;1,75;80,5\r\n\r\nÄ2;1,6;\r\n"


def read(raw: bytes) -> tuple[table.Dialect, list[tuple[int, list[str] | None]]]:
    dialect = table.dialect(BytesIO(raw))
    return dialect, [(row.line, row.cells) for row in table.table_rows(BytesIO(raw), dialect)]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]
)
def test_encodings(encoding: str) -> None:
    dialect, rows = read(TEXT.encode(encoding))
    assert list(dialect.columns) == HEADER
    assert rows == [(2, ["A 1", "1,75", "80,5"]), (4, ["Ä2", "1,6", ""])]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [";", "\t", ",", "|"])
def test_delimiters_and_ends_of_lines(delimiter: str, end: str) -> None:
    lines = [["Accession", "Size, cm", 'a "name"'], ["1", "175,5", "x"], ["2", "160.25", 'y"z']]
    quoted = [
        delimiter.join('"' + cell.replace('"', '""') + '"' for cell in line) for line in lines
    ]
    dialect, rows = read(end.join(quoted).encode())
    assert (dialect.delimiter, list(dialect.columns)) == (delimiter, lines[0])
    assert rows == [(2, lines[1]), (3, lines[2])]


def test_a_line_with_more_cells_than_columns_is_not_read() -> None:
    # An unquoted decimal comma would shift weight to height.
    _, rows = read(b"id,height,weight\nA,170,80\nB,1,75,80\nC,160,70\nD,171,81,,\nE,172\n")
    assert rows == [
        (2, ["A", "170", "80"]),
        (3, None),
        (4, ["C", "160", "70"]),
        (5, ["D", "171", "81", "", ""]),
        (6, ["E", "172"]),
    ]


def test_a_cell_may_hold_line_ends() -> None:
    _, rows = read(b'id;note;height\nA;"two\nlines";170\nB;;171\n')
    assert rows == [(2, ["A", "two\nlines", "170"]), (4, ["B", "", "171"])]


def test_quotes_that_do_not_match_hide_no_line() -> None:
    _, rows = read(b'id;height;weight\nA;170;80\n"B;171;81\nC;172;82\nD;173;83\n')
    assert rows == [(2, ["A", "170", "80"]), (3, None), (4, None), (5, None)]


@pytest.mark.parametrize("raw", [
    b"", b"\r\n\r\n", b"one column\n1\n2\n", b"PK\x03\x04 a workbook", b"\xd0\xcf\x11\xe0", b"%PDF-1.4", bytes(range(256)) * 9,
    b"a;b\n" + b"\0" * 99,
], ids=["empty", "blank", "one column", "xlsx", "xls", "pdf", "bytes", "zeros"])  # fmt: skip
def test_what_is_no_table_is_refused_with_a_reason(raw: bytes) -> None:
    with pytest.raises(table.NotATable, match=r"^The file .*\.$"):
        table.dialect(BytesIO(raw))


@given(st.binary(max_size=400))
def test_no_bytes_are_an_error_of_another_kind(raw: bytes) -> None:
    with contextlib.suppress(table.NotATable):
        read(raw)


_CELL = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), max_size=8)


@given(st.lists(st.lists(_CELL, min_size=3, max_size=3)))
def test_rows_come_back_as_they_were_written(lines: list[list[str]]) -> None:
    def cell(text: str) -> str:
        return '"' + text.replace('"', '""') + '"'

    text = "".join(
        ";".join(map(cell, line)) + "\n" for line in [["id", "height", "weight"], *lines]
    )
    dialect = table.Dialect("utf-8", ";", ("id", "height", "weight"))
    found = list(table.table_rows(BytesIO(text.encode()), dialect))
    wanted = [(number, line) for number, line in enumerate(lines, 2) if any(map(str.strip, line))]
    assert [(row.line, row.cells) for row in found] == wanted


@pytest.mark.parametrize(("text", "unit", "value"), [
    ("175", "cm", 1.75), ("1.75", "m", 1.75), ("1,75", "m", 1.75), (" 170,3 ", "cm", 1.703), ("175 cm", "m", 1.75),
    ("1.75m", "cm", 1.75), ("1,8 M", None, 1.8), ("180.", "cm", 1.8), (",95", "m", 0.95), ("+160", "cm", 1.6),
    ("1.750", "m", 1.75), ("20", "cm", 0.2), ("260", "cm", 2.6), ("\u00a0175\u00a0cm", "cm", 1.75), ("175 cm.", "cm", 1.75),
])  # fmt: skip
def test_heights(text: str, unit: str | None, value: float) -> None:
    assert values.read_size(text, "height", unit) == values.Value(value)


@pytest.mark.parametrize(("text", "unit", "problem"), [
    ("1.234,5", "cm", "no number"), ("1,234.5", "cm", "no number"), ("1 75", "cm", "no number"), ("5'10\"", "cm", "no number"),
    ("unknown", "cm", "no number"), ("1e2", "cm", "no number"), ("nan", "m", "no number"), ("inf", "m", "no number"),
    ("\u0661\u0667\u0665", "cm", "no number"), ("175", None, "unit missing"), ("69 in", "cm", "unit unknown"),
    ("175 kg", "cm", "unit unknown"),
    ("0", "cm", "implausible"), ("-175", "cm", "implausible"), ("1.75", "cm", "implausible"), ("175", "m", "implausible"),
    ("19.9", "cm", "implausible"), ("260.1", "cm", "implausible"), ("9" * 40, "cm", "no number"), ("=1+1", "cm", "no number"),
])  # fmt: skip
def test_heights_that_are_none(text: str, unit: str | None, problem: str) -> None:
    assert values.read_size(text, "height", unit) == values.Value(problem=problem)


def test_an_empty_cell_gives_nothing() -> None:
    assert (
        values.read_size("  ", "height", "cm")
        == values.EMPTY
        == values.read_size("", "weight", None)
    )


@pytest.mark.parametrize(
    ("text", "value"), [("80,5", 80.5), ("80.5 kg", 80.5), ("0.2", 0.2), ("450", 450.0)]
)
def test_weights(text: str, value: float) -> None:
    assert values.read_size(text, "weight", "kg") == values.Value(value)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("3200", "implausible"),
        ("3200 g", "unit unknown"),
        ("180 lb", "unit unknown"),
        ("1,80,5", "no number"),
    ],
)
def test_weights_that_are_none(text: str, problem: str) -> None:
    assert values.read_size(text, "weight", "kg") == values.Value(problem=problem)


@given(st.integers(200, 2600), st.sampled_from(".,"), st.booleans())
def test_metres_and_centimetres_are_the_same_height(
    millimetres: int, sign: str, in_cell: bool
) -> None:
    metres = f"{millimetres // 1000}{sign}{millimetres % 1000:03d}"
    centimetres = f"{millimetres // 10}{sign}{millimetres % 10}"
    wanted = values.Value(float(f"{millimetres // 1000}.{millimetres % 1000:03d}"))
    assert (
        values.read_size(f"{metres} m" if in_cell else metres, "height", "cm" if in_cell else "m")
        == wanted
    )
    assert (
        values.read_size(
            f"{centimetres} cm" if in_cell else centimetres, "height", None if in_cell else "cm"
        )
        == wanted
    )


def guess(header: str, *lines: str) -> guesses.Guess:
    return guesses.guess(header.split(";"), [line.split(";") for line in lines])


@pytest.mark.parametrize(("header", "wanted"), [
    ("Accession number;Height (cm);Weight (kg)", (1, 2, 0)),
    ("Name;Auftragsnummer;Körpergröße;Körpergewicht", (2, 3, 1)),
    ("taille;poids;accession", (0, 1, 2)),
    ("PatientWeight;PatientSize;StudyInstanceUID", (1, 0, 2)),
    ("weight_kg;height_m;study description;acc", (1, 0, 3)),
    ("a;b;c", (None, None, None)),
])  # fmt: skip
def test_columns_by_their_names(header: str, wanted: tuple[int | None, ...]) -> None:
    found = guess(header)
    assert (found.height, found.weight, found.identifier) == wanted


def test_an_identifier_by_its_values() -> None:
    found = guess("x;Size;key", "a;170;1.2.840.1", "b;171;1.2.840.2")
    assert (found.identifier, found.kind) == (2, "study-uid")
    assert guess("Accession;Size", "1234;170").kind == "accession-number"


@pytest.mark.parametrize(("name", "cells", "unit", "by"), [
    ("Height (cm)", ["175", "160"], "cm", "header"), ("height_m", ["1.75"], "m", "header"),
    ("Height in cm", [], "cm", "header"),
    ("Größe", ["1,75", "1,60", "?"], "m", "values"), ("Größe", ["1,75", "1,60", "0"], "m", "values"),
    ("Größe", ["175", "98", "160"], "cm", "values"), ("Height (m)", ["175", "160"], None, None),
    ("Height (in)", ["69", "70"], None, None), ("Height", ["69", "70", "62"], None, None),
    ("Height", ["175", "1.75"], None, None),
    ("Height (cm/m)", ["175"], None, None), ("Height", [], None, None), ("Height", ["175 cm", "1.6 m"], None, None),
])  # fmt: skip
def test_the_unit_of_heights_where_it_is_sure(
    name: str, cells: list[str], unit: str | None, by: str | None
) -> None:
    found = guess(f"accession;{name}", *(f"{at};{cell}" for at, cell in enumerate(cells)))
    assert (found.height_unit, found.height_unit_by) == (unit, by)


@pytest.mark.parametrize(
    ("name", "unit"),
    [("Weight", "kg"), ("Weight [kg]", "kg"), ("Weight (lb)", None), ("Gewicht in g", None)],
)
def test_the_unit_of_weights(name: str, unit: str | None) -> None:
    assert guess(f"accession;{name}").weight_unit == unit
