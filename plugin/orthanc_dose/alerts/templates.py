"""Rules to start from, each with the frame and the source that it was read in. None is on by itself.

Templates are only of sources that were read. Two of OpenREM's thresholds are two rules each: one for
the study, and one for the patient's sum over twelve weeks. That for the peak skin dose follows when
there is a filter for it.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from .rule import Rule, read_rule


@dataclass(frozen=True)
class Template:
    """A template. choose: the studies that the user must select by filters, in words; empty if the
    rule is complete."""

    key: str
    frame: str
    source: str
    choose: str
    rule: Rule

    def as_dict(self) -> dict[str, Any]:
        """Return the template for JSON."""
        return {
            "key": self.key,
            "frame": self.frame,
            "source": self.source,
            "choose": self.choose,
            "rule": self.rule.given,
        }


@cache
def templates() -> tuple[Template, ...]:
    """Return all templates."""
    text = files(__package__).joinpath("templates.json").read_text(encoding="utf-8")
    return tuple(
        Template(**one | {"rule": read_rule(one["rule"])}) for one in json.loads(text)["templates"]
    )
