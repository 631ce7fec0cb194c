"""Servers for the tests of this folder."""

from collections.abc import Iterator

import pytest

from tests.support.server import OrthancServer


@pytest.fixture(scope="module")
def shared_server() -> Iterator[OrthancServer]:
    """A running server that the tests of a module share: what one test sends, the others see."""
    with OrthancServer() as server:
        yield server


@pytest.fixture
def server() -> Iterator[OrthancServer]:
    """A running server that is new for the test."""
    with OrthancServer() as server:
        yield server
