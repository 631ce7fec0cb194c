"""Fields of an irradiation event or administration that people look at first, in this order, as far
as the records have them.

They are fields of the modality's table of events; "xray_sources.kvp" is a field of the structs in
one. Pages show these columns until the user chooses others; the report of a study has only
these."""

_WHAT = ("event_number", "source", "datetime_started")
_TUBE = ("kvp", "xray_tube_current", "exposure_time", "exposure")
_FILTERS = ("xray_filters.material", "xray_filters.thickness_maximum")

CT = (
    *_WHAT, "ct_acquisition_type", "acquisition_protocol", "target_region", "mean_ctdivol", "ssde", "dlp",
    "effective_dose_estimated", "scanning_length",
    "xray_sources.kvp", "xray_sources.xray_tube_current", "xray_sources.exposure_time_per_rotation", "exposure_time",
    "pitch_factor", "nominal_total_collimation_width", "ctdiw_phantom_type", "xray_modulation_type", "comment",
)  # fmt: skip
RF = (
    *_WHAT, "irradiation_event_type", "acquisition_plane", "acquisition_protocol", "target_region", "anatomical_structure",
    "laterality", "image_view", "dap", "dose_rp", *_TUBE, "pulse_rate", "number_of_pulses", "irradiation_duration", *_FILTERS,
    "positioner_primary_angle", "positioner_secondary_angle", "comment",
)  # fmt: skip
DX = (
    *_WHAT, "acquisition_protocol", "anatomical_structure", "target_region", "laterality", "image_view", "dap",
    "exposure_index", "target_exposure_index", "deviation_index", "exposure_indicator", "relative_xray_exposure", *_TUBE,
    *_FILTERS, "xray_grids", "distance_source_to_detector", "dose_rp", "entrance_dose", "comment",
)  # fmt: skip
MG = (
    *_WHAT, "laterality", "image_view", "image_view_modifiers", "average_glandular_dose", "compression_thickness",
    "compression_force", "acquisition_protocol", *_TUBE, "anode_target_material", *_FILTERS, "entrance_dose",
    "entrance_exposure_at_rp", "half_value_layer", "comment",
)  # fmt: skip
NM = (
    *_WHAT, "radiopharmaceutical_agent", "radiopharmaceutical_name", "radionuclide", "administered_activity",
    "pre_administration_activity", "post_administration_activity", "route_of_administration", "site_of_administration",
    "laterality", "radiopharmaceutical_volume", "effective_dose", "effective_dose_estimated",
    "radionuclide_half_life", "comment",
)  # fmt: skip
