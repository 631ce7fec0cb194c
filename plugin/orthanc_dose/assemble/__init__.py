"""Merges the objects of one study into its records, with totals and marks for what is in doubt: the
dose rules, without SQL, as functions of what was extracted."""

from .estimates import waiting_estimates
from .merge import put_together
from .parts import Outcome, Part, Record, event_keys
from .rejections import SAFETY, without_rejected
from .sharing import NEAR, Holder, Sharing, event_uid, share
from .totals import totals_of_study

__all__ = [
    "NEAR", "SAFETY", "Holder", "Outcome", "Part", "Record", "Sharing", "event_keys", "event_uid", "put_together", "share",
    "totals_of_study", "waiting_estimates",
    "without_rejected",
]  # fmt: skip
