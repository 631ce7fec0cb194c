"""Every route against its OpenAPI description, by schemathesis: good and bad input, statuses, types
and schemas of answers.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from orthanc_dose.rest.api import ROUTES
from orthanc_dose.samples import ct_slice, make_studies, non_dose_sr
from orthanc_dose.samples.hostile import HOSTILE
from tests.support.effort import LONG, SEED
from tests.support.server import PASSWORD, ROOT, USER, OrthancServer

# Orthanc answers TRACE, HEAD and the like itself, with 400 and 404, before a plugin is asked. What
# our routes answer to a wrong method is tested in test_api.py.
NOT_OURS = "unsupported_method"

# It tries wrong passwords on every route, which lock the door. test_access.py asks every route
# without signing in.
LOCKS = "ignored_auth"


@pytest.fixture
def server() -> Iterator[OrthancServer]:
    with OrthancServer(dose={"TrustedProxies": ["127.0.0.1"]}) as running:
        yield running


@pytest.mark.tries_more
@pytest.mark.timeout(7200 if LONG else 1800)
def test_schemathesis_finds_nothing(
    server: OrthancServer, record_property: Callable[[str, int], None]
) -> None:
    server.send(
        make_studies(12, seed=1), ct_slice(), non_dose_sr(), HOSTILE["empty_content_sequence"](1)
    )
    server.wait_until_idle()
    document = f"{server.url}/dose/api/openapi.json"
    settings = str(ROOT / "tests" / "support" / "schemathesis.toml")
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", settings, "run", document,
               "--auth", f"{USER}:{PASSWORD}", "--checks", "all",
               "--exclude-checks", f"{NOT_OURS},{LOCKS}", "--max-examples", "40" if LONG else "3",
               "--request-timeout", "60", "--seed", SEED, "--generation-database", "none", "--no-color",
               "--suppress-health-check", "filter_too_much,too_slow"]  # fmt: skip
    environment = os.environ | {
        "SCHEMATHESIS_HOOKS": "tests.support.schemathesis_hooks",
        "PYTHONPATH": os.pathsep.join(["plugin", str(ROOT)]),
        "NO_PROXY": "127.0.0.1",
    }
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    selected = re.search(r"(\d+) selected", done.stdout)
    tried = re.search(r"(\d+) generated", done.stdout)
    assert tried, done.stdout
    record_property("requests to routes", int(tried[1]))
    # All but the description of the routes itself may be among them.
    assert selected and int(selected[1]) >= len(ROUTES) - 1, "all routes were tried"
    assert "Dose: GET" not in server.log and "Dose: POST" not in server.log, (
        "no error 500 was logged"
    )


def test_all_routes_are_described(shared_server: OrthancServer) -> None:
    document = shared_server.ok("/dose/api/openapi.json")
    described = {
        (method.upper(), path) for path, methods in document["paths"].items() for method in methods
    }
    assert described == {(route.method, route.path) for route in ROUTES}
    for methods in document["paths"].values():
        for operation in methods.values():
            assert operation["summary"] and operation["operationId"]
            assert {"400", "401", "503"} <= set(operation["responses"])
