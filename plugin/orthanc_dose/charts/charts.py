"""The charts, each declared once."""

from collections.abc import Iterator

from .chart_types import Chart

_DESCRIPTION, _PROCEDURE = "study_description", "requested_procedure_description"
_STUDY = (_DESCRIPTION, _PROCEDURE)
# Names of groups in the names of charts, if they differ from those of their filters.
_SHORT = {
    _DESCRIPTION: "study-description",
    _PROCEDURE: "requested-procedure",
    "ct_event_acquisition_protocol": "protocol",
    "projection_event_acquisition_protocol": "protocol",
    "projection_event_image_view": "view",
    "nm_administration_radiopharmaceutical_agent": "agent",
}
_CT, _PROJECTION = "ct_event_acquisition_protocol", "projection_event_acquisition_protocol"
_AGENT = "nm_administration_radiopharmaceutical_agent"


def _each(modality: str, kind: str, called: str, measure: str, *groupings: str) -> Iterator[Chart]:
    for grouping in groupings:
        yield Chart(
            f"{modality.lower()}-{called}-{_SHORT[grouping]}", modality, kind, measure, grouping
        )


def _frequency(modality: str, *groupings: str) -> Iterator[Chart]:
    return _each(modality, "frequency", "frequency", "", *groupings)


def _workload(modality: str) -> Chart:
    return Chart(f"{modality.lower()}-workload", modality, "workload")


def _against_thickness(called: str, measure: str) -> Chart:
    return Chart(
        f"mg-{called}-thickness",
        "MG",
        "scatter",
        measure,
        "",
        "projection_event_compression_thickness",
    )


CHARTS: dict[str, Chart] = {
    chart.name: chart
    for chart in (
        *_each("CT", "average", "dlp", "ct_event_dlp", _CT),
        *_each("CT", "average", "dlp", "dlp_total", *_STUDY),
        *_each("CT", "average", "ctdivol", "ct_event_mean_ctdivol", _CT, _DESCRIPTION),
        *_each("CT", "average", "ssde", "ssde_max", *_STUDY),
        *_each("CT", "average", "effective-dose", "effective_dose_estimated", *_STUDY),
        *_frequency("CT", _CT, *_STUDY),
        *_each("CT", "average", "events", "number_of_events", *_STUDY),
        *_each("CT", "time", "dlp-over-time", "dlp_total", _DESCRIPTION),
        _workload("CT"),
        *_each("DX", "average", "dap", "projection_event_dap", _PROJECTION),
        *_each("DX", "average", "dap", "dap_total", *_STUDY),
        *_frequency("DX", _PROJECTION, *_STUDY),
        *_each("DX", "average", "events", "number_of_events", *_STUDY),
        *_each("DX", "average", "kvp", "projection_event_kvp", _PROJECTION),
        *_each("DX", "average", "mas", "projection_event_exposure", _PROJECTION),
        *_each("DX", "time", "dap-over-time", "projection_event_dap", _PROJECTION),
        *_each("DX", "time", "kvp-over-time", "projection_event_kvp", _PROJECTION),
        *_each("DX", "time", "mas-over-time", "projection_event_exposure", _PROJECTION),
        _workload("DX"),
        *_each("RF", "average", "dap", "dap_total", *_STUDY),
        *_each("RF", "average", "dose-rp", "dose_rp_total", *_STUDY),
        *_each("RF", "average", "fluoro-time", "total_fluoro_time", *_STUDY),
        *_frequency("RF", *_STUDY),
        *_each("RF", "time", "dap-over-time", "dap_total", _DESCRIPTION),
        _workload("RF"),
        _against_thickness("agd", "projection_event_average_glandular_dose"),
        _against_thickness("kvp", "projection_event_kvp"),
        _against_thickness("mas", "projection_event_exposure"),
        *_each(
            "MG",
            "average",
            "agd",
            "projection_event_average_glandular_dose",
            _PROJECTION,
            "projection_event_image_view",
        ),
        *_frequency("MG", _PROJECTION, *_STUDY),
        _workload("MG"),
        *_each("NM", "average", "activity", "administered_activity_total", _DESCRIPTION),
        *_each("NM", "average", "activity", "nm_administration_administered_activity", _AGENT),
        *_each(
            "NM", "average", "activity-per-weight", "nm_administration_activity_per_weight", _AGENT
        ),
        *_each("NM", "average", "effective-dose", "effective_dose_estimated", _DESCRIPTION),
        *_frequency("NM", _AGENT, _DESCRIPTION),
        _workload("NM"),
    )
}
