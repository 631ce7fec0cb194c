"""Ignored systems and physics studies, by patterns on what an object says of itself."""

from dataclasses import dataclass

from ..dicom.dataset import Dataset, first, text, values
from ..dicom.patterns import matched
from ..extract import Ignored
from ..store.disposal import PHYSICS

Patterns = tuple[str, ...]
_NAME, _ID = "0010,0010", "0010,0020"


@dataclass(frozen=True)
class Ignoring:
    """Lists of patterns.

    A reason names the list and the pattern, never the name or ID that matches it.
    """

    manufacturers: Patterns = ()
    models: Patterns = ()
    stations: Patterns = ()
    software_versions: Patterns = ()
    serial_numbers: Patterns = ()
    physics_names: Patterns = ()
    physics_ids: Patterns = ()

    @property
    def knows_physics(self) -> bool:
        """True if objects must be inspected to identify those of physics studies."""
        return bool(self.physics_names or self.physics_ids)

    def check(self, dataset: Dataset) -> None:
        """Raise Ignored if a list matches the object. dataset: must still include the patient."""
        self._check_physics(dataset)
        lists = (
            ("ignored manufacturers", self.manufacturers, "0008,0070"),
            ("ignored models", self.models, "0008,1090"),
            ("ignored stations", self.stations, "0008,1010"),
            ("ignored software versions", self.software_versions, "0018,1020"),
            ("ignored serial numbers", self.serial_numbers, "0018,1000"),
        )
        for name, patterns, tag in lists:
            pattern = (
                _any_of([text(dataset, tag), *values(dataset, tag)], patterns) if patterns else None
            )
            if pattern is not None:
                raise Ignored("ignored_system", f'The list of {name} contains "{pattern}".')

    def is_physics(self, dataset: Dataset) -> bool:
        """Return whether an object belongs to a kept physics study."""
        try:
            self._check_physics(dataset)
        except Ignored:
            return True
        return False

    def _check_physics(self, dataset: Dataset) -> None:
        if not self.knows_physics:
            return
        whole = text(dataset, _NAME)
        # The name as written, and each of its spellings alone, without the marks of empty
        # components.
        names = [whole, *(group.strip("^ ") for group in (whole or "").split("="))]
        lists = (
            ("names", names, self.physics_names),
            ("IDs", [first(dataset, _ID)], self.physics_ids),
        )
        for kind, written, patterns in lists:
            pattern = _any_of(written, patterns)
            if pattern is not None:
                raise Ignored(
                    PHYSICS, f'The list of patient {kind} of physics studies contains "{pattern}".'
                )


NOTHING_IGNORED = Ignoring()


def _any_of(written: list[str | None], patterns: Patterns) -> str | None:
    return next((found for one in written if (found := matched(one, patterns)) is not None), None)
