"""The filters of lists against the same filters evaluated in plain Python, on a real store; and
their declarations.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orthanc_dose import extract
from orthanc_dose.assemble import Part, put_together
from orthanc_dose.dicom import part10
from orthanc_dose.query import lists
from orthanc_dose.query.filters import FILTERS, GROUPS
from orthanc_dose.records import MODALITIES, TABLES
from orthanc_dose.rest.errors import ApiError
from orthanc_dose.rest.studies import FILTER_PARAMETERS
from orthanc_dose.samples import make_studies
from orthanc_dose.samples import part10 as as_bytes
from orthanc_dose.store import Batch, Store, Writer
from orthanc_dose.store.names import StandardNames
from tests.support import filters as plain
from tests.support.effort import examples

# Those of one event together are tested with the charts that lead to them.
TRIED = [one for one in FILTERS if one.name != "test_data" and not one.place.together]
PARAMETERS = {parameter.name: parameter for parameter in FILTER_PARAMETERS}
TEXTS = (
    "Chest, PA", '100% "quoted"', "it's", "<script>alert(1)</script>", "CHEST_x", "Thorax ÄÖÜ ß", "胸部", "a\\b", "-- ;", "*",
    "",
)  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store of made-up studies of all modalities, some with texts, ages and marks that lists do
    not meet every day.
    """
    made = Store(tmp_path_factory.mktemp("store"))
    writer, random = Writer(made), Random(4)
    batch = Batch()
    for study in [
        *make_studies(60, seed=8, kinds=["ct", "rf", "dx", "mg"]),
        *make_studies(8, seed=9, kinds=["nm"]),
    ]:
        parts = []
        for dataset in study.datasets:
            kept = extract.keep(part10.read_any(as_bytes(dataset)))
            parts.append(
                Part(
                    str(dataset.SOPInstanceUID),
                    extract.extract_object(kept, str(dataset.SOPClassUID)),
                )
            )
            batch.objects.append(
                {
                    "handle": f"id-{len(batch.objects)}",
                    "sop_instance_uid": parts[-1].sop_instance_uid,
                    "study_instance_uid": study.study_instance_uid,
                    "outcome": "imported",
                }
            )
        records = put_together(parts)
        for record in records:
            for name in (
                "study_description",
                "comment",
                "accession_number",
                "operators",
                "patient_name",
            ):
                if random.random() < 0.4:
                    record.study[name] = random.choice((*TEXTS, None))
            if random.random() < 0.3:
                record.study["accession_numbers"] = random.sample(TEXTS, 2)
            if random.random() < 0.2:
                record.study["not_patient_indicator"] = "*phantom*"
            if random.random() < 0.1:
                record.study["study_date"] = record.study["study_time"] = None
        batch.studies[study.study_instance_uid] = records
    writer.commit(batch)
    map_of_names = StandardNames(
        [
            {
                "kind": "acquisition_protocols",
                "pattern": "*thorax*",
                "modality": "CT",
                "standard_name": "CT chest",
            },
            {
                "kind": "study_description",
                "pattern": "*chest*",
                "modality": None,
                "standard_name": "Chest, any",
            },
            {
                "kind": "study_description",
                "pattern": "*a*",
                "modality": "RF",
                "standard_name": "Other",
            },
            {
                "kind": "acquisition_protocols",
                "pattern": "*e*",
                "modality": None,
                "standard_name": "With an e",
            },
        ]
    )
    writer.commit(Batch(more=map_of_names.write_map, names=map_of_names))
    with made.connection() as connection:  # some have estimates, of the study and of events
        connection.execute("""
            INSERT INTO estimate BY NAME SELECT id AS study_id, event AS event_number, quantity,
            'aapm96' AS table_key, '1' AS table_version, 'ICRP 60' AS weights,
            CASE WHEN (id + coalesce(event, 0)) % 3 > 0 THEN
            (id * 7 + coalesce(event, 0)) % 40 ELSE NULL END AS value
            FROM study, (VALUES ('ssde_mean'), ('ssde_max'), ('effective_dose'), ('ssde')) q(quantity),
            (VALUES (NULL), (1)) e(event) WHERE id % 2 = 0
        """)
    writer.close()
    yield made
    made.close()


@pytest.fixture(scope="module")
def whole(store: Store) -> list[plain.Whole]:
    """The studies as plain Python sees them; a filter that it does not know yet is named here and
    not by the search for the smallest example.
    """
    found = plain.whole_studies(store)
    unknown = [
        one.name for one in TRIED if one.name not in plain.VALUES and one.name not in found[0]
    ]
    assert not unknown, f"say in tests/support/filters.py what values these look at: {unknown}"
    return found


@dataclass
class Asked:
    """A filter with a role, as text for the address, and as the plain evaluation takes it."""

    name: str
    role: str
    raw: dict[str, str]
    wanted: Any


def terms_of(draw: Any, known: list[Any]) -> list[str]:
    def part(value: str) -> st.SearchStrategy[str]:
        bounds = st.tuples(st.integers(0, len(value)), st.integers(0, len(value)))
        return bounds.map(lambda both: value[min(both) : max(both) + 1])

    of_known = (
        [st.sampled_from(known).flatmap(lambda value: st.one_of(st.just(value), part(value)))]
        if known
        else []
    )
    pieces = st.one_of(
        *of_known, st.sampled_from(TEXTS), st.text(st.characters(codec="ascii"), max_size=5)
    )
    cased = pieces.flatmap(lambda text: st.sampled_from((text, text.upper(), text.lower())))
    terms = draw(st.lists(cased, min_size=1, max_size=3))
    return [term.strip() for term in terms if term.strip()]


def written(terms: list[str]) -> str:
    return ", ".join('"' + term.replace('"', '""') + '"' for term in terms)


@st.composite
def asked(draw: Any, whole: list[plain.Whole]) -> Asked:
    one = draw(st.sampled_from(TRIED))
    known = sorted(
        {value for study in whole for value in plain.values_of(one.name, study)}, key=str
    )
    if one.type == "text":
        role = draw(st.sampled_from(("contains", "not", "is", "empty", "exactly")))
        if role == "empty":
            wanted = draw(st.sampled_from(("yes", "no")))
            return Asked(one.name, role, {one.parameter(role): wanted}, wanted)
        if role == "exactly":
            text = draw(st.sampled_from((*known, "no such text")))
            text = draw(st.sampled_from((text, text.upper(), text.lower())))
            return Asked(one.name, role, {one.parameter(role): text}, text)
        terms = terms_of(draw, known)
        return Asked(one.name, role, {one.parameter(role): written(terms)}, terms)
    if one.type == "choices":
        values = draw(
            st.lists(
                st.sampled_from([choice.value for choice in one.choices]), min_size=1, max_size=3
            )
        )
        return Asked(one.name, "any", {one.name: ",".join(values)}, values)
    if one.type in ("uid", "id"):
        value = draw(st.sampled_from([*known, 10**6] if one.type == "id" else [*known, "1.2.3"]))
        return Asked(one.name, "is", {one.name: str(value)}, value)
    role = draw(
        st.sampled_from(
            ("interval", "interval", "empty" if one.type in ("date", "time") else "given")
        )
    )
    if role != "interval":
        wanted = draw(st.sampled_from(("yes", "no")))
        return Asked(one.name, role, {one.parameter(role): wanted}, wanted)
    bounds = st.none() | (st.sampled_from(known) if known else st.none())
    low, high = draw(st.tuples(bounds, bounds))
    if one.type == "time" and high is not None:
        high = high.replace(microsecond=0)
    raw = {}
    if low is not None:
        raw[one.parameter("from")] = str(low)
    if high is not None:
        raw[one.parameter("to")] = str(high)
        if isinstance(high, time):  # to 13:05:12 means to the end of that second
            high = (datetime.combine(date.min, high) + timedelta(microseconds=999_999)).time()
    return Asked(one.name, "interval", raw, (low, high))


@examples(80)
@given(data=st.data())
def test_filters_leave_what_plain_python_leaves(
    store: Store, whole: list[plain.Whole], data: Any
) -> None:
    questions = data.draw(
        st.lists(asked(whole), min_size=1, max_size=4, unique_by=lambda one: one.name)
    )
    test_data = data.draw(st.sampled_from((None, "no", "yes", "no,yes")))
    raw = {name: text for one in questions for name, text in one.raw.items()}
    if test_data is not None:
        raw["test_data"] = test_data
    values = {name: PARAMETERS[name].parse(text) for name, text in raw.items()}
    included = (test_data or "no").split(",")
    expected = {
        study["id"]
        for study in whole
        if plain.matches("test_data", "any", included, study)
        and all(
            plain.matches(one.name, one.role, one.wanted, study)
            for one in questions
            if one.raw and one.wanted not in ([], (None, None))
        )
    }
    sort = data.draw(st.sampled_from(lists.SORTABLE)) if data.draw(st.booleans()) else "-study_date"
    with store.reading() as connection:
        page = lists.page_of_studies(connection, values, sort, 500, 0, ())
        assert {row["id"] for row in page["studies"]} == expected
        assert page["total"] == len(expected) == lists.count_studies(connection, values)
        order = [row["id"] for row in page["studies"]]
        if order:
            at = data.draw(st.integers(0, len(order) - 1))
            beside = lists.neighbours(connection, order[at], values, sort)
            assert beside == {
                "position": at + 1,
                "total": len(order),
                "previous": order[at - 1] if at else None,
                "next": order[at + 1] if at + 1 < len(order) else None,
            }


@pytest.mark.parametrize("sort", lists.SORTABLE)
def test_any_column_sorts_with_missing_values_last(store: Store, sort: str) -> None:
    with store.reading() as connection:
        for sign in ("", "-"):
            column = [
                row[sort]
                for row in lists.page_of_studies(connection, {}, sign + sort, 500, 0, (sort,))[
                    "studies"
                ]
            ]
            there = [value for value in column if value is not None]
            assert column == there + [None] * (len(column) - len(there))
            assert there == sorted(there, reverse=bool(sign))


def test_every_filter_is_declared_whole() -> None:
    assert len(PARAMETERS) == len(FILTER_PARAMETERS)
    tables = {table.name: table for table in TABLES}
    for one in FILTERS:
        assert one.label and (one.group in GROUPS or not one.group), one.name
        assert set(one.modalities) <= set(MODALITIES)
        if one.field:
            table, _, field = one.field.partition(".")
            assert tables[table].field(field)
        assert len({choice.value for choice in one.choices}) == len(one.choices)
        assert all("," not in choice.value for choice in one.choices)


@pytest.mark.parametrize(("name", "raw"), [
    ("dlp_total_from", "much"), ("dlp_total_from", "nan"), ("dlp_total_from", "1e999"), ("dlp_total_to", "1_0"),
    ("dlp_total_to", "१"), ("number_of_events_from", "1.5"), ("study_date_from", "2026-02-30"), ("study_date_to", "today"),
    ("study_date_to", "20260101"), ("study_time_from", "25:00"), ("study_time_to", "7"), ("weekday", "mon,someday"),
    ("study_instance_uid", "1.2.x"), ("study_description_empty", "perhaps"), ("mark", "'"), ("modality", "CT;DROP"),
    ("equipment_id", "0"), ("study_description", "x" * 301),
])  # fmt: skip
def test_a_bad_value_names_the_field(name: str, raw: str) -> None:
    with pytest.raises(ApiError) as caught:
        PARAMETERS[name].parse(raw)
    assert (caught.value.status, caught.value.field) == (400, name)


@pytest.mark.parametrize(("raw", "terms"), [
    ("chest", ["chest"]), (" chest , abdomen ", ["chest", "abdomen"]), ('"a, b",c', ["a, b", "c"]),
    ('"say ""ah"""', ['say "ah"']),
    ("", []), (" , ,", []), ('5" screen', ['5" screen']), ('"open', ['"open']), ("a\nb", ["a\nb"]),
])  # fmt: skip
def test_terms_are_separated_by_commas(raw: str, terms: list[str]) -> None:
    assert PARAMETERS["study_description"].parse(raw) == terms


@pytest.mark.parametrize(("raw", "until"), [
    ("13:05", time(13, 5, 59, 999_999)), ("13:05:12", time(13, 5, 12, 999_999)), ("13:05:12.5", time(13, 5, 12, 599_999)),
    ("23:59", time(23, 59, 59, 999_999)),
])  # fmt: skip
def test_a_time_until_includes_the_whole_of_what_is_given(raw: str, until: time) -> None:
    assert PARAMETERS["study_time_to"].parse(raw) == until
