"""Tables of projection X-ray, for fluoroscopy, radiography and mammography: Irradiation Event X-Ray
Data (TID 10003 with 10003A to C) and Accumulated X-Ray Dose Data (TID 10002 with 10004 to
10007)."""

from . import limits
from .common import (
    CALIBRATIONS,
    counted_in,
    device_participants,
    label,
    marks,
    person_participants,
    record_source,
    repeated_and_rejected,
)
from .estimate import OF_EVENT
from .field import (
    Field,
    Pulses,
    Table,
    code,
    codes,
    integer,
    moment,
    num,
    structs,
    text,
    uid,
    uids,
    with_pulse_values,
)
from .limits import Limits

_LATERALITY = "SCT:272741003"
_XPER = "99PHI-IXR-XPER"  # Philips' own codes, Allura Xper and later
_RADSUM = "99SMS_RADSUM"  # Siemens' own codes, Radiation Summary Report of the Arcadis


def _xper(
    name: str, title: str, unit: str, path: str, description: str = "", limits: Limits | None = None
) -> Field:
    """Return a field of a number or, without a unit, of a text that Philips writes in its own
    codes: "005/006" is item 006 in container 005.
    """
    own = "/".join(f"{_XPER}:{part}" for part in path.split("/"))
    source = f"{_XPER} {path.rpartition('/')[2]}"
    return (
        num(name, title, unit, own, source, description, limits=limits)
        if unit
        else text(name, title, own, source, description)
    )


_FILTERS = structs(
    "xray_filters",
    "X-ray filters",
    "113771",
    "TID 10003B row 18",
    "Filters in the beam.",
    code("type", "Type", "113772", "TID 10003B row 19"),
    code("material", "Material", "113757", "TID 10003B row 20"),
    num(
        "thickness_minimum",
        "Thickness minimum",
        "mm",
        "113758",
        "TID 10003B row 21",
        limits=limits.FILTER_THICKNESS,
    ),
    num(
        "thickness_maximum",
        "Thickness maximum",
        "mm",
        "113773",
        "TID 10003B row 22",
        limits=limits.FILTER_THICKNESS,
    ),
)

_SHUTTER = (
    "Distance of the shutter from the centre of the beam, in the plane 1 m from the source, "
    "at the end of the run."
)

_EVENT = (
    integer("study_id", "Study", description="Study that the event belongs to.", always=True),
    integer("event_number", "Event", description="Position of the event in the study, counted "
                                                 "from 1.", always=True),
    *record_source(),
    uid("irradiation_event_uid", "Irradiation event UID", "113769", "TID 10003 row 3",
        header="0008,3010|5200,9229/0018,9477/0008,3010"),
    code("acquisition_plane", "Acquisition plane", "113764", "TID 10003 row 2"),
    *label(),
    *repeated_and_rejected(),
    moment("datetime_started", "Started", "111526", "TID 10003 row 6"),
    code("irradiation_event_type", "Event type", "113721", "TID 10003 row 7"),
    text("acquisition_protocol", "Acquisition protocol", "125203", "TID 10003 row 8", header="0018,1030|0018,1400|0008,103e"),
    code("anatomical_structure", "Anatomical structure", "SCT:91723000", "TID 10003 row 9", header="0008,2218|0018,0015"),
    code("laterality", "Laterality", f"SCT:91723000/{_LATERALITY}|123014/{_LATERALITY}",
         "TID 10003 row 10; below Target Region since CP-1676", header="0020,0062|0020,0060|5200,9229/0020,9071/0020,9072"),
    code("image_view", "Image view", "111031", "TID 10003 row 11", header="0054,0220|0018,5101"),
    codes("image_view_modifiers", "Image view modifiers", "111032|111031/111032", "TID 10003 row 12",
        header="0054,0220/0054,0222"),
    code("projection_eponymous_name", "Eponymous projection", "113946|111031/113946", "TID 10003 row 13"),
    code("patient_table_relationship", "Patient table relationship", "113745", "TID 10003 row 14"),
    code("patient_orientation", "Patient orientation", "113743", "TID 10003 row 15", header="0054,0410"),
    code("patient_orientation_modifier", "Patient orientation "
"modifier", "113743/113744|113744", "TID 10003 row 16",
        header="0054,0412|0054,0410/0054,0412"),
    code("target_region", "Target region", "123014", "TID 10003 row 17"),
    num("dap", "DAP", "Gy.m2", "122130", "TID 10003 row 18", "Dose area product (kerma area "
"product) of the event.",
        header="0018,115e dGy.cm2"),
    num("half_value_layer", "Half value layer", "mm", "111634", "TID 10003 row 19", header="0040,0314 mm",
        limits=limits.HALF_VALUE_LAYER),
    num("patient_equivalent_thickness", "Patient equivalent "
"thickness", "mm", "111638", "TID 10003 row 20", limits=limits.THICKNESS),
    num("entrance_exposure_at_rp", "Entrance exposure at reference "
"point", "mGy", "111636", "TID 10003 row 21", limits=limits.ENTRANCE_DOSE),
    text("reference_point_definition", "Reference point", "113780", "TID 10003 rows 22, 23, TID "
"10003B rows 2, 3",
         "Point to which the dose at reference point refers; the meaning of the code if a code "
         "is given."),
    code("breast_composition", "Breast composition", "SCT:129715009", "TID 10003 row 24, TID 4007"),
    num("percent_fibroglandular_tissue", "Fibroglandular tissue", "%", "111046", "TID 10003 row "
"24, TID 4007"),
    text("comment", "Comment", "121106", "TID 10003 row 25", header="0040,0310"),
    person_participants(source="TID 1020 in TID 10003 row 26"),
    device_participants("TID 1021 in TID 10003A row 4, 10003B row 27"),
    num("exposure_index", "Exposure index", "1", "113845", "TID 10003A row 1", header="0018,1411 1",
        limits=limits.EXPOSURE_INDEX),
    num("target_exposure_index", "Target exposure index", "1", "113846", "TID 10003A row 2", header="0018,1412 1",
        limits=limits.TARGET_EXPOSURE_INDEX),
    num("deviation_index", "Deviation index", "1", "113847", "TID 10003A row 3", header="0018,1413 1",
        limits=limits.DEVIATION_INDEX),
    uids("acquired_images", "Acquired images", "113795", "TID 10003A row 5"),
    num("dose_rp", "Dose at reference point", "Gy", "113738", "TID 10003B row 1"),
    num("average_glandular_dose", "AGD", "mGy", "111631", "TID 10003B row 4", "Average glandular "
"dose.",
        header="0040,0316 dGy", limits=limits.AGD),
    code("fluoro_mode", "Fluoro mode", "113732", "TID 10003B row 5"),
    num("pulse_rate", "Pulse rate", "{pulse}/s", "113791", "TID 10003B row 6"),
    num("number_of_pulses", "Number of pulses", "1", "113768", "TID 10003B row 7", limits=limits.COUNT_OF_PULSES),
    code("number_of_pulses_derivation", "Derivation of number of "
"pulses", "113768/121401|121401", "TID 10003B row 8"),
    num("pulse_width", "Pulse width", "ms", "113793", "TID 10003B row 9", per_pulse=Pulses(
        "mean", "the number of pulses times this width is then the time with X-rays on"),
        limits=limits.PULSE_WIDTH),
    num("irradiation_duration", "Irradiation duration", "s", "113742", "TID 10003B row 10",
        "Time from the first to the last X-ray of the event, including the pauses between pulses.",
        limits=limits.DURATION),
    num("kvp", "KVP", "kV", "113733", "TID 10003B row 11", header="0018,0060 kV", per_pulse=Pulses(
        "mean", "a voltage does not add up, and a pulse of 0 kV is one that was not measured")),
    num("xray_tube_current", "X-ray tube current", "mA", "113734", "TID 10003B row 12",
        header="0018,9330 mA|0018,8151 uA|0018,1151 mA", per_pulse=Pulses(
            "weighted_mean", "the mean current times the time with X-rays on is then the charge")),
    num("average_xray_tube_current", "Average X-ray tube current", "mA", "113767", "TID 10003B row 13"),
    num("exposure_time", "Exposure time", "ms", "113824", "TID 10003B row 14",
        "Time with X-rays on, summed over the pulses.", header="0018,9328 ms|0018,8150 us|0018,1150 "
"ms", limits=limits.EXPOSURE_TIME),
    num("exposure", "Exposure", "uA.s", "113736", "TID 10003B row 15",
        header="0018,9332 mA.s|0018,1153 uA.s|0018,1152 mA.s", per_pulse=Pulses(
            "sum", "charge adds up over the pulses; it stays empty if values of some are missing")),
    num("focal_spot_size", "Focal spot size", "mm", "113766", "TID 10003B row 16", header="0018,1190 mm",
        limits=limits.FOCAL_SPOT),
    code("anode_target_material", "Anode target material", "111632", "TID 10003B row 17", header="0018,1191",
         miscoded=(("DCM:113632",),)),
    _FILTERS,
    num("collimated_field_area", "Collimated field area", "m2", "113790", "TID 10003B row 23",
        limits=limits.FIELD_AREA),
    num("collimated_field_height", "Collimated field height", "mm", "113788", "TID 10003B row 24",
        limits=limits.FIELD_SIDE),
    num("collimated_field_width", "Collimated field width", "mm", "113789", "TID 10003B row 25",
        limits=limits.FIELD_SIDE),
    codes("xray_grids", "X-ray grid", "111635", "TID 10003B row 26", header="0018,1166"),
    code("crdr_mechanical_configuration", "CR/DR mechanical "
"configuration", "113956", "TID 10003C row 1"),
    num("positioner_primary_angle", "Positioner primary angle", "deg", "112011", "TID 10003C row 2", header="0018,1510 deg"),
    num("positioner_secondary_angle", "Positioner secondary angle", "deg", "112012", "TID 10003C row 3",
        header="0018,1511 deg", limits=limits.TILT),
    num("positioner_primary_end_angle", "Positioner primary end "
"angle", "deg", "113739", "TID 10003C row 4"),
    num("positioner_secondary_end_angle", "Positioner secondary end "
"angle", "deg", "113740", "TID 10003C row 5", limits=limits.TILT),
    num("column_angulation", "Column angulation", "deg", "113770", "TID 10003C row 6", header="0018,1450 deg"),
    num("table_head_tilt_angle", "Table head tilt angle", "deg", "113754", "TID 10003C row 7", limits=limits.TILT),
    num("table_horizontal_rotation_angle", "Table horizontal rotation "
"angle", "deg", "113755", "TID 10003C row 8"),
    num("table_cradle_tilt_angle", "Table cradle tilt angle", "deg", "113756", "TID 10003C row 9", limits=limits.TILT),
    num("compression_thickness", "Compression thickness", "mm", "111633", "TID 10003C row 10", header="0018,11a0 mm",
        limits=limits.COMPRESSION_THICKNESS),
    num("compression_force", "Compression force", "N", "111647",
        "PS3.16 Annex D, as far as reports contain it",
        header="0018,11a2 N"),
    num("distance_source_to_isocenter", "Distance source to "
"isocentre", "mm", "113748", "TID 10003C row 11, CID 10008", limits=limits.DISTANCE),
    num("distance_source_to_reference_point", "Distance source to reference point", "mm", "113737",
        "TID 10003C row 11, CID 10008", limits=limits.DISTANCE),
    num("distance_source_to_detector", "Distance source to detector", "mm", "113750", "TID 10003C "
"row 11, CID 10008",
        header="0018,1110 mm", limits=limits.DETECTOR_DISTANCE),
    num("table_longitudinal_position", "Table longitudinal position", "mm", "113751", "TID 10003C "
"row 11, CID 10008", limits=limits.POSITION),
    num("table_lateral_position", "Table lateral position", "mm", "113752", "TID 10003C row 11, "
"CID 10008", limits=limits.POSITION),
    num("table_height_position", "Table height position", "mm", f"113753|{_XPER}:021",
        "TID 10003C row 11, CID 10008; 99PHI-IXR-XPER 021", limits=limits.POSITION),
    num("distance_source_to_table_plane", "Distance source to table plane", "mm", "113792",
        "TID 10003C row 11, CID 10008", limits=limits.DISTANCE),
    num("table_longitudinal_end_position", "Table longitudinal end position", "mm", "113759",
        "TID 10003C row 11, CID 10008", limits=limits.POSITION),
    num("table_lateral_end_position", "Table lateral end position", "mm", "113760", "TID 10003C "
"row 11, CID 10008", limits=limits.POSITION),
    num("table_height_end_position", "Table height end position", "mm", f"113761|{_XPER}:020",
        "TID 10003C row 11, CID 10008; 99PHI-IXR-XPER 020", limits=limits.POSITION),
    num("table_x_position_to_isocenter", "Table x position to isocentre", "mm", "128766",
        "TID 10003C row 11, CID 10008", limits=limits.POSITION),
    num("table_y_position_to_isocenter", "Table y position to isocentre", "mm", "128767",
        "TID 10003C row 11, CID 10008", limits=limits.POSITION),
    num("table_z_position_to_isocenter", "Table z position to isocentre", "mm", "128768",
        "TID 10003C row 11, CID 10008", limits=limits.POSITION),
    num("table_x_end_position_to_isocenter", "Table x end position to isocentre", "mm", "128769",
        "TID 10003C row 11, CID 10008", limits=limits.POSITION),
    num("table_y_end_position_to_isocenter", "Table y end position to isocentre", "mm", "128770",
        "TID 10003C row 11, CID 10008", limits=limits.POSITION),
    num("table_z_end_position_to_isocenter", "Table z end position to isocentre", "mm", "128771",
        "TID 10003C row 11, CID 10008", limits=limits.POSITION),
    num("positioner_isocenter_primary_angle", "Isocentre primary "
"angle", "deg", "128757", "TID 10003C row 12"),
    num("positioner_isocenter_secondary_angle", "Isocentre secondary "
"angle", "deg", "128758", "TID 10003C row 13"),
    num("positioner_isocenter_detector_rotation_angle", "Isocentre detector "
"rotation", "deg", "128759",
        "TID 10003C row 14"),
    num("positioner_isocenter_primary_end_angle", "Isocentre primary end angle", "deg", "128760",
        "TID 10003C row 15"),
    num("positioner_isocenter_secondary_end_angle", "Isocentre secondary end "
"angle", "deg", "128761",
        "TID 10003C row 16"),
    num("positioner_isocenter_detector_rotation_end_angle", "Isocentre detector rotation "
"end", "deg", "128762",
        "TID 10003C row 17"),
    num("table_head_tilt_end_angle", "Table head tilt end angle", "deg", f"128763|{_XPER}:022",
        "TID 10003C row 18; 99PHI-IXR-XPER 022", limits=limits.TILT),
    num("table_horizontal_rotation_end_angle", "Table horizontal rotation end "
"angle", "deg", "128764",
        "TID 10003C row 19"),
    num("table_cradle_tilt_end_angle", "Table cradle tilt end angle", "deg", f"128765|{_XPER}:019",
        "TID 10003C row 20; 99PHI-IXR-XPER 019", limits=limits.TILT),
    # What manufacturers write in addition to the standard.
    _xper("number_of_frames", "Number of frames", "1", "003", limits=limits.COUNT_OF_PULSES),
    _xper("subimages_per_frame", "Sub-images per frame", "1", "004", limits=limits.COUNT_OF_PULSES),
    _xper("shutter_bottom", "Bottom shutter", "mm", "005/006", _SHUTTER, limits=limits.SHUTTER),
    _xper("shutter_left", "Left shutter", "mm", "005/007", _SHUTTER, limits=limits.SHUTTER),
    _xper("shutter_right", "Right shutter", "mm", "005/008", _SHUTTER, limits=limits.SHUTTER),
    _xper("shutter_top", "Top shutter", "mm", "005/009", _SHUTTER, limits=limits.SHUTTER),
    _xper("wedge_1_distance", "Wedge 1, distance", "mm", "005/010", limits=limits.SHUTTER),
    _xper("wedge_2_distance", "Wedge 2, distance", "mm", "005/011", limits=limits.SHUTTER),
    _xper("wedge_1_angle", "Wedge 1, angle", "deg", "005/012"),
    _xper("wedge_2_angle", "Wedge 2, angle", "deg", "005/013"),
    _xper("longitudinal_beam_position", "Longitudinal beam position", "mm", "014/015", limits=limits.POSITION),
    _xper("beam_angle", "Beam angle", "deg", "014/017"),
    _xper("distance_source_to_detector_end", "Distance source to detector at the end", "mm", "018",
        limits=limits.DETECTOR_DISTANCE),
    _xper("detector_field_x", "Detector field, x side", "mm", "023/024", limits=limits.FIELD_SIDE),
    _xper("detector_field_y", "Detector field, y side", "mm", "023/025", limits=limits.FIELD_SIDE),
    _xper("object_thickness", "Object thickness", "mm", "026",
          "Thickness of the patient as calculated by the system.", limits=limits.THICKNESS),
    _xper("application_group", "Application group", "", "028"),
    _xper("application", "Application", "", "029"),
    _xper("fluoro_flavour", "Fluoroscopy flavour", "", "030"),
    num("intensifier_size", "Field diameter", "mm", source="iiDiameter in the Comment of Siemens",
        description="Diameter of the image intensifier's field, or the equivalent format of the "
                    "flat detector.", limits=limits.FIELD_SIDE),
    text("patient_position", "Patient position", source="Position in the Comment of Siemens; terms "
"of PS3.3 C.7.3.1.1.2",
         description="Position of the patient, such as HFS for head first, supine."),
    # What only images contain.
    text("presentation_intent", "Presentation intent", header="0008,0068", source="(0008,0068)"),
    num("distance_source_to_patient", "Distance source to patient", "mm", header="0018,1111 mm", source="(0018,1111)",
        limits=limits.DISTANCE),
    num("distance_source_to_entrance", "Distance source to entrance", "mm", header="0040,0306 mm", source="(0040,0306)",
        description="From the source to the surface of the patient that is closest to it.",
        limits=limits.DISTANCE),
    num("grid_focal_distance", "Focal distance of the grid", "mm", header="0018,704c mm", source="(0018,704C)",
        limits=limits.DISTANCE),
    num("magnification_factor", "Magnification factor", "1", header="0018,1114 1", source="(0018,1114)",
        limits=limits.MAGNIFICATION),
    num("entrance_dose", "Entrance dose", "mGy", header="0040,8302 mGy|0040,0302 "
"dGy", source="(0040,8302), (0040,0302)",
        description="Average entrance dose at the surface of the patient, as given in the image.",
            limits=limits.ENTRANCE_DOSE),
    num("relative_xray_exposure", "Relative X-ray exposure", "1", header="0018,1405 1", source="(0018,1405)",
        description="The manufacturer's own exposure indicator; scales differ between "
                    "manufacturers and must not be compared or averaged (Fuji S decreases with "
                    "the dose, Agfa lgM is a logarithm).",
                        unlimited="scales of manufacturers differ, and some are logarithms"),
    text("exposure_indicator", "Exposure indicator",
         description="The manufacturer's name for the relative X-ray exposure: S, EI, lgM, REX, "
                     "DI, EXI."),
    num("sensitivity", "Sensitivity", "1", header="0018,6000 1", source="(0018,6000)",
        unlimited="scales of manufacturers differ"),
    text("exposure_control_mode", "Exposure control mode", header="0018,7060", source="(0018,7060)"),
    text("exposure_control_mode_description", "Exposure control", header="0018,7062", source="(0018,7062)"),
    text("exposure_status", "Exposure status", header="0018,7064", source="(0018,7064)"),
    text("detector_type_of_image", "Detector", header="0018,7004", source="(0018,7004)"),
    text("paddle", "Compression paddle", header="0018,11a4", source="(0018,11A4)"),
    text("breast_implant_present", "Breast implant", header="0028,1300", source="(0028,1300)"),
    counted_in(),
    marks(),
)  # fmt: skip

PROJECTION_EVENT = Table(
    "projection_event",
    "Projection X-ray irradiation events",
    "One row per irradiation event of a fluoroscopy, radiography or mammography study. An acquisition of "
    "cone-beam CT, as volumes or CT images with a dose area product describe it, is one event.",
    with_pulse_values(_EVENT),
    derived=(OF_EVENT["effective_dose"],),
)

PROJECTION_ACCUMULATED = Table(
    "projection_accumulated", "Projection X-ray accumulated dose",
    "One row per Accumulated X-Ray Dose Data container, that is, per plane.",
    (
        integer("study_id", "Study", description="Study that the row belongs to.", always=True),
        *record_source(),
        code("acquisition_plane", "Acquisition plane", "113764", "TID 10002 row 2"),
        CALIBRATIONS,
        num("dap_total", "DAP total", "Gy.m2", f"113722|{_RADSUM}:C-204",
            "TID 10004 row 1, TID 10007 row 1; 99SMS_RADSUM C-204", limits=limits.DAP_TOTAL),
        num("dose_rp_total", "Dose at reference point total", "Gy", f"113725|{_RADSUM}:C-210",
            "TID 10004 row 2, TID 10007 row 2; 99SMS_RADSUM C-210", limits=limits.DOSE_RP_TOTAL),
        num("fluoro_dap_total", "Fluoroscopy DAP total", "Gy.m2", "113726", "TID 10004 row 3", limits=limits.DAP_TOTAL),
        num("fluoro_dose_rp_total", "Fluoroscopy dose at reference point "
"total", "Gy", "113728", "TID 10004 row 4", limits=limits.DOSE_RP_TOTAL),
        num("total_fluoro_time", "Fluoroscopy time total", "s", f"113730|{_RADSUM}:C-202",
            "TID 10004 row 5; 99SMS_RADSUM C-202", limits=limits.TOTAL_TIME),
        num("acquisition_dap_total", "Acquisition DAP total", "Gy.m2", "113727", "TID 10004 row 6",
            limits=limits.DAP_TOTAL),
        num("acquisition_dose_rp_total", "Acquisition dose at reference point "
"total", "Gy", "113729",
            "TID 10004 row 7", limits=limits.DOSE_RP_TOTAL),
        num("total_acquisition_time", "Acquisition time total", "s", "113855", "TID 10004 row 8",
            limits=limits.TOTAL_TIME),
        num("distance_source_to_reference_point", "Distance source to reference "
"point", "mm", "113737",
            "TID 10004 row 9, TID 10007 row 3", limits=limits.DISTANCE),
        num("total_number_of_radiographic_frames", "Number of radiographic frames", "1", "113731",
            "TID 10004 row 10, TID 10006 row 2, TID 10007 row 4", limits=limits.COUNT_OF_PULSES),
        num("total_number_of_exposures", "Number of exposures", "1", f"{_RADSUM}:C-200", "99SMS_RADSUM C-200",
            limits=limits.COUNT_OF_EVENTS),
        text("reference_point_definition", "Reference point", "113780", "TID 10004 rows 11, 12, "
"TID 10007 rows 5, 6"),
        code("detector_type", "Detector type", "113947", "TID 10006 row 1"),
        structs(
            "accumulated_agd", "Accumulated AGD", "111637", "TID 10005", "Accumulated average "
"glandular dose by breast.",
            num("agd", "AGD", "mGy", source="TID 10005 row 1", limits=limits.AGD_TOTAL),
            code("laterality", "Laterality", _LATERALITY, "TID 10005 row 2"),
        ),
        code("equipment_landmark", "Equipment landmark", "128750", "TID 10002 row 15"),
        num("equipment_landmark_x", "Equipment landmark x", "mm", "128750/128752", "TID 10002 row 16",
            limits=limits.POSITION),
        num("equipment_landmark_z", "Equipment landmark z", "mm", "128750/128753", "TID 10002 row 17",
            limits=limits.POSITION),
        num("landmark_to_fiducial_z", "Landmark to patient fiducial", "mm", "128754/128756", "TID 10002 row 20",
            limits=limits.POSITION),
        _xper("height_of_system", "Height of system", "mm", "001", limits=limits.POSITION),
        _xper("distance_focal_spot_to_isocenter", "Distance focal spot to isocentre", "mm", "002",
            limits=limits.DISTANCE),
        device_participants("TID 1021 in TID 10002 row 14"),
        marks(),
    ),
)  # fmt: skip
