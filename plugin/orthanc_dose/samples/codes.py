"""Coded concepts of the dose reports that the generators write, each defined once.

A concept carries its current code (DCM, or SNOMED CT) and, where equipment in the field still
writes SNOMED RT, that older code too; which of the two goes into an object is a habit of its
manufacturer, see ``sr.Spelling``. Numeric concepts also carry the unit that the template demands
(PS3.16 TID 10001 to 10015)."""

from typing import NamedTuple


class Concept(NamedTuple):
    """A coded concept: value, coding scheme, meaning, its SNOMED RT code, and its UCUM unit if it
    is a number.
    """

    value: str
    meaning: str
    scheme: str = "DCM"
    srt: str = ""
    unit: str = ""


def _dcm(value: str, meaning: str, unit: str = "") -> Concept:
    return Concept(value, meaning, "DCM", "", unit)


def _sct(value: str, meaning: str, srt: str = "") -> Concept:
    return Concept(value, meaning, "SCT", srt)


def unit(ucum: str, meaning: str = "") -> Concept:
    """Return the UCUM unit `ucum` as a coded concept; most manufacturers repeat it as meaning."""
    return Concept(ucum, meaning or UNIT_MEANINGS.get(ucum, ucum), "UCUM")


UNIT_MEANINGS = {
    "1": "no units",
    "{events}": "events",
    "{ratio}": "ratio",
    "{X-Ray sources}": "X-Ray sources",
    "{pulse}/s": "pulse/s",
    "%": "Percent",
}

# Root and context: TID 10001, 10011, 1002, 1204
REPORT = _dcm("113701", "X-Ray Radiation Dose Report")
LANGUAGE = _dcm("121049", "Language of Content Item and Descendants")
PROCEDURE_REPORTED = _dcm("121058", "Procedure reported")
HAS_INTENT = _sct("363703001", "Has Intent", "G-C0E8")
DEVICE_TYPE = _dcm("122142", "Acquisition Device Type")
OBSERVER_TYPE = _dcm("121005", "Observer Type")
PERSON_OBSERVER_NAME = _dcm("121008", "Person Observer Name")
PERSON_OBSERVER_ORGANIZATION = _dcm("121009", "Person Observer's Organization Name")
PERSON_OBSERVER_ROLE_ORG = _dcm("121010", "Person Observer's Role in the Organization")
PERSON_OBSERVER_ROLE = _dcm("121011", "Person Observer's Role in this Procedure")
OBSERVER_UID = _dcm("121012", "Device Observer UID")
OBSERVER_NAME = _dcm("121013", "Device Observer Name")
OBSERVER_MANUFACTURER = _dcm("121014", "Device Observer Manufacturer")
OBSERVER_MODEL = _dcm("121015", "Device Observer Model Name")
OBSERVER_SERIAL = _dcm("121016", "Device Observer Serial Number")
OBSERVER_LOCATION = _dcm("121017", "Device Observer Physical Location During Observation")
STATION_AE = _dcm("110119", "Station AE Title")
SCOPE = _dcm("113705", "Scope of Accumulation")
STUDY_UID = _dcm("110180", "Study Instance UID")
SERIES_UID = _dcm("112002", "Series Instance UID")
STEP_UID = _dcm("121126", "Performed Procedure Step SOP Instance UID")
DETECTOR_DATA = _dcm("113945", "X-Ray Detector Data Available")
SOURCE_DATA = _dcm("113943", "X-Ray Source Data Available")
MECHANICAL_DATA = _dcm("113944", "X-Ray Mechanical Data Available")
DOSE_SOURCE = _dcm("113854", "Source of Dose Information")
DOSE_IMAGE = _dcm("121342", "Dose Image")
COMMENT = _dcm("121106", "Comment")
START = _dcm("113809", "Start of X-Ray Irradiation")
END = _dcm("113810", "End of X-Ray Irradiation")

# Participants: TID 1020, 1021
PERSON_NAME = _dcm("113870", "Person Name")
PERSON_ID = _dcm("113871", "Person ID")
PERSON_ID_ISSUER = _dcm("113872", "Person ID Issuer")
ORGANIZATION = _dcm("113873", "Organization Name")
ROLE_IN_ORGANIZATION = _dcm("113874", "Person Role in Organization")
ROLE_IN_PROCEDURE = _dcm("113875", "Person Role in Procedure")
DEVICE_ROLE = _dcm("113876", "Device Role in Procedure")
DEVICE_NAME = _dcm("113877", "Device Name")
DEVICE_MANUFACTURER = _dcm("113878", "Device Manufacturer")
DEVICE_MODEL = _dcm("113879", "Device Model Name")
DEVICE_SERIAL = _dcm("113880", "Device Serial Number")

# CT: TID 10012 to 10015
CT_ACCUMULATED = _dcm("113811", "CT Accumulated Dose Data")
CT_EVENTS_TOTAL = _dcm("113812", "Total Number of Irradiation Events", "{events}")
DLP_TOTAL = _dcm("113813", "CT Dose Length Product Total", "mGy.cm")
DLP_SUBTOTAL = _dcm("130745", "CT Dose Length Product Sub-Total", "mGy.cm")
EFFECTIVE_TOTAL = _dcm("113814", "CT Effective Dose Total", "mSv")
PATIENT_MODEL = _dcm("113815", "Patient Model")
CONDITION_EFFECTIVE = _dcm("113816", "Condition Effective Dose measured")
EFFECTIVE_PHANTOM = _dcm("113817", "Effective Dose Phantom Type")
DOSIMETER_TYPE = _dcm("113818", "Dosimeter Type")
REFERENCE_AUTHORITY = _dcm("121406", "Reference Authority")
MEASUREMENT_METHOD = _sct("370129005", "Measurement Method", "G-C036")
CT_ACQUISITION = _dcm("113819", "CT Acquisition")
CT_TYPE = _dcm("113820", "CT Acquisition Type")
PROCEDURE_CONTEXT = _sct("408730004", "Procedure Context", "G-C32C")
CT_PARAMETERS = _dcm("113822", "CT Acquisition Parameters")
CT_SOURCES = _dcm("113823", "Number of X-Ray Sources", "{X-Ray sources}")
EXPOSURE_TIME_S = _dcm("113824", "Exposure Time", "s")
SCANNING_LENGTH = _dcm("113825", "Scanning Length", "mm")
SINGLE_COLLIMATION = _dcm("113826", "Nominal Single Collimation Width", "mm")
TOTAL_COLLIMATION = _dcm("113827", "Nominal Total Collimation Width", "mm")
PITCH = _dcm("113828", "Pitch Factor", "{ratio}")
CT_DOSE = _dcm("113829", "CT Dose")
CTDI_VOL = _dcm("113830", "Mean CTDIvol", "mGy")
CT_SOURCE = _dcm("113831", "CT X-Ray Source Parameters")
CT_SOURCE_ID = _dcm("113832", "Identification of the X-Ray Source")
MAX_TUBE_CURRENT = _dcm("113833", "Maximum X-Ray Tube Current", "mA")
ROTATION_TIME = _dcm("113834", "Exposure Time per Rotation", "s")
ALUMINUM_EQUIVALENT = _dcm("113821", "X-Ray Filter Aluminum Equivalent", "mm")
PHANTOM = _dcm("113835", "CTDIw Phantom Type")
CTDI_FREE_AIR_FACTOR = _dcm("113836", "CTDIfreeair Calculation Factor", "mGy/mA.s")
CTDI_FREE_AIR = _dcm("113837", "Mean CTDIfreeair", "mGy")
DLP = _dcm("113838", "DLP", "mGy.cm")
EFFECTIVE_DOSE = _dcm("113839", "Effective Dose", "mSv")
EFFECTIVE_FACTOR = _dcm("113840", "Effective Dose Conversion Factor", "mSv/mGy.cm")
MODULATION = _dcm("113842", "X-Ray Modulation Type")
RECONSTRUCTABLE_LENGTH = _dcm("113893", "Length of Reconstructable Volume", "mm")
EXPOSED_RANGE = _dcm("113899", "Exposed Range", "mm")
RECONSTRUCTABLE_TOP = _dcm("113895", "Top Z Location of Reconstructable Volume", "mm")
RECONSTRUCTABLE_BOTTOM = _dcm("113896", "Bottom Z Location of Reconstructable Volume", "mm")
SCAN_TOP = _dcm("113897", "Top Z Location of Scanning Length", "mm")
SCAN_BOTTOM = _dcm("113898", "Bottom Z Location of Scanning Length", "mm")
FRAME_OF_REFERENCE = _dcm("112227", "Frame of Reference UID")
RECONSTRUCTION = _dcm("113961", "Reconstruction Algorithm")
SSDE = _dcm("113930", "Size Specific Dose Estimate", "mGy")
LATERAL_DIMENSION = _dcm("113931", "Measured Lateral Dimension", "mm")
AP_DIMENSION = _dcm("113932", "Measured AP Dimension", "mm")
EFFECTIVE_DIAMETER = _dcm("113933", "Derived Effective Diameter", "mm")
WATER_DIAMETER = _dcm("113980", "Water Equivalent Diameter", "mm")
SSDE_AT_Z = _dcm("113993", "Size Specific Dose Estimate At Longitudinal Position Z", "mGy")
POSITION_Z = _dcm("113994", "Longitudinal Position Z", "mm")
WATER_DIAMETER_AT_Z = _dcm("113995", "Water Equivalent Diameter At Longitudinal Position Z", "mm")
ALERT = _dcm("113900", "Dose Check Alert Details")
ALERT_DLP_SET = _dcm("113901", "DLP Alert Value Configured")
ALERT_CTDI_SET = _dcm("113902", "CTDIvol Alert Value Configured")
ALERT_DLP = _dcm("113903", "DLP Alert Value", "mGy.cm")
ALERT_CTDI = _dcm("113904", "CTDIvol Alert Value", "mGy")
ALERT_DLP_FORWARD = _dcm("113905", "Accumulated DLP Forward Estimate", "mGy.cm")
ALERT_CTDI_FORWARD = _dcm("113906", "Accumulated CTDIvol Forward Estimate", "mGy")
REASON_FOR_PROCEEDING = _dcm("113907", "Reason for Proceeding")
NOTIFICATION = _dcm("113908", "Dose Check Notification Details")
NOTIFICATION_DLP_SET = _dcm("113909", "DLP Notification Value Configured")
NOTIFICATION_CTDI_SET = _dcm("113910", "CTDIvol Notification Value Configured")
NOTIFICATION_DLP = _dcm("113911", "DLP Notification Value", "mGy.cm")
NOTIFICATION_CTDI = _dcm("113912", "CTDIvol Notification Value", "mGy")
NOTIFICATION_DLP_FORWARD = _dcm("113913", "DLP Forward Estimate", "mGy.cm")
NOTIFICATION_CTDI_FORWARD = _dcm("113914", "CTDIvol Forward Estimate", "mGy")
ALTERNATIVE_ALERT = _dcm("113915", "Alternative dose alert behavior active")

# Projection X-ray, accumulated: TID 10002, 10004 to 10007
ACCUMULATED = _dcm("113702", "Accumulated X-Ray Dose Data")
PLANE = _dcm("113764", "Acquisition Plane")
CALIBRATION = _dcm("122505", "Calibration")
CALIBRATION_DEVICE = _dcm("113794", "Dose Measurement Device")
CALIBRATION_TIME = _dcm("113723", "Calibration DateTime")
CALIBRATION_FACTOR = _dcm("122322", "Calibration Factor", "1")
CALIBRATION_UNCERTAINTY = _dcm("113763", "Calibration Uncertainty", "%")
CALIBRATION_PARTY = _dcm("113724", "Calibration Responsible Party")
CALIBRATION_PROTOCOL = _dcm("113720", "Calibration Protocol")
DAP_TOTAL = _dcm("113722", "Dose Area Product Total", "Gy.m2")
RP_TOTAL = _dcm("113725", "Dose (RP) Total", "Gy")
FLUORO_DAP_TOTAL = _dcm("113726", "Fluoro Dose Area Product Total", "Gy.m2")
FLUORO_RP_TOTAL = _dcm("113728", "Fluoro Dose (RP) Total", "Gy")
FLUORO_TIME = _dcm("113730", "Total Fluoro Time", "s")
ACQUISITION_DAP_TOTAL = _dcm("113727", "Acquisition Dose Area Product Total", "Gy.m2")
ACQUISITION_RP_TOTAL = _dcm("113729", "Acquisition Dose (RP) Total", "Gy")
ACQUISITION_TIME = _dcm("113855", "Total Acquisition Time", "s")
FRAMES_TOTAL = _dcm("113731", "Total Number of Radiographic Frames", "1")
RP_DISTANCE = _dcm("113737", "Distance Source to Reference Point", "mm")
RP_DEFINITION = _dcm("113780", "Reference Point Definition")
DETECTOR_TYPE = _dcm("113947", "Detector Type")
AGD_TOTAL = _dcm("111637", "Accumulated Average Glandular Dose", "mGy")
LATERALITY = _sct("272741003", "Laterality", "G-C171")

# Projection X-ray, one event: TID 10003, 10003A, 10003B, 10003C
EVENT = _dcm("113706", "Irradiation Event X-Ray Data")
EVENT_UID = _dcm("113769", "Irradiation Event UID")
EVENT_LABEL = _dcm("113605", "Irradiation Event Label")
LABEL_TYPE = _dcm("113606", "Label Type")
IS_REPEATED = _dcm("128551", "Is Repeated Acquisition")
REPEAT_REASON = _dcm("128552", "Reason for Repeating Acquisition")
IS_REJECTED = _dcm("130503", "Is Rejected Acquisition")
REJECT_REASON = _dcm("130504", "Reason for Rejecting Acquisition")
STARTED = _dcm("111526", "DateTime Started")
EVENT_TYPE = _dcm("113721", "Irradiation Event Type")
PROTOCOL = _dcm("125203", "Acquisition Protocol")
ANATOMY = _sct("91723000", "Anatomical structure", "T-D0005")
VIEW = _dcm("111031", "Image View")
VIEW_MODIFIER = _dcm("111032", "Image View Modifier")
TABLE_RELATIONSHIP = _dcm("113745", "Patient Table Relationship")
ORIENTATION = _dcm("113743", "Patient Orientation")
ORIENTATION_MODIFIER = _dcm("113744", "Patient Orientation Modifier")
TARGET_REGION = _dcm("123014", "Target Region")
DAP = _dcm("122130", "Dose Area Product", "Gy.m2")
HALF_VALUE_LAYER = _dcm("111634", "Half Value Layer", "mm")
PATIENT_THICKNESS = _dcm("111638", "Patient Equivalent Thickness", "mm")
ENTRANCE_EXPOSURE = _dcm("111636", "Entrance Exposure at RP", "mGy")
EXPOSURE_INDEX = _dcm("113845", "Exposure Index", "1")
TARGET_INDEX = _dcm("113846", "Target Exposure Index", "1")
DEVIATION_INDEX = _dcm("113847", "Deviation Index", "1")
ACQUIRED_IMAGE = _dcm("113795", "Acquired Image")
RP_DOSE = _dcm("113738", "Dose (RP)", "Gy")
AGD = _dcm("111631", "Average Glandular Dose", "mGy")
FLUORO_MODE = _dcm("113732", "Fluoro Mode")
PULSE_RATE = _dcm("113791", "Pulse Rate", "{pulse}/s")
PULSES = _dcm("113768", "Number of Pulses", "1")
DERIVATION = _dcm("121401", "Derivation")
PULSE_WIDTH = _dcm("113793", "Pulse Width", "ms")
DURATION = _dcm("113742", "Irradiation Duration", "s")
KVP = _dcm("113733", "KVP", "kV")
TUBE_CURRENT = _dcm("113734", "X-Ray Tube Current", "mA")
AVERAGE_TUBE_CURRENT = _dcm("113767", "Average X-Ray Tube Current", "mA")
EXPOSURE_TIME_MS = _dcm("113824", "Exposure Time", "ms")
EXPOSURE_TIME_RETIRED = _dcm("113735", "Exposure Time", "ms")
EXPOSURE = _dcm("113736", "Exposure", "uA.s")
FOCAL_SPOT = _dcm("113766", "Focal Spot Size", "mm")
ANODE = _dcm("111632", "Anode Target Material")
FILTERS = _dcm("113771", "X-Ray Filters")
FILTER_TYPE = _dcm("113772", "X-Ray Filter Type")
FILTER_MATERIAL = _dcm("113757", "X-Ray Filter Material")
FILTER_MIN = _dcm("113758", "X-Ray Filter Thickness Minimum", "mm")
FILTER_MAX = _dcm("113773", "X-Ray Filter Thickness Maximum", "mm")
FIELD_AREA = _dcm("113790", "Collimated Field Area", "m2")
FIELD_HEIGHT = _dcm("113788", "Collimated Field Height", "mm")
FIELD_WIDTH = _dcm("113789", "Collimated Field Width", "mm")
GRID = _dcm("111635", "X-Ray Grid")
MECHANICAL = _dcm("113956", "CR/DR Mechanical Configuration")
PRIMARY_ANGLE = _dcm("112011", "Positioner Primary Angle", "deg")
SECONDARY_ANGLE = _dcm("112012", "Positioner Secondary Angle", "deg")
PRIMARY_END_ANGLE = _dcm("113739", "Positioner Primary End Angle", "deg")
SECONDARY_END_ANGLE = _dcm("113740", "Positioner Secondary End Angle", "deg")
COLUMN_ANGULATION = _dcm("113770", "Column Angulation", "deg")
TABLE_HEAD_TILT = _dcm("113754", "Table Head Tilt Angle", "deg")
TABLE_ROTATION = _dcm("113755", "Table Horizontal Rotation Angle", "deg")
TABLE_CRADLE_TILT = _dcm("113756", "Table Cradle Tilt Angle", "deg")
COMPRESSION_THICKNESS = _dcm("111633", "Compression Thickness", "mm")
SOURCE_ISOCENTER = _dcm("113748", "Distance Source to Isocenter", "mm")
SOURCE_DETECTOR = _dcm("113750", "Distance Source to Detector", "mm")
TABLE_LONGITUDINAL = _dcm("113751", "Table Longitudinal Position", "mm")
TABLE_LATERAL = _dcm("113752", "Table Lateral Position", "mm")
TABLE_HEIGHT = _dcm("113753", "Table Height Position", "mm")
SOURCE_TABLE = _dcm("113792", "Distance Source to Table Plane", "mm")
TABLE_LONGITUDINAL_END = _dcm("113759", "Table Longitudinal End Position", "mm")
TABLE_LATERAL_END = _dcm("113760", "Table Lateral End Position", "mm")
TABLE_HEIGHT_END = _dcm("113761", "Table Height End Position", "mm")
