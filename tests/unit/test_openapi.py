"""The OpenAPI description: what repeats stands once, nothing is named that is not there, and everything
says what it is."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from orthanc_dose.query.filters import FILTERS
from orthanc_dose.rest import openapi
from orthanc_dose.rest.answers import plain
from orthanc_dose.rest.api import ROUTES

# Bytes, before they are compressed. Descriptions and summaries, each once, names of properties, which
# of them are required, and the values allowed are 160,000 of them: the types of the web UI come from
# here. A new room of routes adds about 10,000.
MOST = 385_000


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    raw = json.dumps(openapi.document(ROUTES), default=plain)
    out: dict[str, Any] = json.loads(raw)
    return out


def all_of(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from all_of(value)
    elif isinstance(node, list):
        for value in node:
            yield from all_of(value)


def at(document: dict[str, Any], reference: str) -> Any:
    found: Any = document
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found


def test_it_is_no_larger_than_it_must_be(document: dict[str, Any]) -> None:
    assert len(json.dumps(document, separators=(",", ":"))) < MOST


def test_all_that_is_referred_to_is_there_and_all_that_is_there_is_used(
    document: dict[str, Any],
) -> None:
    used = {one["$ref"] for one in all_of(document) if isinstance(one.get("$ref"), str)}
    for reference in used:
        assert at(document, reference)
    for kind in ("schemas", "parameters", "responses"):
        there = {f"#/components/{kind}/{name}" for name in document["components"][kind]}
        assert there <= used, there - used


def test_no_large_part_stands_twice(document: dict[str, Any]) -> None:
    # Rows of tables that have the same fields are alike in a few.
    often = Counter(json.dumps(one, sort_keys=True) for one in all_of(document))
    assert [text[:200] for text, count in often.items() if count > 1 and len(text) > 700] == []


def test_every_parameter_says_what_it_is(document: dict[str, Any]) -> None:
    for path, methods in document["paths"].items():
        for operation in methods.values():
            for one in operation.get("parameters", ()):
                found = at(document, one["$ref"]) if "$ref" in one else one
                assert found["description"].strip(), (path, found["name"])


def test_every_filter_says_what_it_is_and_how_its_text_is_read(document: dict[str, Any]) -> None:
    described = document["components"]["schemas"]["filters"]["properties"]
    names = {of.parameter(role) for of in FILTERS for role in of.roles}
    assert described.keys() == names
    for of in FILTERS:
        for role, declared in of.roles.items():
            one = described[of.parameter(role)]
            texts = [one["description"]]
            texts += [at(document, one["$ref"])["description"]] if "$ref" in one else []
            for text in (of.label, declared.description, of.description):
                assert any(text in told for told in texts), (of.parameter(role), text)


def test_every_field_of_the_dictionary_says_what_it_is(document: dict[str, Any]) -> None:
    for name in ("study_values", "ct_event", "projection_event", "nm_administration", "equipment"):
        for field, about in document["components"]["schemas"][name]["properties"].items():
            found = at(document, about["$ref"]) if "description" not in about else about
            assert found["description"].strip(), (name, field)
