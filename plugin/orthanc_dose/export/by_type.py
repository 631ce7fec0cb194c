"""Totals of fluoroscopy studies by type, fluoroscopy and acquisition, that the study's own fields do not
have: they are those of the reports' accumulated dose (TID 10004 rows 4, 7 and 8).

Planes are combined as in the study's totals: the dose at the reference point is the larger value, since
the beams enter the skin at different places, and the time is the sum. There is no value if a plane, or
one of several reports that continue each other, lacks it, if reports share events, or if the report says
0 although events of that type have the quantity.
"""

from ..dicom import concepts
from ..records import PROJECTION_ACCUMULATED, PROJECTION_EVENT

# Fields of PROJECTION_ACCUMULATED: how planes are combined, the field of the event, and whether the events are
# fluoroscopy.
TOTALS = {
    "fluoro_dose_rp_total": ("max", "dose_rp", True),
    "acquisition_dose_rp_total": ("max", "dose_rp", False),
    "total_acquisition_time": ("sum", "irradiation_duration", False),
}
_PLANE = "concat_ws(':', a.acquisition_plane.scheme, a.acquisition_plane.value)"
_TYPE = "concat_ws(':', t.irradiation_event_type.scheme, t.irradiation_event_type.value)"


def query(studies: str) -> str:
    """Return the SQL of study_id and the TOTALS of the studies whose numbers `studies` selects."""
    of_planes = ", ".join(
        f"CASE WHEN count(a.{name}) = count(*) THEN sum(a.{name}) END AS {name}" for name in TOTALS
    )
    of_study = ", ".join(
        f"CASE WHEN count({name}) = count(*) THEN CAST(printf('%.12g', {how}({name})) AS DOUBLE) END AS {name}"
        for name, (how, _, _) in TOTALS.items()
    )
    of_events = ", ".join(
        f"max(t.{field}) FILTER ({_TYPE} {'=' if is_fluoro else '<>'} '{concepts.FLUOROSCOPY.key}') AS {name}"
        for name, (_, field, is_fluoro) in TOTALS.items()
    )
    believed = ", ".join(
        f"CASE WHEN r.{name} > 0 OR coalesce(e.{name}, 0) = 0 THEN r.{name} END AS {name}"
        for name in TOTALS
    )
    return f"""
        WITH planes AS (
            SELECT a.study_id, {_PLANE} = '{concepts.PLANE_B.key}' AS is_b, {of_planes}
            FROM (
                SELECT a.*, {_PLANE} = '{concepts.ALL_PLANES.key}' AS of_all
                FROM "{PROJECTION_ACCUMULATED.name}" a WHERE a.study_id IN ({studies})
                QUALIFY NOT of_all OR bool_and(of_all) OVER (PARTITION BY a.study_id)
            ) a
            JOIN study s ON s.id = a.study_id
            WHERE NOT coalesce(list_contains(s.all_marks, 'overlap'), false)
            GROUP BY a.study_id, is_b
        ),
        reported AS (SELECT study_id, {of_study} FROM planes GROUP BY study_id),
        events AS (
            SELECT t.study_id, {of_events} FROM "{PROJECTION_EVENT.name}" t
            WHERE t.study_id IN ({studies}) GROUP BY t.study_id
        )
        SELECT study_id, {believed} FROM reported r LEFT JOIN events e USING (study_id)
    """
