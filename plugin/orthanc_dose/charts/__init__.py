"""Charts: the doses of filtered studies, where they differ, and how they change over time."""

from .chart_row import Row
from .chart_types import Chart
from .charts import CHARTS
from .data import Data, data_of
from .figures import figure_of
from .files import as_xlsx, chart_as_csv
from .options import DEFAULTS, OPTIONS, Option
from .wording import Wording

__all__ = [
    "CHARTS", "Chart", "DEFAULTS", "Data", "OPTIONS", "Option", "Row", "Wording", "as_xlsx", "chart_as_csv",
    "data_of", "figure_of",
]  # fmt: skip
