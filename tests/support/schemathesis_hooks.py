"""Loaded by schemathesis: what reaches the plugin at all.

Orthanc's own HTTP server answers header names and values that HTTP does not allow with a text of its own before any plugin
is asked, and no route of ours has a header parameter: requests go out without made-up headers, and none is counted as bad
for such a header.
"""

from typing import Any
from urllib.parse import urlencode

import schemathesis


@schemathesis.hook
def filter_headers(context: Any, headers: Any) -> bool:
    return not headers


@schemathesis.hook
def filter_case(context: Any, case: Any) -> bool:
    return not {name for name in case.headers or {} if name.lower() != "authorization"} and _fits(case)


def _fits(case: Any) -> bool:
    # Orthanc's server takes requests of up to 16 kB, and refuses longer ones in its own words. Of a parameter that stands
    # several times it hands on the last value alone.
    query = case.query or {}
    return not any(isinstance(value, list) for value in query.values()) and len(urlencode(query)) < 12_000
