"""Alerts: rules that say which values are too high, too low or missing, and their evaluation.

A rule is evaluated by one SQL statement over a set of studies, whether it is tried over the whole
store or finds what is new: what was tried is what comes.
"""

from .evaluation import Found, evaluate
from .rule import Rule, read_rule
from .templates import templates
from .trial import Trial, try_rule

__all__ = ["Found", "Rule", "Trial", "evaluate", "read_rule", "templates", "try_rule"]
