"""Reference levels with which doses are compared."""

from .field import Table, flag, integer, num, text

# The statistic of an installation's doses that is compared with a level. The median is the
# convention: a national level is the third quartile of the medians of hospitals (ICRP Publication
# 135, 2017).
STATISTICS = {"median": "the median", "mean": "the mean", "p75": "the 75th percentile"}
PHANTOMS = {"head": "IEC head phantom (16 cm)", "body": "IEC body phantom (32 cm)"}

REFERENCE_LEVEL = Table(
    "reference_level",
    "Reference levels",
    "One row a reference level that the installation's doses are compared with, of one "
    "examination, quantity and class of"
    " patients.",
    (
        integer("id", "Number", always=True),
        text(
            "shipped_as",
            "Shipped as",
            description="The key of a level that came with the program; empty for all others.",
        ),
        text("name", "Examination", always=True, description="As its source calls it."),
        text(
            "pattern",
            "Pattern",
            description="Of the names that it is for, as systems write them: with the wildcards * "
            "? [seq] [!seq]; case is"
            " ignored. Empty, as the standard name is, for what is not matched yet.",
        ),
        text(
            "standard_name",
            "Standard name",
            description="In place of a pattern: it is for all names of this standard name.",
        ),
        text("modality", "Modality"),
        text(
            "quantity",
            "Quantity",
            description="The filter of lists that has the values it is compared with, as "
            "dlp_total.",
        ),
        num(
            "value",
            "Value",
            "1",
            always=True,
            description="In the unit in which the store has the quantity.",
        ),
        text(
            "statistic",
            "Compared with",
            always=True,
            description="; ".join(
                f"{name}: {what} of the installation's values" for name, what in STATISTICS.items()
            ),
        ),
        num("age_from", "Age from", "a", description="For patients of this age and older."),
        num("age_to", "Age to", "a", description="For patients younger than this."),
        num(
            "weight_from",
            "Weight from",
            "kg",
            description="For patients of this weight and heavier.",
        ),
        num("weight_to", "Weight to", "kg", description="For patients lighter than this."),
        text(
            "phantom",
            "Phantom",
            description=f"That CTDIvol refers to: "
            f"{'; '.join(f'{name}: {what}' for name, what in PHANTOMS.items())}.",
        ),
        text("source", "Source"),
        integer("year", "Year", description="In which it was published or adopted."),
        text("url", "Address", description="Where the source can be read."),
        text("note", "Note"),
        flag("valid", "Valid", description="Whether doses are compared with it."),
    ),
)
