"""What a body may hold, and how much of an object an answer holds."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

import pytest

from orthanc_dose.charts.options import OPTIONS
from orthanc_dose.records import given
from orthanc_dose.records.given import UNSET, Given, Meta, UnsetType
from orthanc_dose.rest import bodies, shortening
from orthanc_dose.rest.answers import plain
from orthanc_dose.rest.api import ROUTES
from orthanc_dose.rest.errors import ApiError
from orthanc_dose.rest.reference_levels import ReferenceLevel
from orthanc_dose.rest.routes import Route
from orthanc_dose.rest.tokens import NewToken
from orthanc_dose.retrieve.nodes import NodeFields

INFINITY, NAN = float("inf"), float("nan")


@pytest.mark.parametrize(("raw", "field"), [
    (b'{"a": NaN}', "a"), (b'{"a": {"b": [1, -Infinity]}}', "a.b[1]"), (b'[{"a": 1e999}]', "[0].a"), (b"NaN", None),
    (b'{"a": ' + b"9" * 5000 + b"}", "a"), (b'{"a": -1000000000000000000}', "a"), (rb'{"a": "\ud83d"}', "a"),
    (rb'{"\u0000": 1}', "\0"), (rb'{"x": {"\udc00": 1}}', "x"), (b'{"a": 1, "a": 2}', "a"), (b"\xff", None),
    (b"[" * 100_000, None), (b"[" * 33 + b"]" * 33, None),
])  # fmt: skip
def test_what_no_body_may_hold_is_named(raw: bytes, field: str | None) -> None:
    with pytest.raises(ApiError) as caught:
        bodies.read(raw)
    assert (caught.value.status, caught.value.code, caught.value.field) == (400, "bad_body", field)


@pytest.mark.parametrize("body", [
    {}, [], None, {"a": [1, 2.5, -0.0, "ü\U0010ffff", None, True, {"b": {}}]}, 10**18 - 1, 1e300,
    json.loads("[" * 32 + "]" * 32),
])  # fmt: skip
def test_any_other_json_is_read_as_it_is(body: Any) -> None:
    assert bodies.read(json.dumps(body).encode()) == body


def test_a_surrogate_pair_is_a_character() -> None:
    assert bodies.read(rb'"\ud83d\ude00"') == "\U0001f600"


class Inner(Given):
    text: Annotated[str, Meta(min_length=1, max_length=3)]


class Outer(Given):
    number: Annotated[int, Meta(ge=0, le=10)] = 0
    some: list[Literal["a", "b"]] = []
    entries: list[Inner] = []
    inner: Inner | None = None
    flag: bool | UnsetType = UNSET


@pytest.mark.parametrize(("value", "place", "says"), [
    ([], None, "The body must be an object with these fields: number, some, entries, inner, flag."),
    (None, None,
     "The body must be an object with these fields: number, some, entries, inner, flag."),
    ({"other": 1}, "other",
     "The body contains an unknown field; its fields are: number, some, entries, inner, flag."),
    ({"x" * 300: 1}, "x" * 100,
     "The body contains an unknown field; its fields are: number, some, entries, inner, flag."),
    ({"number": "5"}, "number", "number must be a whole number from 0 to 10."),
    ({"number": 5.5}, "number", "number must be a whole number from 0 to 10."),
    ({"number": True}, "number", "number must be a whole number from 0 to 10."),
    ({"number": NAN}, "number", "number must be a whole number from 0 to 10."),
    ({"number": INFINITY}, "number", "number must be a whole number from 0 to 10."),
    ({"number": None}, "number", "number must be a whole number from 0 to 10."),
    ({"flag": None}, "flag", "flag must be true or false."),
    ({"some": ["a", "c"]}, "some", "some must be a list with one or more of: a, b."),
    ({"entries": {}}, "entries",
     "entries must be a list of values, each an object with these fields: text."),
    ({"entries": [{"text": "a"}, {"text": ""}]}, "entries[1].text", "entries[1].text must be text of 1 to 3 characters."),
    ({"entries": [{"text": "a"}, 5]}, "entries[1]",
     "entries[1] must be an object with these fields: text."),
    ({"entries": [{}]}, "entries[0].text", "The field entries[0].text is missing."),
    ({"inner": {"text": "Smith^John"}}, "inner.text", "inner.text must be text of 1 to 3 characters."),
    ({"inner": {"text": "a", "x": 1}}, "inner.x",
     "inner contains an unknown field; its fields are: text."),
    ({"inner": 5}, "inner", "inner must be null or an object with these fields: text."),
])  # fmt: skip
def test_what_is_wrong_is_named_and_told_without_the_value(
    value: Any, place: str | None, says: str
) -> None:
    with pytest.raises(given.Wrong) as caught:
        given.taken(value, Outer)
    assert (caught.value.place, str(caught.value)) == (place, says)
    assert "Smith" not in str(caught.value)


def test_a_sentence_lists_no_more_than_it_can() -> None:
    many = given.changes_of("Many", "Many fields.", ((f"field_{at}", int) for at in range(40)))
    listed = "/dose/api/openapi.json lists its fields."
    for value, says in (
        ([], f"The body must be an object; {listed}"),
        ({"other": 1}, f"The body has no field with this name; {listed}"),
    ):
        with pytest.raises(given.Wrong) as caught:
            given.taken(value, many)
        assert str(caught.value) == says


def test_what_is_right_is_taken() -> None:
    assert given.taken({"number": 5.0, "inner": None}, Outer) == Outer(number=5)
    assert type(given.taken({"number": 5.0}, Outer).number) is int
    assert given.taken({}, Outer).as_dict() == {
        "number": 0,
        "some": [],
        "entries": [],
        "inner": None,
    }


def test_a_line_break_at_the_end_is_no_part_of_a_title() -> None:
    # The $ of Python's regular expressions lets one stand.
    for name, value in (("aet", "A\n"), ("host", "h\n"), ("title", "a\n"), ("destination", "\n")):
        assert given.problem({name: value}, NodeFields), name


def test_a_name_is_more_than_blanks_whichever_they_are() -> None:
    # Blanks at the ends are taken off: of these nothing would be left.
    for name in (" ", "\u00a0", "\u2003 \u3000"):
        assert given.problem({"name": name}, NewToken), ascii(name)
    assert given.problem({"name": "\u00a0a"}, NewToken) is None


def test_numbers_that_are_none_are_none_anywhere() -> None:
    whole = next(option for option in OPTIONS.values() if option.kind == "integer")
    for value in (INFINITY, NAN):
        assert whole.problem(value) and given.problem({"port": value}, NodeFields)
    levels = {"modality": "CT", "name": "a", "source": "b", "valid": True, "statistic": "median"}
    wrong = given.problem(levels | {"quantity": "dlp_total", "value": NAN}, ReferenceLevel)
    assert wrong


@pytest.mark.parametrize(
    "route",
    [route for route in ROUTES if route.body is not None],
    ids=lambda route: f"{route.method} {route.path}",
)
def test_each_field_of_a_body_says_what_it_is(route: Route) -> None:
    assert route.body is not None
    described = bodies.schema(route.body)[1]
    for name, of in described.items():
        assert of["description"].strip() and of["additionalProperties"] is False, name
        for field, about in of["properties"].items():
            told = [about, *about.get("anyOf", [])]
            assert any("description" in one or "$ref" in one for one in told), (name, field)


def test_a_text_is_cut_and_says_by_how_much() -> None:
    just, long = "x" * shortening.LONGEST, "ü" * (shortening.LONGEST + 1234)
    cut = f"{'ü' * shortening.LONGEST}… (1,234 more characters)"
    assert shortening.short({"a": [just, {"b": long}], "c": 1}) == {"a": [just, {"b": cut}], "c": 1}


@pytest.mark.parametrize("sign", ["x", '"', "\\", "ü", "\n", 'ab"'])
def test_a_long_text_is_seen_whatever_json_makes_of_it(sign: str) -> None:
    text = (sign * (shortening.LONGEST + 1))[: shortening.LONGEST + 1]
    raw = json.dumps({"a": ["b", text]}).encode()
    assert shortening.has_long_text(raw)
    assert not shortening.has_long_text(json.dumps(["x" * 100] * 5000).encode())


def tree(depth: int, broad: int, value: Any = "v") -> dict[str, Any]:
    node: dict[str, Any] = {"value_type": "TEXT", "concept": "DCM:1", "value": value}
    if depth:
        node["children"] = [tree(depth - 1, broad, value) for _ in range(broad)]
    return node


def nodes_of(node: dict[str, Any]) -> int:
    return 1 + node.get("left_out", 0) + sum(map(nodes_of, node.get("children", ())))


def content(of: Any, **more: Any) -> dict[str, Any]:
    return {"sop_instance_uid": "1.2.3", "notes": [], "header": [], "tree": of} | more


def test_content_that_fits_is_whole() -> None:
    one = content(tree(3, 5), header=[{"tag": "0008,0060", "keyword": "Modality", "value": "SR"}])
    assert shortening.short_content([one], plain) == ([one], False)


@pytest.mark.parametrize("one", [
    content(tree(1, 200_000)), content(tree(2, 400)), content(tree(0, 0, ["ab"] * 3_000_000)),
    content(tree(1, 3_000, "x" * 9_000)),
    content(None, header=[{"tag": "0009,0010", "keyword": None, "value": "y" * 900}] * 60_000),
], ids=["broad", "deep", "values", "texts", "header"])  # fmt: skip
def test_content_beyond_all_measure_is_cut_and_counted(one: dict[str, Any]) -> None:
    found, cut = shortening.short_content([one, content(tree(1, 3))], plain)
    size = len(json.dumps(found))
    assert cut and size < 1.1 * shortening.LARGEST_CONTENT
    assert len(found) == 2
    for shown, whole in zip(found, (one, content(tree(1, 3))), strict=True):
        assert len(shown["header"]) + shown.get("left_out", 0) == len(whole["header"])
        if (
            whole["tree"]
            and "children" in whole["tree"]
            and not whole["tree"]["children"][0].get("children")
        ):
            assert nodes_of(shown["tree"]) == nodes_of(whole["tree"])
