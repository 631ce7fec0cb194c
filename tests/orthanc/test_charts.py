"""Charts of a real server: the number of a list that a chart leads to is the number in the chart,
whatever names look like.
"""

import csv
import io
from datetime import datetime
from typing import Any

import openpyxl
import pytest

from orthanc_dose import samples
from orthanc_dose.samples import make_studies
from orthanc_dose.samples.ct import default_events
from tests.support.server import OrthancServer

NAMES = (
    'it\'s "quoted"',
    "50% + 3 & more?",
    "<b onclick='x()'>bold</b>",
    "画像 胸部",
    "a, b;c=d#e",
    "%2B%25",
    "CASE",
    "case",
    " x ",
)
MANY = 600


@pytest.fixture(scope="module")
def server() -> Any:
    with OrthancServer() as running:
        running.send(make_studies(50, seed=11))
        running.send(make_studies(5, seed=12, kinds=("nm",)))
        for number, name in enumerate(NAMES):
            running.send(_study(f"odd{number}", [f"{name} p", "", name], name))
        # A system that has no name at all.
        nameless = _study("nameless", ["p"], "")
        for keyword in (
            "StationName",
            "ManufacturerModelName",
            "Manufacturer",
            "InstitutionName",
            "DeviceSerialNumber",
        ):
            if keyword in nameless:
                delattr(nameless, keyword)
        running.send(nameless)
        for part in range(5):
            running.send(
                _study(
                    f"many{part}",
                    [f"protocol {part}-{number}" for number in range(MANY // 5)],
                    "many",
                )
            )
        running.wait_until_idle()
        yield running


def _study(key: str, protocols: list[str], description: str) -> Any:
    events = default_events(len(protocols), 3, datetime(2025, 5, 5, 10, 0), key)
    for event, name in zip(events, protocols, strict=True):
        event.protocol = name
    made = samples.ct_report(events, key=key)
    made.SpecificCharacterSet, made.StudyDescription = "ISO_IR 192", description
    return made


def asked(server: OrthancServer, path: str, query: dict[str, str]) -> Any:
    answer = server.request("GET", f"/dose/api{path}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def figure(server: OrthancServer, name: str, **parameters: str) -> dict[str, Any]:
    return asked(server, f"/charts/{name}/figure", parameters)


def count(server: OrthancServer, query: dict[str, str]) -> int:
    return asked(server, "/studies/count", query)["total"]


def test_every_chart_leads_to_lists_of_its_numbers(server: OrthancServer) -> None:
    charts = server.ok("/dose/api/charts")["charts"]
    assert {chart["modality"] for chart in charts} == {"CT", "DX", "RF", "MG", "NM"}
    filled = set()
    for chart in charts:
        for view in chart["views"]:
            found = figure(
                server, chart["name"], view=view, per_system="yes" if view == "bar" else "no"
            )
            assert found["n"] == sum(row["n"] for row in found["rows"])
            places = {
                point[0] for trace in found["figure"]["data"] for point in trace["customdata"]
            }
            assert places == (set() if view == "table" else set(range(len(found["rows"]))))
            if found["rows"]:
                filled.add(chart["name"])
            led = [row for row in found["rows"] if row["query"] is not None]
            for row in led[:3] + led[-2:]:
                assert (
                    count(server, {"modality": chart["modality"]} | row["query"]) == row["studies"]
                ), (chart["name"], row)
    # What the made-up studies do not have values for is seldom.
    assert len(filled) > 0.9 * len(charts), {chart["name"] for chart in charts} - filled


def test_names_of_any_kind_are_categories_and_lead_to_their_studies(server: OrthancServer) -> None:
    rows = figure(server, "ct-dlp-study-description")["rows"]
    by_name = {row["category"]: row for row in rows}
    assert {name.strip() for name in NAMES} <= {name and name.strip() for name in by_name}
    assert None in by_name
    for name in (
        *(name for name in by_name if name and name.strip() in {one.strip() for one in NAMES}),
        None,
    ):
        assert (
            count(server, {"modality": "CT"} | by_name[name]["query"])
            == by_name[name]["studies"]
            == 1
        )
    rows = figure(server, "ct-frequency-study-description", ignore_case="yes")["rows"]
    [both] = [row for row in rows if row["category"] in ("CASE", "case")]
    assert both["studies"] == 2 == count(server, {"modality": "CT"} | both["query"])


def test_the_most_frequent_categories_and_others(server: OrthancServer) -> None:
    every = figure(server, "ct-frequency-protocol", categories="5000")
    assert len(every["rows"]) > MANY and not any(row["others"] for row in every["rows"])
    few = figure(server, "ct-frequency-protocol", categories="100")
    assert len(few["rows"]) == 101 and few["rows"][-1]["others"] and few["n"] == every["n"]
    numbers = [row["n"] for row in few["rows"][:-1]]
    assert numbers == sorted(numbers, reverse=True) == [row["n"] for row in every["rows"][:100]]


def test_an_average_is_that_of_the_studies_in_the_list(server: OrthancServer) -> None:
    for row in figure(server, "ct-dlp-requested-procedure", average="both", per_system="yes")[
        "rows"
    ]:
        page = asked(server, "/studies", {"modality": "CT", "limit": "500"} | row["query"])
        values = sorted(study["dlp_total"] for study in page["studies"])
        assert len(values) == row["n"]
        middle = (values[(len(values) - 1) // 2] + values[len(values) // 2]) / 2
        assert row["mean"] == pytest.approx(sum(values) / len(values)) and row[
            "median"
        ] == pytest.approx(middle)


def test_systems_without_a_name_are_told_apart(server: OrthancServer) -> None:
    rows = figure(server, "ct-workload", per_system="yes")["rows"]
    names = {row["equipment_id"]: row["system"] for row in rows}
    assert all(names.values()) and len(set(names.values())) == len(names)


def test_a_chart_is_over_what_the_filters_leave(server: OrthancServer) -> None:
    total = count(server, {"modality": "CT", "dlp_total_from": "300"})
    assert 0 < total < count(server, {"modality": "CT"})
    assert figure(server, "ct-workload", dlp_total_from="300")["n"] == total
    bins = figure(
        server, "ct-dlp-study-description", view="histogram", dlp_total_from="300", bins="7"
    )
    # Five studies have 61 scans each, and so a total that cannot be that of an examination.
    assert (bins["n"], bins["left_out"]) == (total - 5, 5)
    assert len(bins["edges"]) == 8 and bins["edges"][0] >= 300
    whole = {"dlp_total_from": "300", "implausible": "yes"}
    assert figure(server, "ct-dlp-study-description", view="histogram", **whole)["n"] == total


def test_charts_come_in_the_language_that_is_asked_for(server: OrthancServer) -> None:
    titles = {
        language: {
            chart["name"]: (chart["title"], chart["measure"] and chart["measure"]["label"])
            for chart in asked(server, "/charts", {"language": language})["charts"]
        }
        for language in ("en", "de")
    }
    assert titles["en"]["ct-dlp-protocol"] == ("DLP by acquisition protocol", "DLP")
    assert titles["de"]["ct-events-study-description"] == (
        "Ereignisse je Studie nach Beschreibung",
        "Ereignisse je Studie",
    )
    shown = figure(server, "ct-workload", language="de")["figure"]["layout"]
    assert shown["yaxis"]["title"]["text"] == "Studien" and "Montag" in shown["xaxis"]["ticktext"]
    assert (
        server.request("GET", "/dose/api/charts?language=xx").json()["error"]["field"] == "language"
    )


def test_the_data_of_a_chart_come_as_a_file(server: OrthancServer) -> None:
    rows = figure(server, "ct-dlp-requested-procedure", average="median", dlp_total_from="300")[
        "rows"
    ]
    answer = server.request(
        "GET",
        "/dose/api/charts/ct-dlp-requested-procedure/data",
        params={"average": "median", "dlp_total_from": "300", "language": "de"},
    )
    assert answer.status_code == 200 and answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert 'filename="ct-dlp-requested-procedure-bar.csv"' in answer.headers["content-disposition"]
    lines = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [
        (line["Angeforderte Prozedur"], int(line["n"]), float(line["DLP gesamt: Median [mGy·cm]"]))
        for line in lines
    ] == [(row["category"] or "(leer)", row["n"], pytest.approx(row["median"])) for row in rows]
    answer = server.request(
        "GET", "/dose/api/charts/ct-workload/data?format=xlsx&view=hour&per_system=yes"
    )
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).worksheets[0]
    assert sheet.title == "Workload" and [cell.value for cell in sheet[1]] == [
        "System",
        "Weekday",
        "Hour",
        "Studies",
    ]
    assert sum(row[3] for row in sheet.iter_rows(min_row=2, values_only=True)) == count(
        server, {"modality": "CT"}
    )
    wrong = (
        ("ct-workload/data?format=pdf", "format"),
        ("nothing/data", "name"),
        ("rf-workload/data?bins=x", "bins"),
    )
    for path, field in wrong:
        assert server.request("GET", f"/dose/api/charts/{path}").json()["error"]["field"] == field


@pytest.mark.parametrize(("path", "status", "field"), [
    ("/charts/no-such-chart/figure", 404, "name"), ("/charts/ct-workload/figure?view=pie", 400, "view"),
    ("/charts/ct-workload/figure?modality=RF", 400, "modality"), ("/charts/ct-workload/figure?bins=41", 400, "bins"),
    ("/charts/ct-workload/figure?average=mode", 400, "average"), ("/charts?modality=XX", 400, "modality"),
    ("/charts/ct-workload/figure?dlp_total_from=much", 400, "dlp_total_from"),
])  # fmt: skip
def test_bad_requests_are_told_what_is_wrong(
    server: OrthancServer, path: str, status: int, field: str
) -> None:
    answer = server.request("GET", f"/dose/api{path}")
    assert (answer.status_code, answer.json()["error"]["field"]) == (status, field)


def test_options_are_kept_by_user_over_the_defaults(server: OrthancServer) -> None:
    def put(path: str, body: Any) -> Any:
        return server.request("PUT", f"/dose/api/charts/{path}", json=body)

    first = server.ok("/dose/api/charts/options")
    assert first["own"] == [] and first["options"] == first["defaults"]
    assert put("options/defaults", {"average": "median", "bins": 12}).status_code == 200
    assert put("options", {"bins": 5, "charts": ["ct-workload"], "on": False}).json()[
        "options"
    ] == first["options"] | {
        "average": "median",
        "bins": 5,
        "charts": ["ct-workload"],
        "on": False,
    }
    found = figure(server, "ct-dlp-study-description", view="histogram")
    assert (
        len(found["edges"]) == 6
        and "median" in figure(server, "ct-dlp-study-description")["rows"][0]
    )
    assert (
        len(figure(server, "ct-dlp-study-description", view="histogram", bins="9")["edges"]) == 10
    )
    back = put("options", {"bins": None, "on": None, "charts": None}).json()
    assert back["options"]["bins"] == 12 and back["own"] == []
    assert (
        put("options/defaults", {"average": None, "bins": None}).json()["defaults"]
        == first["defaults"]
    )
    # Somebody who wants all charts has all, whatever the defaults are.
    assert put("options/defaults", {"charts": ["ct-workload"]}).json()["options"]["charts"] == [
        "ct-workload"
    ]
    every = [chart["name"] for chart in server.ok("/dose/api/charts")["charts"]]
    found = put("options", {"charts": every[::-1]}).json()
    assert (found["options"]["charts"], found["own"]) == (None, ["charts"])
    assert put("options", {"charts": []}).json()["options"]["charts"] == []
    assert put("options", {"charts": None}).json()["options"]["charts"] == ["ct-workload"]
    put("options/defaults", {"charts": None})
    for body in (
        {"bins": 1},
        {"bins": "5"},
        {"charts": ["nothing"]},
        {"order": "up"},
        {"none": 1},
        [],
        {"on": 1},
    ):
        answer = put("options", body)
        assert answer.status_code == 400, body
    assert server.ok("/dose/api/charts/options") == first
