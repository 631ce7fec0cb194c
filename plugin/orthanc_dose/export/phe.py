"""The dose surveys of Public Health England of 2019: CT, radiography, fluoroscopy and
interventional radiology.

The columns of the surveys' workbooks, their order and units, and where the rows are pasted, are
from OpenREM's documentation, "PHE 2019 CT survey and IPEM/PHE 2019 paediatric CT survey" and "PHE
2019 X-ray, fluoroscopy and interventional radiology survey", and from the titles and the order of
the cells in its files. What neither report nor image says (whether a detector is in a bucky, what
the field of view was) stays empty, for the contributor to fill in. Heights are in m, except for CT,
which asks for cm.
"""

from itertools import chain

from ..dicom import concepts
from .columns import DATE, INTEGER, NUMBER, times
from .forms import Cell, Form, element, key, number

_CGY_CM2, _CM, _MAS = 1e6, 0.1, 1e-3  # from Gy.m2, mm, uA.s
# As offered by the workbook of the radiography survey (OpenREM, issue 775).
_UNIT = "'cGy x cm2 (or shown as CGYCM2)'"
_NAME = (
    "concat_ws(' | ', nullif(s.procedure_code.meaning, ''), "
    "nullif(s.requested_procedure_description, ''),"
    " nullif(s.study_description, '')"
)
_RECORD = [
    Cell(""),
    Cell("PHE Record No", "n", INTEGER),
    Cell("Contributor's record ID", "s.id", INTEGER),
    Cell("Exam date", "s.study_date", DATE),
]


def _digits(at: str) -> str:
    return f"printf('%.15g', {at})"


# CT: the four series of the form, the total, remarks on them, and then further series.
_CT_SERIES = 4
_CT_EVENTS = f"""
    SELECT study_id, count(*) AS number, list({{
        'length': scanning_length, 'from': bottom_z_of_scanning_length, 'to':
        top_z_of_scanning_length, 'kvp': kvps[1],
        'kvps': CASE WHEN len(kvps) > 1 THEN array_to_string(list_transform(kvps, lambda k:
        {_digits("k")}), ' | ') END,
        'phantom': CASE {key("ctdiw_phantom_type")} WHEN '{concepts.HEAD_PHANTOM.key}' THEN '16 cm'
        WHEN '{concepts.BODY_PHANTOM.key}' THEN '32 cm'
            ELSE ctdiw_phantom_type.meaning END,
        'ctdivol': mean_ctdivol, 'dlp': dlp
    }} ORDER BY event_number) AS series,
    'Series types: ' || string_agg(coalesce(ct_acquisition_type.meaning, 'unknown type'), ', ' ORDER
    BY event_number) AS types
    FROM (SELECT *,
              list_sort(list_distinct(list_filter(list_transform(xray_sources, lambda x: x.kvp),
              lambda k: k > 0))) AS kvps
          FROM ct_event WHERE study_id IN (SELECT id FROM part)
          AND {key("ct_acquisition_type")} IS DISTINCT FROM '{concepts.CONSTANT_ANGLE.key}')
    GROUP BY study_id
"""


def _ct_series(place: int) -> list[Cell]:
    at = f"v.series[{place}]"
    return [
        number("Imaged length (mm)", f"{at}.length"),
        number("Start position (mm)", f'{at}."from"'),
        number("End position (mm)", f'{at}."to"'),
        Cell("kV", f"CASE WHEN {at}.kvps IS NULL THEN {at}.kvp END", NUMBER, f"{at}.kvps"),
        Cell("CTDI phantom", f"{at}.phantom"),
        Cell("Scan FOV (mm)"),
        number("CTDIvol (mGy)*", f"{at}.ctdivol"),
        number("DLP (mGy.cm)*", f"{at}.dlp"),
    ]


def _ct(most: int) -> list[Cell]:
    series = [_ct_series(place) for place in range(1, max(most, _CT_SERIES) + 1)]
    return [
        Cell("Patient No", "n", INTEGER),
        number("Age (yrs)", "s.patient_age"),
        number("Weight (kg)", "s.patient_weight"),
        number("Height (cm)", times("s.patient_size", 100)),
        *chain.from_iterable(series[:_CT_SERIES]),
        number("Total DLP* (whole scan) mGy.cm", "s.dlp_total"),
        Cell("Patient comments", "v.types"),
        *chain.from_iterable(series[_CT_SERIES:]),
    ]


# Radiography: for single projections the first of a study; otherwise six, or the twenty of the
# workbook for skeletal surveys.
_PROJECTIONS, _SKELETAL = 6, 20
_DX_EVENTS = f"""
    SELECT study_id, count(*) AS number, list({{
        'dap': {times("dap", _CGY_CM2)}, 'name': acquisition_protocol,
        'grid': array_to_string(list_transform(xray_grids, lambda g: g.meaning), ', '),
        'distance': {times("distance_source_to_detector", _CM)},
        'filtration': array_to_string(list_transform(list_filter(xray_filters, lambda f: f.material
        IS NOT NULL),
            lambda f: concat_ws(' ', {element("f.material")},
            {_digits("coalesce(f.thickness_maximum, f.thickness_minimum)")}
                                || ' mm')), ' + '),
        'control': exposure_control_mode, 'kvp': kvp, 'mas': {times("exposure", _MAS)},
        'position': concat_ws(', ', patient_orientation.meaning,
        patient_orientation_modifier.meaning,
                              patient_table_relationship.meaning),
        'other': concat_ws(', ', 'EI ' || {_digits("exposure_index")}, image_view.meaning)
    }} ORDER BY event_number) AS exposures
    FROM projection_event WHERE study_id IN (SELECT id FROM part) GROUP BY study_id
"""


def _projection(place: int) -> list[Cell]:
    at = f"v.exposures[{place}]"
    return [
        Cell("Detector used"),
        Cell("Grid used", f"{at}.grid"),
        number("FDD (cm)", f"{at}.distance"),
        Cell("Filtration in mm Al", f"{at}.filtration"),
        Cell("AEC used", f"{at}.control"),
        number("kVp", f"{at}.kvp"),
        number("mAs", f"{at}.mas"),
        Cell("Patient position", f"{at}.position"),
        Cell("Detector in bucky"),
        Cell("Other projection info", f"{at}.other"),
    ]


def _dx(dose: Cell, name: str, middle: list[Cell], held: int) -> list[Cell]:
    some = (
        f"CASE WHEN v.number > {held} THEN concat('First {held} of ', v.number, ' exposures') END"
    )
    return [
        *_RECORD,
        dose,
        Cell("DAP dose units", f"CASE WHEN ({dose.sql}) IS NOT NULL THEN {_UNIT} END"),
        Cell("Protocol name", name),
        number("Patient weight (kg)", "s.patient_weight"),
        Cell(""),
        Cell(""),
        number("Patient age", "s.patient_age"),
        Cell("Sex", "s.patient_sex"),
        number("Height (m)", "s.patient_size"),
        *middle,
        Cell("Additional one"),
        Cell("Additional two"),
        Cell("Additional three"),
        Cell("Additional four"),
        Cell("SNOMED CT code"),
        Cell("NICIP code"),
        Cell("Variation in dose collection"),
        Cell("Other information, comments", some),
    ]


def _dx_projection(most: int) -> list[Cell]:
    dose = number("Projection DAP dose", "v.exposures[1].dap")
    return _dx(dose, f"{_NAME}, nullif(v.exposures[1].name, ''))", _projection(1), 1)


def _dx_study(most: int) -> list[Cell]:
    held = _PROJECTIONS if most <= _PROJECTIONS else _SKELETAL
    places = range(1, held + 1)
    middle = [Cell("number of projections", "s.number_of_events", INTEGER)]
    middle += [number(f"Projection {place} DAP", f"v.exposures[{place}].dap") for place in places]
    for place in places:
        middle += [
            Cell(f"Projection {place} Name", f"v.exposures[{place}].name"),
            *_projection(place),
        ]
    return _dx(number("Study DAP dose", times("s.dap_total", _CGY_CM2)), f"{_NAME})", middle, held)


# Fluoroscopy: one row per study. The units are in the form's fourth row, the studies from its
# seventh row on.
_FLUOROSCOPY = f"'{concepts.FLUOROSCOPY.key}'"
_ACQUISITIONS = ", ".join(
    f"'{one.key}'"
    for one in (
        concepts.STATIONARY_ACQUISITION,
        concepts.STEPPING_ACQUISITION,
        concepts.ROTATIONAL_ACQUISITION,
    )
)
_RF_ABOVE = ((), (), (), ("", "", "", "", "", "Gy·m²", "", "seconds", "Gy"), (), ())
_RF_EVENTS = f"""
    SELECT part.id AS study_id, of_events.*, planes.* FROM part
    LEFT JOIN (
        SELECT study_id AS of_study, count(*) AS number, count(*) FILTER (acquisition) AS
        acquisitions,
            string_agg(DISTINCT acquisition_protocol, ' | ' ORDER BY acquisition_protocol) FILTER
            (fluoro) AS protocols,
            string_agg(DISTINCT fluoro_mode.meaning, ' | ' ORDER BY fluoro_mode.meaning) FILTER
            (fluoro) AS modes,
            list_sort(list(DISTINCT pulse_rate) FILTER (fluoro AND pulse_rate > 0)) AS fluoro_rates,
            list_sort(list(DISTINCT pulse_rate) FILTER (acquisition AND pulse_rate > 0)) AS
            acquisition_rates,
            list_sort(list(DISTINCT intensifier_size) FILTER (intensifier_size > 0)) AS diameters,
            string_agg(DISTINCT lies, ' | ' ORDER BY lies) AS lies,
            list_sort(list_distinct(flatten(list(grids) FILTER (grids IS NOT NULL)))) AS grids,
            flatten(list(xray_filters) FILTER (xray_filters IS NOT NULL)) AS filters,
            min(collimated_field_area) AS area_min, max(collimated_field_area) AS area_max,
            min(collimated_field_width) AS width_min, max(collimated_field_width) AS width_max,
            min(collimated_field_height) AS height_min, max(collimated_field_height) AS height_max
        FROM (SELECT *, {key("irradiation_event_type")} = {_FLUOROSCOPY} AS fluoro,
                  {key("irradiation_event_type")} IN ({_ACQUISITIONS}) AS acquisition,
                  list_transform(xray_grids, lambda g: g.meaning) AS grids,
                  nullif(concat_ws(', ', patient_table_relationship.meaning,
                  patient_orientation.meaning,
                                   patient_orientation_modifier.meaning), '') AS lies
              FROM projection_event WHERE study_id IN (SELECT id FROM part))
        GROUP BY study_id
    ) of_events ON of_study = part.id
    LEFT JOIN (
        SELECT study_id AS of_planes, CASE WHEN count(*) = 1 THEN any_value(fluoro_dose_rp_total)
        END AS fluoro_rp,
            CASE WHEN count(*) = 1 THEN any_value(acquisition_dose_rp_total) END AS acquisition_rp
        FROM projection_accumulated WHERE study_id IN (SELECT id FROM part) GROUP BY study_id
    ) planes ON of_planes = part.id
"""


def _rates(list_: str) -> str:
    return f"array_to_string(list_transform({list_}, lambda r: {_digits('r')}), ' | ')"


def _rate(list_: str) -> Cell:
    return Cell(
        "",
        f"CASE WHEN len({list_}) = 1 THEN {list_}[1] END",
        NUMBER,
        f"CASE WHEN len({list_}) > 1 THEN 'Multiple rates' END",
    )


def _span(low: str, high: str, unit: str) -> str:
    """Return the SQL expression of the range from minimum to maximum, in words; NULL if not given."""
    return (
        f"{_digits(low)} || CASE WHEN {high} > {low} THEN ' - ' || {_digits(high)} ELSE '' END "
        f"|| ' {unit}'"
    )


def _filter(symbol: str) -> Cell:
    those = f"list_filter(v.filters, lambda f: {element('f.material')} = '{symbol}')"
    thickness = (
        f"list_transform({those}, lambda f: coalesce(f.thickness_maximum, f.thickness_minimum))"
    )
    return Cell("", _span(f"list_min({thickness})", f"list_max({thickness})", "mm"))


def _rf(most: int) -> list[Cell]:
    field = ", ".join(
        (
            f"'Area ' || {_span('v.area_min', 'v.area_max', 'm²')}",
            f"'width ' || {_span('v.width_min', 'v.width_max', 'mm')}",
            f"'height ' || {_span('v.height_min', 'v.height_max', 'mm')}",
        )
    )
    remarks = [
        f"CASE WHEN len(v.{name}_rates) > 1 THEN '{word}: ' || {_rates(f'v.{name}_rates')} || ' "
        f"fps' END"
        for name, word in (("fluoro", "Fluoro"), ("acquisition", "Acquisition"))
    ]
    remarks.append(
        "CASE WHEN s.dose_rp_total_b IS NOT NULL THEN"
        " 'Two planes: the dose at the reference point is the larger of the two' END"
    )
    values = (
        "s.dap_total",
        "s.fluoro_dap_total",
        "s.acquisition_dap_total",
        "s.total_fluoro_time",
        "s.dose_rp_total",
        "v.fluoro_rp",
        "v.acquisition_rp",
    )
    blank = Cell("")
    return [
        *_RECORD,
        *(number("", value) for value in values),
        Cell("", f"{_NAME})"),
        number("", "s.patient_weight"),
        blank,
        number("", "s.patient_age"),
        Cell("", "s.patient_sex"),
        number("", "s.patient_size"),
        Cell("", "v.protocols"),
        Cell("", "v.modes"),
        _rate("v.fluoro_rates"),
        _rate("v.acquisition_rates"),
        Cell("", "v.acquisitions", INTEGER),
        Cell("", "array_to_string(v.grids, ' | ')"),
        blank,
        Cell("", "v.lies"),
        blank,
        blank,
        Cell("", f"concat_ws(', ', {field})"),
        Cell("", f"nullif({_rates('v.diameters')}, '') || ' mm'"),
        blank,
        _filter("Cu"),
        _filter("Al"),
        *[blank] * 10,
        Cell("", f"concat_ws('. ', {', '.join(remarks)})"),
    ]


FORMS = {
    "phe_ct_2019": Form("PHE CT 2019", _CT_EVENTS, _ct),
    "phe_dx_2019_projection": Form("PHE DX 2019 Single Projection", _DX_EVENTS, _dx_projection),
    "phe_dx_2019_study": Form("PHE DX 2019 Exam", _DX_EVENTS, _dx_study),
    "phe_rf_2019": Form("PHE IR-Fluoro", _RF_EVENTS, _rf, _RF_ABOVE),
}
