"""Rules for which series of a study carry dose, and what of them is retrieved, with reasons.

They use no network: `ask` returns the objects of a series as the node lists them, or none if it
does not.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from ..dicom.sop_classes import (
    COMPREHENSIVE_SR,
    CONE_BEAM_VOLUMES,
    ENHANCED_SR,
    GENERAL_REPORTS,
    OTHER_SR,
    PATIENT_DOSE_SR,
    RADIOPHARMACEUTICAL_DOSE_SR,
    SECONDARY_CAPTURES,
    XRAY_DOSE_REPORTS,
)
from .answers import Image, Series
from .question import GROUPS, Question

Ask = Callable[[Series], Sequence[Image]]

_NUCLEAR_REPORTS = frozenset({RADIOPHARMACEUTICAL_DOSE_SR})
_OF_VOLUMES = frozenset({"CT", *GROUPS["FL"]})  # Modality (0008,0060) of volumes (PS3.3 A.53, A.54)
_ESTIMATES = frozenset({PATIENT_DOSE_SR})
_OLDER_REPORTS = frozenset({ENHANCED_SR, COMPREHENSIVE_SR})
_SMALL = 5  # number of images of a series that may be dose info, or volumes of many frames

# Why a series is retrieved, or not; pages put it in words.
KEPT = (
    "dose_report",
    "enhanced_sr",
    "dose_estimate",
    "rejection_note",
    "unseen_report",
    "image",
    "dose_info",
    "secondary_capture",
    "volume",
    "first_image",
    "small_series",
    "pet_image",
    "nm_image",
)
LEFT = (
    "station_name",
    "report_says_it",
    "no_dose_report",
    "objects_not_listed",
    "no_image_of_dose",
    "no_report",
    "known",
)


@dataclass(frozen=True)
class Decision:
    """The decision on a series: whether it is retrieved, and why, as one of KEPT or LEFT.

    images: those to be retrieved one by one; None for the whole series.
    """

    series: Series
    is_kept: bool
    reason: str
    images: tuple[Image, ...] | None = None

    @property
    def objects(self) -> int | None:
        """The number of objects to retrieve; None if the node does not say."""
        if not self.is_kept:
            return 0
        return self.series.size if self.images is None else len(self.images)


def decide_series(
    groups: Iterable[str], series: Sequence[Series], question: Question, ask: Ask
) -> list[Decision]:
    """Return a decision for each series of a study that is treated as these kinds of studies.

    A series that one of the kinds wants is retrieved. groups: some of GROUPS, none for a study that
    holds only reports. Estimates of organ doses and rejection notes are retrieved whatever else is,
    since they complement it.
    """
    here = [
        one
        for one in series
        if question.station_of_study or question.stations.passes(one.station_name)
    ]
    listed = {one.uid: tuple(ask(one)) for one in here if one.modality == "SR"}
    of_study = _Study(here, question, ask, listed)
    found: dict[str, Decision] = {}
    of_groups = [_RULES[group](of_study) for group in groups] or [_only_reports(of_study)]
    # Whatever archive wrote the notes: without them, objects count that must not.
    notes = [Decision(one, True, "rejection_note") for one in series if one.modality == "KO"]
    for kept in (*of_groups, of_study.reports(_ESTIMATES, "dose_estimate"), notes):
        for decision in kept:
            before = found.get(decision.series.uid)
            found[decision.series.uid] = decision if before is None else _both(before, decision)
    return [found.get(one.uid) or Decision(one, False, "station_name") for one in series]


def _both(one: Decision, other: Decision) -> Decision:
    """Return the combination of two decisions on a series.

    The reason is that of the first that retrieves something.
    """
    if not one.is_kept or not other.is_kept:
        return other if other.is_kept else one
    if one.images is None or other.images is None:
        return replace(one, images=None)
    return replace(one, images=tuple(dict.fromkeys((*one.images, *other.images))))


@dataclass(frozen=True)
class _Study:
    series: Sequence[Series]
    question: Question
    ask: Ask
    listed: dict[str, tuple[Image, ...]]

    @property
    def others(self) -> list[Series]:
        """All series except structured reports."""
        return [one for one in self.series if one.uid not in self.listed]

    def reports(self, classes: frozenset[str], reason: str) -> list[Decision]:
        """Return the series with reports of these classes; only these reports are retrieved."""
        out = []
        for one in self.series:
            images = self.listed.get(one.uid, ())
            wanted = tuple(image for image in images if image.sop_class_uid in classes)
            if wanted:
                out.append(
                    Decision(one, True, reason, None if len(wanted) == len(images) else wanted)
                )
        return out

    def dose_reports(self, classes: frozenset[str]) -> list[Decision]:
        """Return the same for dose reports, with series that count as such if asked for.

        These are series of reports whose objects the node does not list.
        """
        found = self.reports(classes, "dose_report")
        if self.question.unseen_reports:
            found += [
                Decision(one, True, "unseen_report")
                for one in self.series
                if one.uid in self.listed and self._is_unseen(one)
            ]
        return found

    def volumes(self) -> list[Decision]:
        """Return the series with volumes of cone-beam CT, whose header may give the dose."""
        out = []
        for one in self.others:
            if one.modality not in _OF_VOLUMES or (one.size or 0) > _SMALL:
                continue
            images = self.images(one)
            wanted = tuple(image for image in images if image.sop_class_uid in CONE_BEAM_VOLUMES)
            if wanted:
                out.append(
                    Decision(one, True, "volume", None if len(wanted) == len(images) else wanted)
                )
        return out

    def rest(self, kept: list[Decision], reason: str) -> list[Decision]:
        """Return these decisions, and for each other series the decision to leave it.

        reason: for all series except reports, which have their own reasons.
        """
        uids = {decision.series.uid for decision in kept}
        return kept + [
            Decision(one, False, self._not_a_report(one, reason))
            for one in self.series
            if one.uid not in uids
        ]

    def images(self, one: Series) -> tuple[Image, ...]:
        """Return the objects of a series in their order."""
        return tuple(
            sorted(self.ask(one), key=lambda image: (image.number is None, image.number or 0))
        )

    def _is_unseen(self, one: Series) -> bool:
        return all(image.sop_class_uid is None for image in self.listed[one.uid])

    def _not_a_report(self, one: Series, otherwise: str) -> str:
        if one.uid not in self.listed:
            return otherwise
        return "objects_not_listed" if self._is_unseen(one) else "no_dose_report"


def _reports_or_images(group: str) -> Callable[[_Study], list[Decision]]:
    def rule(study: _Study) -> list[Decision]:
        reports = study.dose_reports(XRAY_DOSE_REPORTS)
        if reports:
            return study.rest(reports, "report_says_it")
        images = [
            Decision(one, True, "image") for one in study.others if one.modality in GROUPS[group]
        ]
        return study.rest(images, "no_image_of_dose")

    return rule


def _fluoroscopy(study: _Study) -> list[Decision]:
    reports = study.dose_reports(XRAY_DOSE_REPORTS) or study.reports(GENERAL_REPORTS, "enhanced_sr")
    return study.rest(reports or study.volumes(), "report_says_it" if reports else "no_report")


def _ct(study: _Study) -> list[Decision]:
    reports = study.dose_reports(XRAY_DOSE_REPORTS)
    if reports:
        return study.rest(reports, "report_says_it")
    # These are mostly measurements, so they are retrieved without taking the place of anything.
    return study.reports(OTHER_SR, "enhanced_sr") + _ct_without_dose_report(study)


def _ct_without_dose_report(study: _Study) -> list[Decision]:
    reports = study.reports(_OLDER_REPORTS, "enhanced_sr")
    if not reports:
        reports = [
            Decision(one, True, "dose_info")
            for one in study.others
            if "dose info" in (one.description or "").casefold()
        ]
    if reports:
        return study.rest(reports, "report_says_it")
    volumes = study.volumes()
    if volumes:
        return study.rest(volumes, "no_report")
    if study.question.toshiba:
        toshiba = list(_toshiba(study))
        if toshiba:
            return study.rest(toshiba, "objects_not_listed")
    if not any(one.description for one in study.series):
        small = [one for one in study.others if 0 < _size(study, one) <= _SMALL]
        return study.rest([Decision(one, True, "small_series") for one in small], "no_report")
    return study.rest([], "no_report")


def _toshiba(study: _Study) -> Iterable[Decision]:
    for one in study.others:
        images = study.images(one)
        captures = tuple(image for image in images if image.sop_class_uid in SECONDARY_CAPTURES)
        if captures:
            first = next((image for image in images if image not in captures), None)
            yield Decision(one, True, "secondary_capture", (first, *captures) if first else None)
        elif images:
            yield Decision(one, True, "first_image", images[:1])


def _size(study: _Study, one: Series) -> int:
    """Return the number of images of a series.

    A node that says 0 has not counted: it would not list the series.
    """
    return one.size or len(study.ask(one))


def _nuclear(study: _Study) -> list[Decision]:
    reports = study.dose_reports(_NUCLEAR_REPORTS)
    pet = [_one_image(study, one, "pet_image") for one in study.others if one.modality == "PT"]
    if reports or pet:
        return study.rest(reports + pet, "report_says_it" if reports else "no_image_of_dose")
    images = [one for one in study.others if one.modality == "NM"]
    return study.rest(
        [_one_image(study, one, "nm_image") for one in images[:1]], "no_image_of_dose"
    )


def _one_image(study: _Study, one: Series, reason: str) -> Decision:
    """Return the decision to retrieve one image, which says the same as the whole series.

    If the node does not list the images, the whole series is retrieved.
    """
    return Decision(one, True, reason, study.images(one)[:1] or None)


def _only_reports(study: _Study) -> list[Decision]:
    kept = study.dose_reports(XRAY_DOSE_REPORTS | _NUCLEAR_REPORTS)
    uids = {decision.series.uid for decision in kept}
    kept += [
        one for one in study.reports(GENERAL_REPORTS, "enhanced_sr") if one.series.uid not in uids
    ]
    return study.rest(kept, "no_report")


_RULES: dict[str, Callable[[_Study], list[Decision]]] = {
    "CT": _ct,
    "MG": _reports_or_images("MG"),
    "DX": _reports_or_images("DX"),
    "FL": _fluoroscopy,
    "NM": _nuclear,
}


def without_known(decisions: Iterable[Decision], known: frozenset[str], ask: Ask) -> list[Decision]:
    """Return the decisions without objects that the store has.

    known: SOP Instance UIDs of the study for which the store has a record.
    """
    return [_without_known(one, known, ask) if one.is_kept and known else one for one in decisions]


def _without_known(decision: Decision, known: frozenset[str], ask: Ask) -> Decision:
    listed = decision.images if decision.images is not None else tuple(ask(decision.series))
    new = tuple(image for image in listed if image.sop_instance_uid not in known)
    if not listed or len(new) == len(listed):
        return decision
    return (
        replace(decision, images=new)
        if new
        else replace(decision, is_kept=False, reason="known", images=None)
    )
