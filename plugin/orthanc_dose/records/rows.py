"""The types of the tables' rows, and of the structs in them: made by tools/row_types.py from the
declarations of the tables (make docs), not to be edited.

A row may lack fields, as those that an object does not give, and a field may be None."""

from datetime import date, datetime, time
from typing import Any, TypedDict


class CodeValue(TypedDict):
    """A coded value as a field holds it."""

    value: str | None
    scheme: str | None
    meaning: str | None


class GlomerularFiltrationRate(TypedDict, total=False):
    """An entry of glomerular_filtration_rates."""

    rate: float | None
    measurement_method: CodeValue | None
    equivalent_meaning: CodeValue | None


class PatientCharacteristic(TypedDict, total=False):
    """An entry of patient_characteristics."""

    patient_states: list[CodeValue] | None
    subject_age: float | None
    subject_sex: CodeValue | None
    patient_height: float | None
    patient_weight: float | None
    body_surface_area: float | None
    body_surface_area_formula: CodeValue | None
    body_mass_index: float | None
    body_mass_index_equation: CodeValue | None
    glucose: float | None
    fasting_duration: float | None
    hydration_volume: float | None
    recent_physical_activity: str | None
    serum_creatinine: float | None
    glomerular_filtration_rates: list[GlomerularFiltrationRate] | None


class OrganDoseEstimate(TypedDict, total=False):
    """An entry of organ_dose_estimates."""

    sop_instance_uid: str | None
    name: str | None
    finding_site: CodeValue | None
    laterality: CodeValue | None
    mean_absorbed_dose: float | None
    maximum_absorbed_dose: float | None
    minimum_absorbed_dose: float | None
    median_absorbed_dose: float | None
    mode_absorbed_dose: float | None
    absorbed_dose: float | None
    mean_equivalent_dose: float | None
    maximum_equivalent_dose: float | None
    minimum_equivalent_dose: float | None
    median_equivalent_dose: float | None
    mode_equivalent_dose: float | None
    equivalent_dose: float | None
    effective_dose: float | None
    reports_used: list[str] | None
    events_used: list[str] | None
    patient_model_type: CodeValue | None
    radiation_transport_model_type: CodeValue | None
    model_reference: str | None
    model_comment: str | None
    method_type: CodeValue | None
    method_reference: str | None


class Observer(TypedDict, total=False):
    """An entry of observers."""

    type: CodeValue | None
    person_name: str | None
    organization: str | None
    role_in_organization: CodeValue | None
    role_in_procedure: CodeValue | None
    device_uid: str | None
    device_name: str | None
    device_manufacturer: str | None
    device_model_name: str | None
    device_serial_number: str | None
    device_location: str | None
    device_role: CodeValue | None
    station_ae_title: str | None


class Person(TypedDict, total=False):
    """An entry of persons."""

    name: str | None
    role_in_procedure: CodeValue | None
    identifier: str | None
    identifier_issuer: str | None
    organization: str | None
    role_in_organization: CodeValue | None


class Device(TypedDict, total=False):
    """An entry of devices."""

    role: CodeValue | None
    name: str | None
    manufacturer: str | None
    model_name: str | None
    serial_number: str | None
    observer_uid: str | None


class Mark(TypedDict, total=False):
    """An entry of marks."""

    field: str
    mark: str
    raw: str | None


class NotUsed(TypedDict, total=False):
    """An entry of not_used."""

    concept: str | None
    meaning: str | None
    value: str | None
    unit: str | None
    count: int | None


class XraySource(TypedDict, total=False):
    """An entry of xray_sources."""

    identification: str | None
    kvp: float | None
    maximum_xray_tube_current: float | None
    xray_tube_current: float | None
    exposure_time_per_rotation: float | None
    xray_filter_aluminum_equivalent: float | None


class AlongZ(TypedDict, total=False):
    """An entry of along_z."""

    ssde: float | None
    z: float | None
    water_equivalent_diameter: float | None


class SizeSpecificDoseEstimate(TypedDict, total=False):
    """An entry of size_specific_dose_estimates."""

    ssde: float | None
    measurement_method: CodeValue | None
    measured_lateral_dimension: float | None
    measured_ap_dimension: float | None
    derived_effective_diameter: float | None
    dw_conversion_factor_coefficients: list[float] | None
    water_equivalent_diameter: float | None
    water_equivalent_diameter_method: CodeValue | None
    water_equivalent_diameter_z: float | None
    water_equivalent_diameter_objects: list[str] | None
    along_z: list[AlongZ] | None


class DlpSubTotal(TypedDict, total=False):
    """An entry of dlp_sub_totals."""

    dlp: float | None
    ctdiw_phantom_type: CodeValue | None


class XrayFilter(TypedDict, total=False):
    """An entry of xray_filters."""

    type: CodeValue | None
    material: CodeValue | None
    thickness_minimum: float | None
    thickness_maximum: float | None


class Calibration(TypedDict, total=False):
    """An entry of calibrations."""

    dose_measurement_device: CodeValue | None
    calibrated_at: datetime | None
    factor: float | None
    uncertainty: float | None
    responsible_party: str | None
    protocol: str | None


class AccumulatedAgd(TypedDict, total=False):
    """An entry of accumulated_agd."""

    agd: float | None
    laterality: CodeValue | None


class OrganDose(TypedDict, total=False):
    """An entry of organ_doses."""

    finding_site: CodeValue | None
    laterality: CodeValue | None
    organ_dose: float | None
    reference_authority: str | None
    mass: float | None
    mass_method: str | None


class LotIdentifier(TypedDict, total=False):
    """An entry of lot_identifiers."""

    identifier: str | None


class ReagentVialIdentifier(TypedDict, total=False):
    """An entry of reagent_vial_identifiers."""

    identifier: str | None


class RadionuclideIdentifier(TypedDict, total=False):
    """An entry of radionuclide_identifiers."""

    identifier: str | None


class Marked(TypedDict, total=False):
    """A row with marks."""

    marks: list[Mark] | None


class StudyRow(TypedDict, total=False):
    """A row of study."""

    id: int
    modality: str
    study_instance_uid: str | None
    equipment_id: int
    made_by: int | None
    accession_number: str | None
    study_id: str | None
    study_date: date | None
    study_time: time | None
    timezone_offset_from_utc: str | None
    study_description: str | None
    series_description: str | None
    protocol_name: str | None
    procedure_code: CodeValue | None
    performed_procedure_step_description: str | None
    requested_procedure_description: str | None
    requested_procedure_code: CodeValue | None
    scheduled_procedure_step_description: str | None
    referring_physician: str | None
    performing_physician: str | None
    operators: str | None
    patient_name: str | None
    patient_id: str | None
    patient_birth_date: str | None
    patient_age: float | None
    patient_sex: str | None
    patient_size: float | None
    patient_weight: float | None
    patient_size_from: str | None
    patient_weight_from: str | None
    procedure_reported: CodeValue | None
    procedure_intent: CodeValue | None
    acquisition_device_type: CodeValue | None
    scope_of_accumulation: CodeValue | None
    scope_uid: str | None
    start_of_irradiation: datetime | None
    end_of_irradiation: datetime | None
    detector_data_available: CodeValue | None
    source_data_available: CodeValue | None
    mechanical_data_available: CodeValue | None
    sources_of_dose_information: list[CodeValue] | None
    comment: str | None
    language: CodeValue | None
    dose_images: list[str] | None
    patient_characteristics: list[PatientCharacteristic] | None
    organ_dose_estimates: list[OrganDoseEstimate] | None
    observers: list[Observer] | None
    persons: list[Person] | None
    devices: list[Device] | None
    number_of_events: int | None
    number_of_spiral_events: int | None
    number_of_sequenced_events: int | None
    number_of_constant_angle_events: int | None
    number_of_stationary_events: int | None
    number_of_free_events: int | None
    number_of_cone_beam_events: int | None
    dlp_total: float | None
    ctdivol_max: float | None
    effective_dose_total: float | None
    dose_check_events: int | None
    dap_total: float | None
    dap_total_a: float | None
    dap_total_b: float | None
    dose_rp_total: float | None
    dose_rp_total_a: float | None
    dose_rp_total_b: float | None
    fluoro_dap_total: float | None
    acquisition_dap_total: float | None
    total_fluoro_time: float | None
    total_number_of_radiographic_frames: float | None
    agd_left: float | None
    agd_right: float | None
    agd_unspecified: float | None
    radiopharmaceuticals: str | None
    radionuclides: str | None
    administered_activity_total: float | None
    acquisition_protocols: list[str] | None
    all_marks: list[str] | None
    not_patient_indicator: str | None
    stored_at: datetime | None
    source: str
    extractor_version: str | None
    marks: list[Mark] | None
    not_used: list[NotUsed] | None
    standard_names: list[str] | None


class EquipmentRow(TypedDict, total=False):
    """A row of equipment."""

    id: int
    manufacturer: str | None
    manufacturer_model_name: str | None
    institution_name: str | None
    institutional_department_name: str | None
    station_name: str | None
    device_serial_number: str | None
    software_versions: str | None
    gantry_id: str | None
    display_name: str | None
    user_defined_modality: str | None
    joined_into: int | None


class CtEventRow(TypedDict, total=False):
    """A row of ct_event."""

    study_id: int
    event_number: int
    sop_instance_uid: str | None
    source: str | None
    irradiation_event_uid: str | None
    acquisition_protocol: str | None
    target_region: CodeValue | None
    ct_acquisition_type: CodeValue | None
    reconstruction_algorithms: list[CodeValue] | None
    procedure_context: CodeValue | None
    irradiation_event_label: str | None
    irradiation_event_label_type: CodeValue | None
    is_repeated: CodeValue | None
    reason_for_repeating: CodeValue | None
    repeated_event_uids: list[str] | None
    is_rejected: CodeValue | None
    reason_for_rejecting: CodeValue | None
    datetime_started: datetime | None
    exposure_time: float | None
    scanning_length: float | None
    length_of_reconstructable_volume: float | None
    exposed_range: float | None
    top_z_of_reconstructable_volume: float | None
    bottom_z_of_reconstructable_volume: float | None
    top_z_of_scanning_length: float | None
    bottom_z_of_scanning_length: float | None
    frame_of_reference_uid: str | None
    nominal_single_collimation_width: float | None
    nominal_total_collimation_width: float | None
    pitch_factor: float | None
    number_of_xray_sources: float | None
    xray_sources: list[XraySource] | None
    mean_ctdivol: float | None
    ctdiw_phantom_type: CodeValue | None
    ctdifreeair_calculation_factor: float | None
    mean_ctdifreeair: float | None
    dlp: float | None
    effective_dose: float | None
    effective_dose_method: CodeValue | None
    effective_dose_conversion_factor: float | None
    size_specific_dose_estimates: list[SizeSpecificDoseEstimate] | None
    dlp_alert_value_configured: CodeValue | None
    ctdivol_alert_value_configured: CodeValue | None
    dlp_alert_value: float | None
    ctdivol_alert_value: float | None
    accumulated_dlp_forward_estimate: float | None
    accumulated_ctdivol_forward_estimate: float | None
    alert_reason_for_proceeding: str | None
    alternative_dose_alert_behavior: CodeValue | None
    dlp_notification_value_configured: CodeValue | None
    ctdivol_notification_value_configured: CodeValue | None
    dlp_notification_value: float | None
    ctdivol_notification_value: float | None
    dlp_forward_estimate: float | None
    ctdivol_forward_estimate: float | None
    notification_reason_for_proceeding: str | None
    xray_modulation_type: str | None
    comment: str | None
    persons: list[Person] | None
    devices: list[Device] | None
    marks: list[Mark] | None


class CtAccumulatedRow(TypedDict, total=False):
    """A row of ct_accumulated."""

    study_id: int
    sop_instance_uid: str | None
    source: str | None
    total_number_of_irradiation_events: float | None
    dlp_total: float | None
    dlp_total_phantom_type: CodeValue | None
    dlp_sub_totals: list[DlpSubTotal] | None
    effective_dose_total: float | None
    reference_authority: str | None
    effective_dose_method: CodeValue | None
    patient_model: str | None
    effective_dose_phantom_type: str | None
    dosimeter_type: str | None
    comment: str | None
    devices: list[Device] | None
    marks: list[Mark] | None


class ProjectionEventRow(TypedDict, total=False):
    """A row of projection_event."""

    study_id: int
    event_number: int
    sop_instance_uid: str | None
    source: str | None
    irradiation_event_uid: str | None
    acquisition_plane: CodeValue | None
    irradiation_event_label: str | None
    irradiation_event_label_type: CodeValue | None
    is_repeated: CodeValue | None
    reason_for_repeating: CodeValue | None
    repeated_event_uids: list[str] | None
    is_rejected: CodeValue | None
    reason_for_rejecting: CodeValue | None
    datetime_started: datetime | None
    irradiation_event_type: CodeValue | None
    acquisition_protocol: str | None
    anatomical_structure: CodeValue | None
    laterality: CodeValue | None
    image_view: CodeValue | None
    image_view_modifiers: list[CodeValue] | None
    projection_eponymous_name: CodeValue | None
    patient_table_relationship: CodeValue | None
    patient_orientation: CodeValue | None
    patient_orientation_modifier: CodeValue | None
    target_region: CodeValue | None
    dap: float | None
    half_value_layer: float | None
    patient_equivalent_thickness: float | None
    entrance_exposure_at_rp: float | None
    reference_point_definition: str | None
    breast_composition: CodeValue | None
    percent_fibroglandular_tissue: float | None
    comment: str | None
    persons: list[Person] | None
    devices: list[Device] | None
    exposure_index: float | None
    target_exposure_index: float | None
    deviation_index: float | None
    acquired_images: list[str] | None
    dose_rp: float | None
    average_glandular_dose: float | None
    fluoro_mode: CodeValue | None
    pulse_rate: float | None
    number_of_pulses: float | None
    number_of_pulses_derivation: CodeValue | None
    pulse_width: float | None
    pulse_width_values: list[float] | None
    irradiation_duration: float | None
    kvp: float | None
    kvp_values: list[float] | None
    xray_tube_current: float | None
    xray_tube_current_values: list[float] | None
    average_xray_tube_current: float | None
    exposure_time: float | None
    exposure: float | None
    exposure_values: list[float] | None
    focal_spot_size: float | None
    anode_target_material: CodeValue | None
    xray_filters: list[XrayFilter] | None
    collimated_field_area: float | None
    collimated_field_height: float | None
    collimated_field_width: float | None
    xray_grids: list[CodeValue] | None
    crdr_mechanical_configuration: CodeValue | None
    positioner_primary_angle: float | None
    positioner_secondary_angle: float | None
    positioner_primary_end_angle: float | None
    positioner_secondary_end_angle: float | None
    column_angulation: float | None
    table_head_tilt_angle: float | None
    table_horizontal_rotation_angle: float | None
    table_cradle_tilt_angle: float | None
    compression_thickness: float | None
    compression_force: float | None
    distance_source_to_isocenter: float | None
    distance_source_to_reference_point: float | None
    distance_source_to_detector: float | None
    table_longitudinal_position: float | None
    table_lateral_position: float | None
    table_height_position: float | None
    distance_source_to_table_plane: float | None
    table_longitudinal_end_position: float | None
    table_lateral_end_position: float | None
    table_height_end_position: float | None
    table_x_position_to_isocenter: float | None
    table_y_position_to_isocenter: float | None
    table_z_position_to_isocenter: float | None
    table_x_end_position_to_isocenter: float | None
    table_y_end_position_to_isocenter: float | None
    table_z_end_position_to_isocenter: float | None
    positioner_isocenter_primary_angle: float | None
    positioner_isocenter_secondary_angle: float | None
    positioner_isocenter_detector_rotation_angle: float | None
    positioner_isocenter_primary_end_angle: float | None
    positioner_isocenter_secondary_end_angle: float | None
    positioner_isocenter_detector_rotation_end_angle: float | None
    table_head_tilt_end_angle: float | None
    table_horizontal_rotation_end_angle: float | None
    table_cradle_tilt_end_angle: float | None
    number_of_frames: float | None
    subimages_per_frame: float | None
    shutter_bottom: float | None
    shutter_left: float | None
    shutter_right: float | None
    shutter_top: float | None
    wedge_1_distance: float | None
    wedge_2_distance: float | None
    wedge_1_angle: float | None
    wedge_2_angle: float | None
    longitudinal_beam_position: float | None
    beam_angle: float | None
    distance_source_to_detector_end: float | None
    detector_field_x: float | None
    detector_field_y: float | None
    object_thickness: float | None
    application_group: str | None
    application: str | None
    fluoro_flavour: str | None
    intensifier_size: float | None
    patient_position: str | None
    presentation_intent: str | None
    distance_source_to_patient: float | None
    magnification_factor: float | None
    entrance_dose: float | None
    relative_xray_exposure: float | None
    exposure_indicator: str | None
    sensitivity: float | None
    exposure_control_mode: str | None
    exposure_control_mode_description: str | None
    exposure_status: str | None
    detector_type_of_image: str | None
    paddle: str | None
    breast_implant_present: str | None
    marks: list[Mark] | None


class ProjectionAccumulatedRow(TypedDict, total=False):
    """A row of projection_accumulated."""

    study_id: int
    sop_instance_uid: str | None
    source: str | None
    acquisition_plane: CodeValue | None
    calibrations: list[Calibration] | None
    dap_total: float | None
    dose_rp_total: float | None
    fluoro_dap_total: float | None
    fluoro_dose_rp_total: float | None
    total_fluoro_time: float | None
    acquisition_dap_total: float | None
    acquisition_dose_rp_total: float | None
    total_acquisition_time: float | None
    distance_source_to_reference_point: float | None
    total_number_of_radiographic_frames: float | None
    total_number_of_exposures: float | None
    reference_point_definition: str | None
    detector_type: CodeValue | None
    accumulated_agd: list[AccumulatedAgd] | None
    equipment_landmark: CodeValue | None
    equipment_landmark_x: float | None
    equipment_landmark_z: float | None
    landmark_to_fiducial_z: float | None
    height_of_system: float | None
    distance_focal_spot_to_isocenter: float | None
    devices: list[Device] | None
    marks: list[Mark] | None


class NmAdministrationRow(TypedDict, total=False):
    """A row of nm_administration."""

    study_id: int
    event_number: int
    sop_instance_uid: str | None
    source: str | None
    administration_event_uid: str | None
    radiopharmaceutical_agent: CodeValue | None
    radiopharmaceutical_name: str | None
    radionuclide: CodeValue | None
    radionuclide_half_life: float | None
    specific_activity: float | None
    datetime_started: datetime | None
    datetime_stopped: datetime | None
    administered_activity: float | None
    radiopharmaceutical_volume: float | None
    pre_administration_activity: float | None
    pre_administration_device: CodeValue | None
    post_administration_activity: float | None
    post_administration_device: CodeValue | None
    estimated_extravasation_activity: float | None
    extravasation_symptoms: list[CodeValue] | None
    effective_dose: float | None
    effective_dose_reference_authority: str | None
    organ_doses: list[OrganDose] | None
    route_of_administration: CodeValue | None
    site_of_administration: CodeValue | None
    laterality: CodeValue | None
    persons: list[Person] | None
    billing_codes: list[CodeValue] | None
    drug_product_identifiers: list[CodeValue] | None
    brand_name: str | None
    dispense_unit_identifier: str | None
    lot_identifiers: list[LotIdentifier] | None
    reagent_vial_identifiers: list[ReagentVialIdentifier] | None
    radionuclide_identifiers: list[RadionuclideIdentifier] | None
    prescription_identifier: str | None
    comment: str | None
    marks: list[Mark] | None


class ObjectRow(TypedDict, total=False):
    """A row of object."""

    handle: str
    sop_instance_uid: str | None
    sop_class_uid: str | None
    study_instance_uid: str | None
    modality: str | None
    study_id: int | None
    outcome: str
    rule: str | None
    reason: str | None
    source: str | None
    series_handle: str | None
    change: int | None
    attempts: int | None
    received_at: datetime | None
    processed_at: datetime | None
    size: int | None
    extractor_version: str | None
    in_orthanc: str | None
    deleted_at: datetime | None
    content_digest: str | None
    content: bytes | None


class DroppedRow(TypedDict, total=False):
    """A row of dropped."""

    sop_class_uid: str | None
    objects: int | None
    first_at: datetime | None
    last_at: datetime | None


class SettingRow(TypedDict, total=False):
    """A row of setting."""

    user_name: str | None
    kind: str | None
    name: str | None
    value: str | None
    changed_at: datetime | None


class StateRow(TypedDict, total=False):
    """A row of state."""

    name: str | None
    value: str | None


class PatientSizeRow(TypedDict, total=False):
    """A row of patient_size."""

    study_instance_uid: str | None
    height: float | None
    weight: float | None
    height_overwrites: int | None
    weight_overwrites: int | None
    task_id: int | None
    changed_at: datetime | None


class TaskRow(TypedDict, total=False):
    """A row of task."""

    id: int
    kind: str
    subject: str
    user_name: str
    state: str
    done: int
    total: int | None
    message: str | None
    parameters: str | None
    progress: str | None
    result: str | None
    created_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    owner: str | None
    alive_at: datetime | None


class TaskLogRow(TypedDict, total=False):
    """A row of task_log."""

    task_id: int | None
    line: int | None
    outcome: str | None
    study_id: int | None
    message: str | None


class AccountRow(TypedDict, total=False):
    """A row of account."""

    name: str | None
    password_hash: str | None
    groups: list[str] | None
    disabled: bool | None
    created_at: datetime | None
    created_by: str | None
    password_changed_at: datetime | None


class TokenRow(TypedDict, total=False):
    """A row of token."""

    id: str
    name: str
    user_name: str
    digest: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


class DeviceRow(TypedDict, total=False):
    """A row of device."""

    id: str | None
    user_name: str | None
    digest: str | None
    used_at: datetime | None


class AuditLogRow(TypedDict, total=False):
    """A row of audit_log."""

    number: int
    at: datetime
    user_name: str | None
    address: str | None
    way: str | None
    action: str | None
    subject: str | None
    details: str | None
    succeeded: bool | None


class TermRow(TypedDict, total=False):
    """A row of term."""

    id: int
    field: str
    value: str


class StudyDayRow(TypedDict, total=False):
    """A row of study_day."""

    modality: str | None
    equipment_id: int | None
    study_date: date | None
    studies: int | None
    events: int | None
    last_time: time | None


class StandardNameRow(TypedDict, total=False):
    """A row of standard_name."""

    position: int | None
    kind: str
    pattern: str
    modality: str | None
    standard_name: str


class TermNameRow(TypedDict, total=False):
    """A row of term_name."""

    term: int | None
    modality: str | None
    standard_name: str | None


class ReferenceLevelRow(TypedDict, total=False):
    """A row of reference_level."""

    id: int
    shipped_as: str | None
    name: str
    pattern: str | None
    standard_name: str | None
    modality: str | None
    quantity: str | None
    value: float
    statistic: str
    age_from: float | None
    age_to: float | None
    weight_from: float | None
    weight_to: float | None
    phantom: str | None
    source: str | None
    year: int | None
    url: str | None
    note: str | None
    valid: bool | None


class FoundRow(TypedDict, total=False):
    """A row of found."""

    task_id: int
    line: int
    study_instance_uid: str
    study_date: str | None
    study_description: str | None
    modalities: list[str] | None
    looked_at_as: list[str] | None
    study_reason: str | None
    told: str | None
    series_instance_uid: str | None
    modality: str | None
    series_description: str | None
    station_name: str | None
    size: int | None
    kept: bool | None
    reason: str | None
    images: list[str] | None
    listed: list[str] | None
    chosen: bool | None
    state: str | None
    fault: str | None
    asked_for: int | None
    arrived: int | None
    imported: int | None


class ScheduleRunRow(TypedDict, total=False):
    """A row of schedule_run."""

    schedule: str
    due: datetime
    task_id: int | None
    message: str | None
    search: str | None
    retrieval: str | None


class StudyChangeRow(TypedDict, total=False):
    """A row of study_change."""

    number: int
    study_id: int
    what: str
    at: datetime


class FollowerRow(TypedDict, total=False):
    """A row of follower."""

    name: str
    cursor: int
    task_id: int | None
    created_at: datetime


class FollowerFailureRow(TypedDict, total=False):
    """A row of follower_failure."""

    follower: str
    number: int | None
    study_id: int
    what: str
    attempts: int
    reason: str
    failed_at: datetime
    next_try_at: datetime | None


class Task(TypedDict, total=False):
    """A row of task whose JSON is read."""

    id: int
    kind: str
    subject: str
    user_name: str
    state: str
    done: int
    total: int | None
    message: str | None
    parameters: dict[str, Any]
    progress: dict[str, Any]
    result: dict[str, Any]
    created_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    owner: str | None
    alive_at: datetime | None


class EventRow(TypedDict, total=False):
    """An event of any modality type: a row of one of these tables."""

    study_id: int
    event_number: int
    sop_instance_uid: str | None
    source: str | None
    irradiation_event_uid: str | None
    acquisition_protocol: str | None
    target_region: CodeValue | None
    ct_acquisition_type: CodeValue | None
    reconstruction_algorithms: list[CodeValue] | None
    procedure_context: CodeValue | None
    irradiation_event_label: str | None
    irradiation_event_label_type: CodeValue | None
    is_repeated: CodeValue | None
    reason_for_repeating: CodeValue | None
    repeated_event_uids: list[str] | None
    is_rejected: CodeValue | None
    reason_for_rejecting: CodeValue | None
    datetime_started: datetime | None
    exposure_time: float | None
    scanning_length: float | None
    length_of_reconstructable_volume: float | None
    exposed_range: float | None
    top_z_of_reconstructable_volume: float | None
    bottom_z_of_reconstructable_volume: float | None
    top_z_of_scanning_length: float | None
    bottom_z_of_scanning_length: float | None
    frame_of_reference_uid: str | None
    nominal_single_collimation_width: float | None
    nominal_total_collimation_width: float | None
    pitch_factor: float | None
    number_of_xray_sources: float | None
    xray_sources: list[XraySource] | None
    mean_ctdivol: float | None
    ctdiw_phantom_type: CodeValue | None
    ctdifreeair_calculation_factor: float | None
    mean_ctdifreeair: float | None
    dlp: float | None
    effective_dose: float | None
    effective_dose_method: CodeValue | None
    effective_dose_conversion_factor: float | None
    size_specific_dose_estimates: list[SizeSpecificDoseEstimate] | None
    dlp_alert_value_configured: CodeValue | None
    ctdivol_alert_value_configured: CodeValue | None
    dlp_alert_value: float | None
    ctdivol_alert_value: float | None
    accumulated_dlp_forward_estimate: float | None
    accumulated_ctdivol_forward_estimate: float | None
    alert_reason_for_proceeding: str | None
    alternative_dose_alert_behavior: CodeValue | None
    dlp_notification_value_configured: CodeValue | None
    ctdivol_notification_value_configured: CodeValue | None
    dlp_notification_value: float | None
    ctdivol_notification_value: float | None
    dlp_forward_estimate: float | None
    ctdivol_forward_estimate: float | None
    notification_reason_for_proceeding: str | None
    xray_modulation_type: str | None
    comment: str | None
    persons: list[Person] | None
    devices: list[Device] | None
    marks: list[Mark] | None
    acquisition_plane: CodeValue | None
    irradiation_event_type: CodeValue | None
    anatomical_structure: CodeValue | None
    laterality: CodeValue | None
    image_view: CodeValue | None
    image_view_modifiers: list[CodeValue] | None
    projection_eponymous_name: CodeValue | None
    patient_table_relationship: CodeValue | None
    patient_orientation: CodeValue | None
    patient_orientation_modifier: CodeValue | None
    dap: float | None
    half_value_layer: float | None
    patient_equivalent_thickness: float | None
    entrance_exposure_at_rp: float | None
    reference_point_definition: str | None
    breast_composition: CodeValue | None
    percent_fibroglandular_tissue: float | None
    exposure_index: float | None
    target_exposure_index: float | None
    deviation_index: float | None
    acquired_images: list[str] | None
    dose_rp: float | None
    average_glandular_dose: float | None
    fluoro_mode: CodeValue | None
    pulse_rate: float | None
    number_of_pulses: float | None
    number_of_pulses_derivation: CodeValue | None
    pulse_width: float | None
    pulse_width_values: list[float] | None
    irradiation_duration: float | None
    kvp: float | None
    kvp_values: list[float] | None
    xray_tube_current: float | None
    xray_tube_current_values: list[float] | None
    average_xray_tube_current: float | None
    exposure: float | None
    exposure_values: list[float] | None
    focal_spot_size: float | None
    anode_target_material: CodeValue | None
    xray_filters: list[XrayFilter] | None
    collimated_field_area: float | None
    collimated_field_height: float | None
    collimated_field_width: float | None
    xray_grids: list[CodeValue] | None
    crdr_mechanical_configuration: CodeValue | None
    positioner_primary_angle: float | None
    positioner_secondary_angle: float | None
    positioner_primary_end_angle: float | None
    positioner_secondary_end_angle: float | None
    column_angulation: float | None
    table_head_tilt_angle: float | None
    table_horizontal_rotation_angle: float | None
    table_cradle_tilt_angle: float | None
    compression_thickness: float | None
    compression_force: float | None
    distance_source_to_isocenter: float | None
    distance_source_to_reference_point: float | None
    distance_source_to_detector: float | None
    table_longitudinal_position: float | None
    table_lateral_position: float | None
    table_height_position: float | None
    distance_source_to_table_plane: float | None
    table_longitudinal_end_position: float | None
    table_lateral_end_position: float | None
    table_height_end_position: float | None
    table_x_position_to_isocenter: float | None
    table_y_position_to_isocenter: float | None
    table_z_position_to_isocenter: float | None
    table_x_end_position_to_isocenter: float | None
    table_y_end_position_to_isocenter: float | None
    table_z_end_position_to_isocenter: float | None
    positioner_isocenter_primary_angle: float | None
    positioner_isocenter_secondary_angle: float | None
    positioner_isocenter_detector_rotation_angle: float | None
    positioner_isocenter_primary_end_angle: float | None
    positioner_isocenter_secondary_end_angle: float | None
    positioner_isocenter_detector_rotation_end_angle: float | None
    table_head_tilt_end_angle: float | None
    table_horizontal_rotation_end_angle: float | None
    table_cradle_tilt_end_angle: float | None
    number_of_frames: float | None
    subimages_per_frame: float | None
    shutter_bottom: float | None
    shutter_left: float | None
    shutter_right: float | None
    shutter_top: float | None
    wedge_1_distance: float | None
    wedge_2_distance: float | None
    wedge_1_angle: float | None
    wedge_2_angle: float | None
    longitudinal_beam_position: float | None
    beam_angle: float | None
    distance_source_to_detector_end: float | None
    detector_field_x: float | None
    detector_field_y: float | None
    object_thickness: float | None
    application_group: str | None
    application: str | None
    fluoro_flavour: str | None
    intensifier_size: float | None
    patient_position: str | None
    presentation_intent: str | None
    distance_source_to_patient: float | None
    magnification_factor: float | None
    entrance_dose: float | None
    relative_xray_exposure: float | None
    exposure_indicator: str | None
    sensitivity: float | None
    exposure_control_mode: str | None
    exposure_control_mode_description: str | None
    exposure_status: str | None
    detector_type_of_image: str | None
    paddle: str | None
    breast_implant_present: str | None
    administration_event_uid: str | None
    radiopharmaceutical_agent: CodeValue | None
    radiopharmaceutical_name: str | None
    radionuclide: CodeValue | None
    radionuclide_half_life: float | None
    specific_activity: float | None
    datetime_stopped: datetime | None
    administered_activity: float | None
    radiopharmaceutical_volume: float | None
    pre_administration_activity: float | None
    pre_administration_device: CodeValue | None
    post_administration_activity: float | None
    post_administration_device: CodeValue | None
    estimated_extravasation_activity: float | None
    extravasation_symptoms: list[CodeValue] | None
    effective_dose_reference_authority: str | None
    organ_doses: list[OrganDose] | None
    route_of_administration: CodeValue | None
    site_of_administration: CodeValue | None
    billing_codes: list[CodeValue] | None
    drug_product_identifiers: list[CodeValue] | None
    brand_name: str | None
    dispense_unit_identifier: str | None
    lot_identifiers: list[LotIdentifier] | None
    reagent_vial_identifiers: list[ReagentVialIdentifier] | None
    radionuclide_identifiers: list[RadionuclideIdentifier] | None
    prescription_identifier: str | None


class AccumulatedRow(TypedDict, total=False):
    """Accumulated dose of any modality type: a row of one of these tables."""

    study_id: int
    sop_instance_uid: str | None
    source: str | None
    total_number_of_irradiation_events: float | None
    dlp_total: float | None
    dlp_total_phantom_type: CodeValue | None
    dlp_sub_totals: list[DlpSubTotal] | None
    effective_dose_total: float | None
    reference_authority: str | None
    effective_dose_method: CodeValue | None
    patient_model: str | None
    effective_dose_phantom_type: str | None
    dosimeter_type: str | None
    comment: str | None
    devices: list[Device] | None
    marks: list[Mark] | None
    acquisition_plane: CodeValue | None
    calibrations: list[Calibration] | None
    dap_total: float | None
    dose_rp_total: float | None
    fluoro_dap_total: float | None
    fluoro_dose_rp_total: float | None
    total_fluoro_time: float | None
    acquisition_dap_total: float | None
    acquisition_dose_rp_total: float | None
    total_acquisition_time: float | None
    distance_source_to_reference_point: float | None
    total_number_of_radiographic_frames: float | None
    total_number_of_exposures: float | None
    reference_point_definition: str | None
    detector_type: CodeValue | None
    accumulated_agd: list[AccumulatedAgd] | None
    equipment_landmark: CodeValue | None
    equipment_landmark_x: float | None
    equipment_landmark_z: float | None
    landmark_to_fiducial_z: float | None
    height_of_system: float | None
    distance_focal_spot_to_isocenter: float | None
