"""Workload: the number of studies on each weekday, and at each hour. All studies count."""

from .chart_row import Row
from .links import joined
from .source import Source


def workload(source: Source, view: str) -> list[Row]:
    """Return rows by system and weekday, from 1, Monday; in the view "hour" also by hour.

    The weekday or hour is None for studies without date or time.
    """
    by_hour = view == "hour"
    columns = (
        "isodow(s.study_date) AS weekday",
        *(("hour(s.study_time) AS hour",) if by_hour else ()),
    )
    names = f"weekday{', hour' if by_hour else ''}"
    query = f"""
        SELECT {source.system}, {names}, count(*) FROM ({source.rows(*columns)})
        GROUP BY {source.series}{names} ORDER BY {source.series}{names}
    """
    systems, links = source.systems(), source.links
    rows: list[Row] = []
    for system, weekday, *hours, n in source.fetch(query):
        link = joined(links.system(system), links.weekday(weekday), *map(links.hour, hours))
        row: Row = {
            "equipment_id": system,
            "system": systems.get(system),
            "weekday": weekday,
            "n": n,
            "studies": n,
            "query": link,
        }
        if hours:
            row["hour"] = hours[0]
        rows.append(row)
    return rows
