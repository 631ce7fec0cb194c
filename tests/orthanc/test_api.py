"""The API and the static pages over HTTP: errors, signing in, caching, compression, Orthanc
Explorer's button.
"""

from __future__ import annotations

import gzip
from urllib.parse import quote

import pytest
import requests

from orthanc_dose.rest.api import ROUTES
from orthanc_dose.rest.bodies import LARGEST
from orthanc_dose.rest.server import SECURITY_HEADERS
from orthanc_dose.rest.studies import FILTER_PARAMETERS
from orthanc_dose.samples import make_studies
from tests.support.server import ROOT, OrthancServer

BUILT = (ROOT / "webui" / "dist" / "index.html").is_file()
needs_pages = pytest.mark.skipif(not BUILT, reason="webui/dist is not built; `make test` builds it")
_LIST = next(route for route in ROUTES if route.path == "/studies").parameters
SAMPLES = list(make_studies(30, seed=51, kinds=["ct", "dx", "mg"]))


@pytest.fixture(scope="module")
def filled(shared_server: OrthancServer) -> OrthancServer:
    shared_server.send(SAMPLES)
    shared_server.wait_until_idle()
    return shared_server


@pytest.mark.parametrize(("path", "status", "code", "field"), [
    ("/dose/api/studies?limit=0", 400, "bad_parameter", "limit"),
    ("/dose/api/studies?limit=501", 400, "bad_parameter", "limit"),
    ("/dose/api/studies?limit=many", 400, "bad_parameter", "limit"),
    ("/dose/api/studies?offset=-1", 400, "bad_parameter", "offset"),
    ("/dose/api/studies?modality=XX", 400, "bad_parameter", "modality"),
    ("/dose/api/studies?sort=1;DROP%20TABLE%20study", 400, "bad_parameter", "sort"),
    ("/dose/api/studies?sort=content", 400, "bad_parameter", "sort"),
    ("/dose/api/studies?study_instance_uid=abc", 400, "bad_parameter", "study_instance_uid"),
    ("/dose/api/studies?wibble=1", 400, "unknown_parameter", "wibble"),
    ("/dose/api/studies/0", 400, "bad_parameter", "id"),
    ("/dose/api/studies/x", 400, "bad_parameter", "id"),
    ("/dose/api/studies/999999", 404, "not_found", "id"),
    ("/dose/api/studies/999999/content", 404, "not_found", "id"),
    ("/dose/api/objects?outcome=lost", 400, "bad_parameter", "outcome"),
    ("/dose/api/wibble", 404, "not_found", None),
    ("/dose/api/", 404, "not_found", None),
    ("/dose/wibble", 404, "not_found", None),
])  # fmt: skip
def test_errors_are_answers(
    filled: OrthancServer, path: str, status: int, code: str, field: str | None
) -> None:
    answer = filled.request("GET", path)
    assert answer.status_code == status
    assert answer.headers["Content-Type"].startswith("application/json")
    error = answer.json()["error"]
    assert (error["code"], error["field"]) == (code, field)
    assert error["message"].endswith(".")


HOSTILE = (
    "'", '"', "';DROP TABLE study;--", "%", "_", "\\", "<script>alert(1)</script>", "$v0", "{0}", "(SELECT 1)", "\0", "💥",
    'a,b"',
)  # fmt: skip


def test_hostile_values_are_data_or_refused(filled: OrthancServer) -> None:
    total = filled.ok("/dose/api/studies/count")["total"]
    for parameter in (
        *FILTER_PARAMETERS,
        *(one for one in _LIST if one.kind in ("sort", "choices")),
    ):
        for value in HOSTILE:
            answer = filled.request("GET", "/dose/api/studies", params={parameter.name: value})
            if parameter.kind in ("terms", "text") and value != "\0":
                assert answer.status_code == 200, (parameter.name, value)
            else:
                assert (
                    answer.status_code == 400 and answer.json()["error"]["field"] == parameter.name
                ), (parameter.name, value)
    assert filled.ok("/dose/api/studies/count")["total"] == total


def test_all_filters_at_once_are_answered(filled: OrthancServer) -> None:
    # The longest statement that there can be: it must not overflow the stack of the thread that
    # answers.
    example = {
        "integer": "1",
        "number": "1",
        "date": "2000-01-01",
        "time": "00:00",
        "time_until": "00:00",
        "terms": "a, b",
        "text": "a",
        "uid": "1.2",
    }
    asked = {one.name: example.get(one.kind) or one.allowed[0] for one in FILTER_PARAMETERS}
    for path in (
        "studies",
        "studies/count",
        "studies/1/neighbours",
        "charts/ct-dlp-protocol/figure?view=box",
    ):
        assert filled.request("GET", f"/dose/api/{path}", params=asked).status_code == 200


def test_filters_are_saved_under_a_name_for_one_user(filled: OrthancServer) -> None:
    name, address = (
        "CT high/dose, 2026 ä",
        "/dose/api/saved-filters/" + quote("CT high/dose, 2026 ä", safe=""),
    )
    body = {"modality": "CT", "query": {"dlp_total_from": "500"}}
    assert filled.request("PUT", address, json=body).json() == {"saved": {"name": name, **body}}
    assert filled.ok("/dose/api/saved-filters") == {"saved": [{"name": name, **body}]}
    changed = body | {"query": {"dlp_total_from": "700"}}
    assert filled.request("PUT", address, json=changed).status_code == 200
    assert filled.ok("/dose/api/saved-filters") == {"saved": [{"name": name, **changed}]}
    wrong = (
        ({"dlp_total_from": "much"}, "query.dlp_total_from"),
        ({"wibble": "1"}, "query.wibble"),
        ({"comment": 1}, "query"),
    )
    for bad, field in wrong:
        answer = filled.request("PUT", address, json=body | {"query": bad})
        assert (answer.status_code, answer.json()["error"]["field"]) == (400, field)
    assert filled.request("PUT", address, data=b"{").json()["error"]["code"] == "bad_body"
    assert filled.request("PUT", address, data=b" " * (LARGEST + 1)).status_code == 413
    assert filled.request("DELETE", address).json() == {"deleted": True}
    assert filled.request("DELETE", address).status_code == 404
    assert filled.ok("/dose/api/saved-filters") == {"saved": []}


@pytest.mark.parametrize(("method", "path", "allowed"), [
    ("POST", "/dose/api/studies", "GET"), ("PUT", "/dose/api/studies/1", "GET"), ("DELETE", "/dose/api/studies/1", "GET"),
    ("GET", "/dose/api/reconcile", "POST"), ("DELETE", "/dose/api/objects", "GET"),
    ("GET", "/dose/api/objects/1.2.3/retry", "POST"),
])  # fmt: skip
def test_wrong_method(filled: OrthancServer, method: str, path: str, allowed: str) -> None:
    answer = filled.request(method, path, data=b"" if method in ("POST", "PUT") else None)
    assert (answer.status_code, answer.headers["Allow"]) == (405, allowed)


@pytest.mark.parametrize("auth", [None, ("dose", "wrong"), ("nobody", "x")])
@pytest.mark.parametrize(
    "path", ["/dose/api/status", "/dose/api/studies", "/dose/api/openapi.json"]
)
def test_nothing_without_signing_in(
    filled: OrthancServer, path: str, auth: tuple[str, str] | None
) -> None:
    with requests.Session() as session:
        session.trust_env = False
        answer = session.get(filled.url + path, auth=auth, allow_redirects=False, timeout=60)
    assert answer.status_code == 401
    # A browser asks by a box of its own only where it sent a name and password already: there is a
    # page for it.
    assert ("WWW-Authenticate" in answer.headers) == (auth is not None)
    assert "2.25." not in answer.text


def test_pages_of_a_list_hold_every_study_once(filled: OrthancServer) -> None:
    for sort in (
        "study_date",
        "-study_date",
        "dlp_total",
        "-number_of_events",
        "equipment_display_name",
    ):
        found: list[int] = []
        for offset in range(0, len(SAMPLES), 7):
            page = filled.ok(f"/dose/api/studies?sort={sort}&limit=7&offset={offset}")
            assert page["total"] == len(SAMPLES)
            found += [study["id"] for study in page["studies"]]
        assert len(set(found)) == len(found) == len(SAMPLES), sort
    dates = [
        (study["study_date"], study["study_time"]) for study in filled.studies(sort="-study_date")
    ]
    assert dates == sorted(dates, reverse=True)
    assert filled.ok("/dose/api/studies?offset=1000")["studies"] == []


def test_filters(filled: OrthancServer) -> None:
    for modality in ("CT", "DX", "MG", "RF"):
        sent = [sample for sample in SAMPLES if sample.kind.upper() == modality]
        page = filled.ok(f"/dose/api/studies?modality={modality}&limit=500")
        assert page["total"] == len(page["studies"]) == len(sent)
        assert {study["study_instance_uid"] for study in page["studies"]} == {
            s.study_instance_uid for s in sent
        }
    [study] = filled.studies(accession_number=SAMPLES[3].accession_number)
    assert study["study_instance_uid"] == SAMPLES[3].study_instance_uid


def test_summary_counts_what_was_sent(filled: OrthancServer) -> None:
    summary = filled.ok("/dose/api/summary")
    for modality in summary["modalities"]:
        sent = [sample for sample in SAMPLES if sample.kind.upper() == modality["modality"]]
        assert (
            modality["studies"]
            == len(sent)
            == sum(system["studies"] for system in modality["systems"])
        )
        assert modality["events"] == sum(sample.events for sample in sent)
        assert modality["last_study"][:19] == max(sample.started for sample in sent).isoformat()
    assert sum(modality["studies"] for modality in summary["modalities"]) == len(SAMPLES)


def test_status_tells_of_orthanc(filled: OrthancServer) -> None:
    status = filled.status()
    system = filled.ok("/system")
    assert status["orthanc"] == {
        "version": system["Version"],
        "name": "Orthanc Dose",
        "dicom_aet": "DOSE",
        "dicom_port": filled.dicom_port,
    }
    assert status["store"]["size_bytes"] > 10_000
    assert status["started_at"].endswith("Z")


def test_answers_of_the_api_are_not_cached(filled: OrthancServer) -> None:
    answer = filled.request("GET", "/dose/api/studies")
    assert answer.headers["Cache-Control"] == "no-store"
    for name, value in SECURITY_HEADERS.items():
        assert answer.headers[name] == value


def test_dose_leads_to_the_pages(filled: OrthancServer) -> None:
    for path in ("/dose", "/dose/"):
        answer = filled.request("GET", path, allow_redirects=False)
        assert answer.status_code in (301, 302, 307)
        assert answer.headers["Location"].endswith("/dose/app/")


@needs_pages
def test_pages_are_served_with_caching_and_compression(filled: OrthancServer) -> None:
    index = (ROOT / "webui" / "dist" / "index.html").read_bytes()
    answer = filled.request("GET", "/dose/app/", headers={"Accept-Encoding": "identity"})
    assert (answer.status_code, answer.content) == (200, index)
    assert answer.headers["Content-Type"].startswith("text/html")
    for name, value in SECURITY_HEADERS.items():
        assert answer.headers[name] == value
    known = {"Accept-Encoding": "identity", "If-None-Match": answer.headers["ETag"]}
    again = filled.request("GET", "/dose/app/", headers=known)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == answer.headers["ETag"]
    other = filled.request(
        "GET", "/dose/app/", headers={"Accept-Encoding": "identity", "If-None-Match": '"other"'}
    )
    assert other.status_code == 200

    zipped = filled.request("GET", "/dose/app/", headers={"Accept-Encoding": "gzip"}, stream=True)
    assert zipped.headers["Content-Encoding"] == "gzip", (
        "compressed once: by us or by Orthanc, not by both"
    )
    assert gzip.decompress(zipped.raw.read(decode_content=False)) == index
    assert zipped.headers["ETag"] != answer.headers["ETag"], "another representation"


def test_large_answers_are_compressed_once(filled: OrthancServer) -> None:
    plain = filled.request("GET", "/dose/api/fields", headers={"Accept-Encoding": "identity"})
    zipped = filled.request(
        "GET", "/dose/api/fields", headers={"Accept-Encoding": "gzip"}, stream=True
    )
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(zipped.raw.read(decode_content=False)) == plain.content


@needs_pages
def test_assets_stay_in_the_cache(filled: OrthancServer) -> None:
    assets = sorted((ROOT / "webui" / "dist" / "assets").iterdir())
    assert assets
    types = {".js": "text/javascript", ".css": "text/css", ".woff2": "font/woff2"}
    for path in assets:
        answer = filled.request("GET", f"/dose/app/assets/{path.name}")
        assert answer.status_code == 200 and answer.content == path.read_bytes()
        assert "immutable" in answer.headers["Cache-Control"]
        if path.suffix in types:
            assert answer.headers["Content-Type"].startswith(types[path.suffix])
    assert filled.get("/dose/app/assets/wibble.js")[0] == 404


@needs_pages
@pytest.mark.parametrize("path", ["ct", "studies/5", "activity?outcome=failed"])
def test_addresses_of_pages_answer_the_page(filled: OrthancServer, path: str) -> None:
    answer = filled.request("GET", f"/dose/app/{path}")
    assert answer.status_code == 200 and '<div id="app"' in answer.text


@pytest.mark.parametrize("path", [
    "..%2f..%2forthanc.json", "..%2findex.html%2f..%2f..%2f..%2forthanc.json", "%2e%2e/%2e%2e/orthanc.json",
    "....//orthanc.json", "%2fetc%2fpasswd", "..%5c..%5corthanc.json", "assets/..%2f..%2f..%2forthanc.json", "a%00.js",
])  # fmt: skip
def test_nothing_outside_the_pages_is_served(filled: OrthancServer, path: str) -> None:
    answer = filled.request("GET", f"/dose/app/{path}")
    assert answer.status_code in (200, 400, 404)
    assert "RegisteredUsers" not in answer.text and "root:" not in answer.text


def test_orthanc_explorer_has_the_button(filled: OrthancServer) -> None:
    script = (
        filled.request("GET", "/app/explorer.js").text
        + filled.request("GET", "/plugins/explorer.js").text
    )
    assert "/dose/app/" in script and "Dose" in script
