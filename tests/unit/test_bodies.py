"""What a body may hold, and how much of an object an answer holds."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orthanc_dose.charts.options import OPTIONS
from orthanc_dose.records.numbers import is_number, is_whole_number
from orthanc_dose.rest import bodies, shortening
from orthanc_dose.rest.answers import plain
from orthanc_dose.rest.errors import ApiError
from orthanc_dose.retrieve import nodes

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


def test_numbers_that_are_none() -> None:
    for value in (INFINITY, -INFINITY, NAN, True, "1", None, 11, -1):
        assert not is_number(value, 0, 10) and not is_whole_number(value, 0, 10)
        assert not is_number(value, 0, INFINITY) or value == 11
    assert is_whole_number(5.0, 0, 10) and is_number(5.5, 0, 10)
    assert not is_whole_number(5.5, 0, 10)
    whole = next(option for option in OPTIONS.values() if option.kind == "integer")
    for value in (INFINITY, NAN):
        assert whole.problem(value) and nodes.problem("port", value)


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
