"""Coded values that the generators put into dose reports (CIDs of PS3.16), each defined once."""

from orthanc_dose.samples.codes import Concept, _dcm, _sct

YES, NO = _sct("373066001", "Yes", "R-0038D"), _sct("373067005", "No", "R-00339")
ENGLISH = Concept("en", "English", "RFC5646")
CT_PROCEDURE = _sct("77477000", "Computed Tomography X-Ray", "P5-08000")
PROJECTION_PROCEDURE = _dcm("113704", "Projection X-Ray")
MAMMOGRAPHY_PROCEDURE = _sct("71651007", "Mammography", "P5-40010")
DIAGNOSTIC = _sct("261004008", "Diagnostic Intent", "R-408C3")
THERAPEUTIC = _sct("262202000", "Therapeutic Intent", "R-41531")
SCREENING = _sct("360156006", "Screening Intent", "R-42453")
COMBINED = _sct("1279505009", "Combined Diagnostic and Therapeutic Procedure", "R-002E9")
OBSERVER_DEVICE, OBSERVER_PERSON = _dcm("121007", "Device"), _dcm("121006", "Person")
SCOPE_STUDY, SCOPE_STEP = _dcm("113014", "Study"), _dcm("113016", "Performed Procedure Step")
SCOPE_TO_THIS_POINT = _dcm("113970", "Procedure Step To This Point")
AUTOMATED = _dcm("113856", "Automated Data Collection")
FROM_IMAGES = _dcm("113867", "Computed From Image Attributes")
IRRADIATING_DEVICE = _dcm("113859", "Irradiating Device")
AUTHORIZING, ADMINISTERING = (
    _dcm("113850", "Irradiation Authorizing"),
    _dcm("113851", "Irradiation Administering"),
)
PHYSICIAN, TECHNOLOGIST = _dcm("121081", "Physician"), _dcm("121083", "Technologist")

# CT: CID 10011, 10013, 10014, 10015, 10023, 10024, 10033, 4052
SPIRAL = _sct("116152004", "Spiral Acquisition", "P5-08001")
SEQUENCED = _dcm("113804", "Sequenced Acquisition")
CONSTANT_ANGLE = _dcm("113805", "Constant Angle Acquisition")
STATIONARY_CT = _dcm("113806", "Stationary Acquisition")
FREE = _dcm("113807", "Free Acquisition")
CONE_BEAM = _sct("702569007", "Cone Beam Acquisition", "R-FB8F1")
WITHOUT_CONTRAST = _sct("399331006", "CT without contrast", "P5-0808E")
WITH_CONTRAST = _sct("27483000", "Diagnostic radiography with contrast media", "P5-00100")
HEAD_PHANTOM = _dcm("113690", "IEC Head Dosimetry Phantom")
BODY_PHANTOM = _dcm("113691", "IEC Body Dosimetry Phantom")
DLP_TO_E = _dcm("113800", "DLP to E conversion via MC computation")
ICRP_103 = _dcm("113841", "ICRP Pub 103")
SSDE_LATERAL, SSDE_AP = (
    _dcm("113934", "AAPM 204 Lateral Dimension"),
    _dcm("113935", "AAPM 204 AP Dimension"),
)
SSDE_SUM = _dcm("113936", "AAPM 204 Sum of Lateral and AP Dimension")
SSDE_AGE = _dcm("113937", "AAPM 204 Effective Diameter Estimated From Patient Age")
SSDE_WATER = _dcm("113988", "Estimated from Water Equivalent Diameter")
SSDE_AVERAGE = _dcm("113989", "Arithmetic Average of SSDE(z)")
WATER_FROM_LOCALIZER = _dcm("113984", "Water Equivalent Diameter From Localizer")
WATER_FROM_RAW = _dcm("113983", "Water Equivalent Diameter From Raw Data")
ITERATIVE = _dcm("113963", "Iterative Reconstruction")
BACK_PROJECTION = _dcm("113962", "Filtered Back Projection")
SERIES_NUMBER, ACQUISITION_NUMBER = (
    _dcm("113607", "Series Number"),
    _dcm("113608", "Acquisition Number"),
)
PATIENT_MOTION = _dcm("128553", "Patient motion")

# Projection X-ray: CID 10002 to 10010, 10016, 10017, 10025, 10030 to 10032, 19 to 21
FLUOROSCOPY = _sct("44491008", "Fluoroscopy", "P5-06000")
STATIONARY = _dcm("113611", "Stationary Acquisition")
STEPPING = _dcm("113612", "Stepping Acquisition")
ROTATIONAL = _dcm("113613", "Rotational Acquisition")
PLANE_A, PLANE_B = _dcm("113620", "Plane A"), _dcm("113621", "Plane B")
SINGLE_PLANE, ALL_PLANES = _dcm("113622", "Single Plane"), _dcm("113890", "All Planes")
CONTINUOUS, PULSED = _dcm("113630", "Continuous"), _dcm("113631", "Pulsed")
MEASURED = _sct("258104002", "Measured", "R-41D41")
DOSIMETER = _sct("15869005", "Dosimeter", "A-2C090")
STRIP_FILTER, WEDGE_FILTER = _dcm("113650", "Strip filter"), _dcm("113651", "Wedge filter")
FLAT_FILTER, NO_FILTER = _dcm("113653", "Flat filter"), _dcm("111609", "No filter")
COPPER = _sct("66925006", "Copper or Copper compound", "C-127F9")
ALUMINUM = _sct("12503006", "Aluminum or Aluminum compound", "C-120F9")
RHODIUM = _sct("59801003", "Rhodium or Rhodium compound", "C-167F9")
SILVER = _sct("41967008", "Silver or Silver compound", "C-137F9")
MOLYBDENUM = _sct("71128006", "Molybdenum or Molybdenum compound", "C-150F9")
TUNGSTEN = _sct("26194003", "Tungsten or Tungsten compound", "C-164F9")
FIXED_GRID, FOCUSED_GRID = _dcm("111641", "Fixed grid"), _dcm("111642", "Focused grid")
RECIPROCATING_GRID, NO_GRID = _dcm("111643", "Reciprocating grid"), _dcm("111646", "No grid")
RP_15CM = _dcm("113860", "15cm from Isocenter toward Source")
RP_BREAST = _dcm("113865", "4.2cm above Breast Support Surface")
RP_SKIN = _dcm("113964", "At Surface of Patient")
DIRECT_DETECTOR, INDIRECT_DETECTOR = (
    _dcm("113948", "Direct Detector"),
    _dcm("113949", "Indirect Detector"),
)
STORAGE_DETECTOR = _dcm("113950", "Storage Detector")
TABLE_MOUNT, UPRIGHT_MOUNT = _dcm("113952", "Table Mount"), _dcm("113954", "Upright Stand Mount")
FLUORO_GUIDED = _dcm("113957", "Fluoroscopy-Guided Projection Radiography System")
INTEGRATED = _dcm("113958", "Integrated Projection Radiography System")
CASSETTE = _dcm("113959", "Cassette-based Projection Radiography System")
RECUMBENT, SUPINE = _sct("102538003", "recumbent", "F-10450"), _sct("40199007", "supine", "F-10340")
PRONE = _sct("1240000", "prone", "F-10310")
HEADFIRST, FEETFIRST = (
    _sct("102540008", "headfirst", "F-10470"),
    _sct("102541007", "feet-first", "F-10480"),
)

# Anatomy and views: CID 4009, 4010, 4014, 4015, 4030, 4031, 244, 6022
HEAD, NECK = _sct("69536005", "Head", "T-D1100"), _sct("45048000", "Neck", "T-D1600")
CHEST, ABDOMEN = _sct("816094009", "Chest", "T-D3000"), _sct("818981001", "Abdomen", "T-D4000")
PELVIS, HEART = _sct("816092008", "Pelvis", "T-D6000"), _sct("80891009", "Heart", "T-32000")
CHEST_ABDOMEN_PELVIS = _sct("416775004", "Chest, Abdomen and Pelvis", "R-FAB56")
ABDOMEN_PELVIS = _sct("818982008", "Abdomen and Pelvis", "R-FAB57")
LUMBAR_SPINE = _sct("122496007", "Lumbar spine", "T-11503")
ENTIRE_BODY, BREAST = (
    _sct("38266002", "Entire body", "T-D0010"),
    _sct("76752008", "Breast", "T-04000"),
)
KNEE, HAND = _sct("72696002", "Knee", "T-D9200"), _sct("85562004", "Hand", "T-D8700")
HIP, FOOT = _sct("29836001", "Hip", "T-D2500"), _sct("56459004", "Foot", "T-D9700")
LEFT, RIGHT = _sct("7771000", "Left", "G-A101"), _sct("24028007", "Right", "G-A100")
LEFT_BREAST = _sct("80248007", "Left breast", "T-04030")
RIGHT_BREAST = _sct("73056007", "Right breast", "T-04020")
BOTH_BREASTS = _sct("63762007", "Both breasts", "T-04080")
CC = _sct("399162004", "cranio-caudal", "R-10242")
MLO = _sct("399368009", "medio-lateral oblique", "R-10226")
SPOT_COMPRESSION = _sct("399055006", "Spot Compression", "R-102D7")
MAGNIFICATION = _sct("399163009", "Magnification", "R-102D6")
AP, PA = (
    _sct("399348003", "antero-posterior", "R-10206"),
    _sct("272479007", "postero-anterior", "R-10214"),
)
LATERAL = _sct("399067008", "lateral", "R-10236")
