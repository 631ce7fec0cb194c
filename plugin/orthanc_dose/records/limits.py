"""Limits of the values that a record can have: what is impossible, what is implausible, and why.

Hard limits are those of physics, of devices and of people: a value outside them is wrong and leaves
the field. Soft limits surround what occurs in practice: a value outside them stays, with a mark.
Hard limits are wide, so that children, obese patients, radiotherapy and the longest interventions
are inside. Limits are in the unit of the fields that name them."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import cast

from ..dicom.dates import NO_BIRTH_DATE

Bound = float | date


@dataclass(frozen=True)
class Slip:
    """A known mistake: the value is in the unit `written`, although another one is given or
    implied. The field's value is then the written one times `factor`."""

    written: str
    factor: float


@dataclass(frozen=True)
class Limits:
    """The limits of a quantity, inclusive, in the unit of its fields.

    hard: the lowest and highest possible value, with the reason or source `why_hard`. soft, why_soft:
    the same for plausible values. slips: known mistakes with the unit. instead: other limits for
    single modality types."""

    hard: tuple[Bound, Bound]
    why_hard: str
    soft: tuple[Bound, Bound]
    why_soft: str
    slips: tuple[Slip, ...] = ()
    instead: "tuple[tuple[str, Limits], ...]" = ()

    def is_plausible(self, number: float) -> bool:
        """Return whether a number is within the soft limits, which must be numbers."""
        low, high = (cast("float", bound) for bound in self.soft)
        return low <= number <= high

    def is_possible(self, number: float) -> bool:
        """Return whether a number is within the hard limits, which must be numbers."""
        low, high = (cast("float", bound) for bound in self.hard)
        return low <= number <= high

    def as_dict(self) -> dict[str, object]:
        """Return the limits as the API shows them, without the reasons, which the data dictionary
        has: pages load them with every field."""
        possible, plausible = (
            [bound.isoformat() if isinstance(bound, date) else bound for bound in pair]
            for pair in (self.hard, self.soft)
        )
        out: dict[str, object] = {"possible": possible, "plausible": plausible}
        if self.instead:
            out["instead"] = {code: limits.as_dict() for code, limits in self.instead}
        return out

    def within(self, modality: str | None) -> "Limits":
        """Return the limits for a modality type."""
        return next((limits for code, limits in self.instead if code == modality), self)


_NOT_NEGATIVE = "the quantity cannot be negative"

# --- dates and patients ---

WHEN = Limits(
    (date(1895, 11, 8), date(2100, 1, 1)),
    "Röntgen discovered X-rays on 8 November 1895; no device of today will run in 2100",
    (date(1993, 1, 1), date(2050, 1, 1)),
    "DICOM was published in 1993; earlier dates are those of clocks that were never set, such as "
    "1970-01-01 and 1980-01-01",
)
BIRTH = Limits(
    (NO_BIRTH_DATE + timedelta(days=1), date(2100, 1, 1)),
    "equipment writes the first day of a calendar, 0001-01-01 or 1900-01-01, for an unknown date",
    (date(1905, 1, 1), date(2050, 1, 1)),
    "nobody whose dose is recorded was born earlier",
)
AGE = Limits(
    (0.0, 123.0),
    "the longest life on record is 122 years and 164 days (Jeanne Calment, 1875-1997)",
    (0.0, 115.0),
    "fewer than a hundred people are known to have become older than 115 years",
)
HEIGHT = Limits(
    (0.2, 2.75),
    "the tallest person on record measured 2.72 m (Robert Wadlow, 1940); a fetus of 22 weeks, the "
    "youngest that survives, is at least 0.2 m long",
    (0.2, 2.6),
    "the tallest person alive measures 2.51 m",
    (Slip("cm", 0.01), Slip("[in_i]", 0.0254)),
)
HEIGHT_IN_CM = Limits(
    (20.0, 275.0),
    HEIGHT.why_hard,
    (20.0, 260.0),
    HEIGHT.why_soft,
    (Slip("m", 100.0), Slip("mm", 0.1)),
)
WEIGHT = Limits(
    (0.2, 650.0),
    "the heaviest person on record weighed 635 kg (Jon Brower Minnoch, 1978); the lightest "
    "newborn that survived 0.212 kg",
    (0.2, 450.0),
    "tables of X-ray systems for the obese carry at most 300 to 450 kg",
    (Slip("g", 0.001), Slip("[lb_av]", 0.45359237)),
)
BODY_SURFACE = Limits(
    (0.05, 5.0),
    "DuBois' formula gives 4.6 m2 for the heaviest person on record",
    (0.07, 3.5),
    "DuBois' formula gives 0.07 m2 for a newborn of 0.6 kg and 3.5 m2 for an adult of 300 kg",
)
BODY_MASS_INDEX = Limits(
    (3.0, 260.0),
    "the highest on record is about 250 kg/m2",
    (6.0, 110.0),
    "premature newborns have about 6 kg/m2, patients of the highest classes of obesity up to about 100",
)
GLUCOSE = Limits(
    (0.0, 150.0),
    "the highest level survived on record is 147.6 mmol/l",
    (1.0, 60.0),
    "below 1 mmol/l is coma, above 60 mmol/l an emergency in which nobody is imaged",
)
FASTING = Limits((0.0, 1000.0), _NOT_NEGATIVE, (0.0, 72.0), "patients fast for hours, not for days")
HYDRATION = Limits(
    (0.0, 20_000.0), _NOT_NEGATIVE, (0.0, 5000.0), "patients drink one to two litres"
)
CREATININE = Limits(
    (0.0, 75.0),
    "the highest level on record is 73.8 mg/dl",
    (0.05, 30.0),
    "dialysis starts far below 30 mg/dl",
)
FILTRATION_RATE = Limits(
    (0.0, 1000.0), _NOT_NEGATIVE, (0.0, 300.0), "hyperfiltration ends below 300 ml/min"
)

# --- doses of CT ---

CTDIVOL = Limits(
    (0.0, 10_000.0),
    "a tube of 120 kW gives at most about 0.2 Gy/s, so a minute at one place about 10 Gy; the "
    "overexposures of brain perfusion (FDA, 2010) reached 4 Gy",
    (0.0, 1000.0),
    "the alert value of NEMA XR 25 is 1000 mGy; AAPM's notification value for brain perfusion is "
    "600 mGy",
)
DLP = Limits(
    (0.0, 100_000.0),
    "the largest possible CTDIvol (10 Gy) over 10 cm",
    (0.0, 15_000.0),
    "brain perfusion at AAPM's notification value (600 mGy) over 16 cm is 9600 mGy.cm, repeated "
    "scans of the trunk reach as much",
)
DLP_TOTAL = Limits(
    (0.0, 300_000.0),
    "three times the largest possible DLP of an event",
    (0.0, 30_000.0),
    "twice the largest plausible DLP of an event",
)
SSDE = Limits(
    (0.0, 30_000.0),
    "the largest possible CTDIvol times the largest factor of AAPM report 204, 2.8",
    (0.0, 3000.0),
    "the largest plausible CTDIvol times the largest factor of AAPM report 204, 2.8",
)
CTDI_PER_CHARGE = Limits(
    (0.0, 10.0),
    _NOT_NEGATIVE,
    (0.0, 1.0),
    "CTDI free in air is 0.05 to 0.6 mGy/(mA.s) from 70 to 150 kV",
)
EFFECTIVE_DOSE = Limits(
    (0.0, 4900.0),
    "the largest possible DLP with the largest factor of AAPM report 96, 0.049 mSv/(mGy.cm) (abdomen "
    "of a newborn)",
    (0.0, 500.0),
    "the largest plausible DLP with 0.03 mSv/(mGy.cm), the factor of the abdomen of a small child (AAPM "
    "report 96)",
    instead=(
        (
            "NM",
            Limits(
                (0.0, 2_000_000.0),
                "100 GBq of I-131 with 20 mSv/MBq (ICRP 128)",
                (0.0, 1000.0),
                "diagnostic agents give up to about 50 mSv, therapies some 100 mSv",
            ),
        ),
    ),
)
DOSE_PER_DLP = Limits(
    (0.0, 1.0),
    _NOT_NEGATIVE,
    (0.0, 0.1),
    "the largest factor of AAPM report 96 is 0.049 mSv/(mGy.cm)",
)

# --- doses of projection X-ray ---

DAP = Limits(
    (0.0, 10.0),
    "1 Gy/min, about the most that C-arms give at the reference point, over 400 cm2 takes more than "
    "four hours for 10 Gy.m2",
    (0.0, 0.3),
    "six times the total from which patients are followed up (0.05 Gy.m2, NCRP report 168)",
    instead=(
        (
            "DX",
            Limits(
                (0.0, 1.0),
                "100 radiographs of the largest plausible DAP",
                (0.0, 0.01),
                "the highest reference levels of radiographs are below 0.001 Gy.m2 (EC RP 180); ten "
                "times as much for the obese",
            ),
        ),
        (
            "MG",
            Limits(
                (0.0, 0.1),
                "the largest possible entrance dose (100 mGy) over ten detectors of 24 cm x 30 cm",
                (0.0, 0.005),
                "an entrance dose of 60 mGy over 24 cm x 30 cm",
            ),
        ),
    ),
)
DAP_TOTAL = Limits(
    (0.0, 30.0),
    "three times the largest possible DAP of an event",
    (0.0, 1.0),
    "20 times the total from which patients are followed up (0.05 Gy.m2, NCRP report 168); the longest "
    "interventions reach some 0.1 Gy.m2",
    instead=(("DX", DAP.instead[0][1]), ("MG", DAP.instead[1][1])),
)
DOSE_RP = Limits(
    (0.0, 100.0),
    "1 Gy/min, about the most that C-arms give at the reference point, for more than an hour and a half",
    (0.0, 10.0),
    "twice the total from which patients are followed up (5 Gy, NCRP report 168)",
)
DOSE_RP_TOTAL = Limits(
    (0.0, 200.0),
    "twice the largest possible dose of an event",
    (0.0, 30.0),
    "six times the total from which patients are followed up (5 Gy, NCRP report 168); the longest "
    "interventions have exceeded 20 Gy",
)
# Organ Dose (0040,0316) is in dGy, but some equipment writes mGy.
_ORGAN_DOSE_SLIP = (Slip("mGy", 0.01),)
AGD = Limits(
    (0.0, 60.0),
    "600 mA.s at 49 kV, the most that a mammography tube gives, are 100 mGy at the entrance, of "
    "which a thin breast absorbs at most 60 mGy (Dance's factors)",
    (0.0, 20.0),
    "a breast of 9 cm may get 6.5 mGy (European guidelines, 4th edition), a sweep of tomosynthesis "
    "or a magnification up to three times as much",
    _ORGAN_DOSE_SLIP,
)
AGD_TOTAL = Limits(
    (0.0, 600.0),
    "ten exposures of the largest possible AGD",
    (0.0, 100.0),
    "five exposures of the largest plausible AGD",
)
ENTRANCE_DOSE = Limits(
    (0.0, 10_000.0),
    "a tube of 100 kW gives at most about 0.1 mGy/(mA.s) at 1 m and 150 kV; 10 Gy are 100 000 mA.s",
    (0.0, 500.0),
    "the highest reference level of a radiograph is 40 mGy (lumbosacral joint, EUR 16260); the "
    "obese and magnified mammograms get up to ten times as much",
)
ORGAN_DOSE = Limits(
    (0.0, 5_000_000.0),
    "remnants of the thyroid get up to some 1000 Gy from I-131 (EANM, MIRD)",
    (0.0, 500_000.0),
    "ablation of the thyroid aims at 300 Gy (EANM)",
)
ORGAN_DOSE_OF_X_RAYS = Limits(
    (0.0, 200_000.0),
    "the largest possible total at the reference point",
    (0.0, 30_000.0),
    "the largest plausible total at the reference point",
)
ORGAN_MASS = Limits(
    (0.01, 650_000.0),
    "the mass of the heaviest person on record",
    (0.1, 200_000.0),
    "ovaries and adrenals of a newborn have 0.3 to 6 g (ICRP 89); muscle of an obese person less "
    "than 200 kg",
)
EXPOSURE_INDEX = Limits(
    (0.0, 1_000_000.0),
    "IEC 62494-1: 100 times the air kerma at the detector in µGy, so 10 mGy",
    (0.0, 50_000.0),
    "detectors saturate at 100 to 500 µGy",
)
TARGET_EXPOSURE_INDEX = Limits(
    (0.0, 100_000.0),
    "IEC 62494-1: a target of 1 mGy at the detector",
    (10.0, 5000.0),
    "recommended targets are 100 to 1000 (AAPM report 116, IEC 62494-1)",
)
DEVIATION_INDEX = Limits(
    (-60.0, 60.0),
    "IEC 62494-1: 10 log10(EI/EIT), so a million times too much or too little",
    (-30.0, 30.0),
    "IEC 62494-1: 10 log10(EI/EIT), so a thousand times too much or too little",
)

# --- technique ---

KVP = Limits(
    (5.0, 200.0),
    "generators of diagnostic X-ray give at most 150 kV, and some of CT 160 kV",
    (15.0, 160.0),
    "from soft tissue radiography (20 kV) to CT (150 kV)",
    (Slip("V", 0.001),),
    instead=(
        (
            "MG",
            Limits(
                (5.0, 200.0),
                "generators of diagnostic X-ray give at most 150 kV",
                (20.0, 50.0),
                "mammography systems give 20 to 49 kV, with contrast agent up to 49 kV",
                (Slip("V", 0.001),),
            ),
        ),
    ),
)
TUBE_CURRENT = Limits(
    (0.0, 3000.0),
    "twice the current of the strongest CT tubes",
    (0.0, 1500.0),
    "the strongest CT tubes give 1300 mA",
    (Slip("uA", 0.001),),
)
_SHORT_EXPOSURE = Limits(
    (0.0, 600_000.0),
    "ten times the longest plausible exposure",
    (0.0, 60_000.0),
    "panoramic images, slot scanners and tomosynthesis take up to half a minute",
    (Slip("us", 0.001),),
)
EXPOSURE_TIME = Limits(
    (0.0, 86_400_000.0),
    "an event does not last longer than a day",
    (0.0, 3_600_000.0),
    "an event of fluoroscopy is far shorter than an hour",
    (Slip("us", 0.001),),
    instead=(("DX", _SHORT_EXPOSURE), ("MG", _SHORT_EXPOSURE)),
)
_SMALL_EXPOSURE = Limits(
    (0.0, 10_000_000.0),
    "1000 mA for 10 s, a million joules at 100 kV, is more than any anode takes at once",
    (0.0, 2_000_000.0),
    "generators limit an exposure to 600 to 1000 mA.s (IEC 60601-2-54: 600 mA.s with automatic "
    "control)",
    (Slip("uA.s", 0.001),),
)
EXPOSURE = Limits(
    (0.0, 2_000_000_000.0),
    "100 mA for five and a half hours",
    (0.0, 200_000_000.0),
    "100 mA for half an hour, more than the heat that an anode dissipates",
    instead=(("DX", _SMALL_EXPOSURE), ("MG", _SMALL_EXPOSURE)),
)
PULSE_RATE = Limits(
    (0.0, 1000.0),
    _NOT_NEGATIVE,
    (0.0, 120.0),
    "cine reaches 60, and in places 120 pulses per second",
)
PULSE_WIDTH = Limits(
    (0.0, 600_000.0),
    "ten minutes",
    (0.0, 60_000.0),
    "a radiograph given as one pulse: slot scanners take up to half a minute",
)
DURATION = Limits(
    (0.0, 86_400.0),
    "an event does not last longer than a day",
    (0.0, 14_400.0),
    "four hours, including the pauses between pulses",
    (Slip("ms", 0.001),),
)
TOTAL_TIME = Limits(
    (0.0, 172_800.0),
    "two days",
    (0.0, 36_000.0),
    "the longest interventions that are reported have five to seven hours of fluoroscopy",
    (Slip("ms", 0.001),),
)
CT_EXPOSURE_TIME = Limits(
    (0.0, 3600.0),
    "an hour with the beam on is more than any anode of CT takes",
    (0.0, 600.0),
    "scans take up to a minute or two, sums over CT fluoroscopy some minutes",
    (Slip("ms", 0.001),),
)
ROTATION_TIME = Limits(
    (0.0, 240.0),
    "cone beam CT on linear accelerators takes two minutes",
    (0.1, 120.0),
    "the fastest gantries take 0.2 s, half a rotation 0.1 s",
    (Slip("ms", 0.001),),
)
FOCAL_SPOT = Limits(
    (0.0, 20.0), _NOT_NEGATIVE, (0.05, 3.0), "nominal values of IEC 60336 are 0.1 to 3.0"
)
FILTER_THICKNESS = Limits(
    (0.0, 100.0),
    _NOT_NEGATIVE,
    (0.0, 50.0),
    "filters have 0.01 mm (rhodium) to some mm (aluminium), bow ties of CT some cm",
)
HALF_VALUE_LAYER = Limits(
    (0.0, 30.0),
    _NOT_NEGATIVE,
    (0.1, 16.0),
    "mammography 0.3 to 0.7 mm aluminium, 150 kV with additional copper up to 14 mm",
)
PITCH = Limits(
    (0.0, 20.0),
    _NOT_NEGATIVE,
    (0.05, 4.0),
    "scanners of two sources reach 3.4; for cardiac scans it is 0.09 and more",
)
COLLIMATION_SINGLE = Limits(
    (0.0, 500.0),
    "as for the total width",
    (0.0, 160.0),
    "the widest detector has 160 mm in one row",
)
COLLIMATION_TOTAL = Limits(
    (0.0, 2000.0),
    "the longest scan",
    (0.0, 500.0),
    "the widest detector has 160 mm; some scanners give the length of a localizer (500 mm)",
)
SCAN_LENGTH = Limits(
    (0.0, 3000.0), _NOT_NEGATIVE, (0.0, 2300.0), "tables of CT move by at most about 2.2 m"
)
X_RAY_SOURCES = Limits((0.0, 100.0), _NOT_NEGATIVE, (1.0, 3.0), "scanners have one or two tubes")
COUNT_OF_EVENTS = Limits(
    (0.0, 100_000.0),
    _NOT_NEGATIVE,
    (0.0, 3000.0),
    "the longest interventions have some hundred events",
)
COUNT_OF_PULSES = Limits(
    (0.0, 10_000_000.0),
    "120 pulses per second over a whole day",
    (0.0, 432_000.0),
    "30 pulses per second for four hours",
)
CALIBRATION_FACTOR = Limits(
    (0.0, 100.0), _NOT_NEGATIVE, (0.5, 2.0), "IEC 60580 allows meters a deviation of 25 %"
)
PERCENT = Limits((0.0, 100.0), "a fraction of a whole", (0.0, 100.0), "a fraction of a whole")

# --- geometry ---

ANGLE = Limits(
    (-360.0, 360.0),
    "a full rotation in either direction",
    (-360.0, 360.0),
    "some systems count from 0° to 360° instead of from -180° to 180°",
)
TILT = Limits(
    (-360.0, 360.0),
    "a full rotation in either direction",
    (-90.0, 90.0),
    "tables tilt to the vertical at most, and PS3.3 C.8.7.5 has secondary angles of -90° to 90°",
)
POSITION = Limits(
    (-10_000.0, 10_000.0),
    "no part of a system is 10 m away from its origin",
    (-5000.0, 5000.0),
    "supports on the ceiling move within 5 m",
)
DISTANCE = Limits(
    (0.0, 10_000.0),
    _NOT_NEGATIVE + "; X-ray rooms are shorter than 10 m",
    (50.0, 5000.0),
    "from intra-oral cones to chest radiographs at 2 m and whole bodies at 4 m",
)
DETECTOR_DISTANCE = Limits(
    (100.0, 10_000.0),
    "no detector is closer to the focal spot than 10 cm; X-ray rooms are shorter than 10 m",
    (150.0, 5000.0),
    DISTANCE.why_soft,
    (Slip("cm", 10.0), Slip("dm", 100.0), Slip("m", 1000.0)),
)
SHUTTER = Limits(
    (-2000.0, 2000.0),
    "as for the sides of fields",
    (-1000.0, 1000.0),
    "half of the largest field, in the plane 1 m from the source",
)
FIELD_SIDE = Limits((0.0, 3000.0), _NOT_NEGATIVE, (0.0, 2000.0), "slot scanners image 2 m")
FIELD_AREA = Limits((0.0, 4.0), _NOT_NEGATIVE, (0.0, 1.0), "slot scanners image 0.45 m x 2 m")
THICKNESS = Limits(
    (0.0, 1500.0),
    _NOT_NEGATIVE,
    (2.0, 700.0),
    "from a finger of a child to the lateral abdomen of the obese",
)
BODY_DIMENSION = Limits(
    (0.0, 2000.0),
    _NOT_NEGATIVE,
    (20.0, 900.0),
    "from limbs and newborns to the widest bore of CT (900 mm)",
)
COMPRESSION_THICKNESS = Limits(
    (0.0, 500.0),
    _NOT_NEGATIVE,
    (5.0, 200.0),
    "paddles of mammography systems move within 0 to 200 mm",
)
COMPRESSION_FORCE = Limits(
    (0.0, 1000.0),
    _NOT_NEGATIVE,
    (0.0, 300.0),
    "IEC 60601-2-45 limits powered compression to 200 N and manual compression to 300 N",
)
MAGNIFICATION = Limits(
    (0.5, 50.0),
    "an image at the detector is not smaller than the object",
    (0.9, 5.0),
    "magnified mammograms have 1.5 to 2; some write 0.99 for contact",
)

# --- nuclear medicine ---

ACTIVITY = Limits(
    (0.0, 100_000.0),
    "nobody is given more than 100 GBq",
    (0.0, 50_000.0),
    "the largest therapies that are reported are 30 to 45 GBq of I-131 MIBG",
)
ADMINISTERED_ACTIVITY = Limits(
    (0.001, 100_000.0),
    "nobody is given less than 1 kBq or more than 100 GBq",
    (0.01, 50_000.0),
    "from capsules for the Schilling test and for the glomerular filtration rate (0.02 MBq and "
    "more) to I-131 MIBG (30 to 45 GBq)",
)
HALF_LIFE = Limits(
    (1.0, 1e12),
    "from Kr-81m (13 s) to C-14 (1.8e11 s)",
    (10.0, 1e8),
    "from Kr-81m (13 s) to Na-22 (8.2e7 s)",
)
SPECIFIC_ACTIVITY = Limits(
    (0.0, 4e13),
    "Kr-81m without carrier has 3.2e13 MBq/mmol (ln 2 x Avogadro's number / half life)",
    (0.0, 6e12),
    "Rb-82 without carrier has 5.5e12 MBq/mmol",
)
ENERGY_WINDOW = Limits(
    (0.0, 20_000.0),
    "no radionuclide emits photons of more than 20 MeV",
    (10.0, 2000.0),
    "from the X-rays of Tl-201 (70 keV) and I-125 (27 keV) to the gamma rays of I-124 (1.7 MeV); "
    "PET has windows of 350 to 650 keV around 511 keV",
)
COUNT_OF_SLICES = Limits(
    (0.0, 100_000.0),
    _NOT_NEGATIVE,
    (1.0, 20_000.0),
    "a whole body of 2 m in slices of 1 mm, in up to ten phases",
)
VOLUME = Limits((0.0, 10_000.0), _NOT_NEGATIVE, (0.0, 1000.0), "infusions have up to one litre")

# The limits of numbers whose unit says which quantity they are, unless a field names others.
OF_UNITS = {
    "kV": KVP,
    "mA": TUBE_CURRENT,
    "mGy.cm": DLP,
    "Gy.m2": DAP,
    "Gy": DOSE_RP,
    "mGy/mA.s": CTDI_PER_CHARGE,
    "mSv/mGy.cm": DOSE_PER_DLP,
    "uA.s": EXPOSURE,
    "{pulse}/s": PULSE_RATE,
    "deg": ANGLE,
    "%": PERCENT,
    "a": AGE,
    "MBq": ACTIVITY,
    "MBq/mmol": SPECIFIC_ACTIVITY,
    "N": COMPRESSION_FORCE,
    "kg": WEIGHT,
}
