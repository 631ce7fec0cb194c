"""Merges the objects of one study into its records, with totals and marks for what is in doubt: the
dose rules, without SQL, as functions of what was extracted."""

from .estimates import waiting_estimates
from .merge import put_together
from .parts import Outcome, Part, Record, event_keys

__all__ = ["Outcome", "Part", "Record", "event_keys", "put_together", "waiting_estimates"]
