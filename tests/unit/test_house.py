"""Rules of the house: imports point one way, `orthanc` is known in one place, docs say what the
code says.
"""

import ast
import json
import re
import runpy
import tomllib
from collections import defaultdict
from pathlib import Path

import pytest

from orthanc_dose import records
from orthanc_dose.dicom import units
from orthanc_dose.extract.rows import compile_fields
from orthanc_dose.records import TABLES, Field
from orthanc_dose.records.common import OBSERVERS
from orthanc_dose.records.document import markdown

REPOSITORY = Path(__file__).parents[2]
PACKAGE = REPOSITORY / "plugin" / "orthanc_dose"
TOOLS = tuple((REPOSITORY / "tools").glob("*.py"))
REFERENCE = REPOSITORY.parent / "shared" / "reference" / "rdsr_codes.json"

# Each package and the packages that it may use. Nothing points back.
MAY_USE = {
    "dicom": set(),
    "records": {"dicom"},
    "extract": {"dicom", "records"},
    "assemble": {"dicom", "records", "extract"},
    "store": {"dicom", "records", "extract", "assemble"},
    "work": {"records", "store"},
    "estimates": {"dicom", "records", "store", "work"},
    "alerts": {"dicom", "query", "records", "store"},
    "ocr": {"dicom"},
    "sizes": {"cells", "client", "dicom", "records", "store"},
    "skindose": {"dicom"},
    "ingest": {"assemble", "dicom", "extract", "ocr", "records", "sizes", "store", "work"},
    "query": {"assemble", "dicom", "records", "extract", "store"},
    "manage": {"dicom", "outgoing", "records", "store", "work"},
    "backup": {"client", "records", "store", "work"},
    "export": {"cells", "client", "dicom", "records", "store", "query", "work"},
    "charts": {"cells", "dicom", "export", "query", "records"},
    "retrieve": {"cells", "client", "dicom", "records", "store", "work"},
    "sql": {"cells", "export", "records", "store", "work"},
    "rest": {
        "backup",
        "charts",
        "estimates",
        "export",
        "manage",
        "records",
        "retrieve",
        "sizes",
        "sql",
        "store",
        "query",
        "work",
    },
    "samples": set(),
    "cells": set(),
    "config": set(),
    "host": {"loopback"},
    "client": set(),
    "loopback": set(),
    "outgoing": set(),
    "sending": {"client", "dicom", "sendable"},
    "sendable": set(),
    "cli": {"backup", "client", "export", "records", "retrieve", "samples", "sending", "sizes"},
    "app": {
        "backup",
        "config",
        "estimates",
        "export",
        "host",
        "ingest",
        "loopback",
        "manage",
        "outgoing",
        "records",
        "rest",
        "retrieve",
        "sizes",
        "sql",
        "store",
        "work",
    },
}


def imports(path: Path) -> set[str]:
    """Absolute names of the modules that a file imports."""
    package = ("orthanc_dose", *path.relative_to(PACKAGE).parent.parts)
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            name = ".".join(part for part in (base, node.module) if part)
            found |= {f"{name}.{alias.name}" for alias in node.names} if not node.module else {name}
    return found


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def package_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).parts
    return parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_one_way(path: Path) -> None:
    here = package_of(path)
    if here == "__init__":
        return
    used = {name.split(".")[1] for name in imports(path) if name.startswith("orthanc_dose.")} - {
        here,
        "__version__",
        "LICENCE",
    }
    assert used <= MAY_USE[here], f"{here} may not use {used - MAY_USE[here]}"


def test_only_the_host_knows_orthanc() -> None:
    assert {path.name for path in modules() if "orthanc" in imports(path)} == {"host.py"}


def texts_of(path: Path) -> list[str]:
    """The texts of a module that are no documentation."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told
    ]


def test_sop_classes_and_transfer_syntaxes_stand_in_dicom_alone() -> None:
    found = {
        str(path.relative_to(PACKAGE))
        for path in modules()
        if package_of(path) not in ("dicom", "samples")
        and any("1.2.840.10008" in text for text in texts_of(path))
    }
    assert not found


def test_a_coded_value_that_several_modules_need_stands_in_dicom_alone() -> None:
    """Fields are declared by their concepts in records/, which is another fact; samples are made by
    tables of their own, so that tests prove something."""
    where: defaultdict[str, set[str]] = defaultdict(set)
    for path in modules():
        if package_of(path) in ("records", "samples") or path.name in ("codes.py", "units.py"):
            continue
        for text in texts_of(path):
            # A code by itself, or keys within a statement.
            codes = re.findall(r"\b(?:DCM|SCT):(\d{6,9})\b", text)
            codes += [text] if re.fullmatch(r"1[123]\d{4}|\d{7,9}", text) else []
            for code in codes:
                where[code].add(str(path.relative_to(PACKAGE)))
    assert where, "no code was found: the test does not look"
    assert {code: sorted(files) for code, files in where.items() if len(files) > 1} == {}


def test_duckdbs_number_of_a_row_is_relied_on_in_one_module() -> None:
    found = {path.name for path in modules() if any("rowid" in text for text in texts_of(path))}
    assert found == {"places.py"}


def test_states_and_numbers_are_written_in_one_module_each() -> None:
    written = re.compile(r"(INTO|FROM) state\b|max\((id|number)\)")
    found = {path.name for path in modules() if any(map(written.search, texts_of(path)))}
    # A table of a statement in sizes/matching.py, a column of one in export/forms.py, and where the
    # studies end that were there before a follower, in work/followers.py.
    assert found <= {"state.py", "numbers.py", "matching.py", "forms.py", "followers.py"}


# A docstring that begins with one of these has no verb: it says what is given back, but not that it is.
FRAGMENTS = re.compile(
    r"(The|An?|One|Each|Every|Its|This|That|These|Those|All|Some|None|Nothing|Everything|True|False|"
    r"Whether|What|Which|Who|Whose|How|Where|When|Of|As|By|In|At|From|For|With|It|They|There)\b|[^A-Z]"
)


def test_docstrings_of_functions_begin_with_a_verb() -> None:
    """The rest of the rule, PEP 257's imperative, is left to whoever reads a change."""
    found = []
    for path in (*modules(), *(REPOSITORY / "bench").glob("*.py"), *TOOLS):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            said = ast.get_docstring(node)
            is_property = any("property" in ast.unparse(one) for one in node.decorator_list)
            if said and not is_property and FRAGMENTS.match(said):
                found.append(f"{path.name}:{node.lineno} {said[:60]}")
    assert found == []


def test_the_facts_of_the_web_ui_are_those_of_the_server() -> None:
    made = runpy.run_path(str(REPOSITORY / "tools" / "web_facts.py"))
    assert made["FILE"].read_text(encoding="utf-8") == made["text"](), "run `make docs`"


def test_the_types_of_the_web_ui_are_those_of_the_routes() -> None:
    made = runpy.run_path(str(REPOSITORY / "tools" / "api_types.py"))
    if not Path(made["COMMAND"][0]).exists():
        pytest.skip("the packages of the web UI are not installed")
    assert made["FILE"].read_text(encoding="utf-8") == made["text"](), "run `make docs`"


def test_the_types_of_rows_are_those_of_the_tables() -> None:
    made = runpy.run_path(str(REPOSITORY / "tools" / "row_types.py"))
    assert made["FILE"].read_text(encoding="utf-8") == made["text"](), "run `make docs`"


def test_the_types_of_all_code_but_the_tests_are_checked() -> None:
    """`make lint` runs mypy, by this configuration."""
    mypy = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["tool"]["mypy"]
    assert mypy["strict"] and mypy["files"] == ["plugin", "bench", "tools"]
    assert "ignore-without-code" in mypy["enable_error_code"]
    assert {one["module"] for one in mypy["overrides"]} == {"plotly.*", "tests.*"}
    for path in (path for name in mypy["files"] for path in (REPOSITORY / name).rglob("*.py")):
        assert "# mypy:" not in path.read_text("utf-8"), path


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_fields_are_declared_once_and_no_two_claim_a_content_item(table: records.Table) -> None:
    assert len(set(table.names)) == len(table.names)
    compile_fields(tuple(field for field in table.fields if field is not OBSERVERS))


def test_numbers_have_a_unit_and_everything_a_title() -> None:
    def check(field: Field) -> None:
        assert field.title and (
            field.unit if field.type in ("number", "numbers") else not field.unit
        ), field.name
        # Raises UnknownUnit for a unit that is not known, or that the field's cannot be made of.
        for unit in (field.unit, *(unit for _, unit in field.header)) if field.unit else ():
            units.conversion(unit, field.unit or "")
        for part in field.fields:
            check(part)

    for table in TABLES:
        for field in table.fields:
            check(field)


def test_the_data_dictionary_of_the_docs_is_that_of_the_code() -> None:
    assert (REPOSITORY / "docs" / "data-dictionary.md").read_text(encoding="utf-8") == markdown(), (
        "run `make docs`"
    )


@pytest.mark.skipif(
    not REFERENCE.is_file(), reason="the standard's templates are not beside the repository"
)
def test_every_row_of_the_templates_has_its_field() -> None:
    # The containers themselves.
    claimed = {
        "DCM:113701",
        "DCM:113702",
        "DCM:113706",
        "DCM:113811",
        "DCM:113819",
        "DCM:113500",
        "DCM:113502",
        "DCM:130500",
    }

    def claim(fields: tuple[Field, ...]) -> None:
        for field in fields:
            claimed.update(concept for path in field.paths for concept in path)
            claim(field.fields)

    for table in TABLES:
        claim(table.fields)
    templates = json.loads(REFERENCE.read_text())["templates"]
    wanted = ("10001", "10002", "10003", "10003A", "10003B", "10003C", "10004", "10005", "10006", "10007",
              "10011", "10012", "10013", "10014", "10015", "10021", "10022", "10023", "10024", "10041")  # fmt: skip
    for name in wanted:
        for row in templates[name]["rows"]:
            if "code" in row:
                assert f"{row['scheme']}:{row['code']}" in claimed, (
                    f"TID {name} row {row['row']}: {row['meaning']}"
                )
