"""Every figure that a record book, an answer to a notice or a yearly report shows: its definition, and its value.

A figure of a period is made of what happened in it, by the time at which it happened, and of what stood at its end by
what was known then. So it stays the same whenever it is worked out again, as long as the rows are kept.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from datetime import datetime

from lightship.core.canonical import digest
from lightship.duties import measures_moderation, measures_owed, measures_record
from lightship.duties.law import Law
from lightship.duties.measures_log import read_log
from lightship.duties.measures_period import Period
from lightship.duties.measures_source import Source
from lightship.duties.measures_tally import Value
from lightship.duties.targets import Aims


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure's definition.

    Parameters
    ----------
    says
        What is counted or measured, from when to when, and what is left out.
    """

    title: str
    says: str


FIGURES: Mapping[str, Figure] = {
    "detections": Figure(
        "What was found",
        "Detections whose awareness lies in the period, by kind and by whether a machine, a viewer's report or a "
        "person found them.",
    ),
    "owed": Figure(
        "Owed, not owed, filed",
        "Duties of the detections of the period, by their state and authority as they stood at its end; and all "
        "duties of any age that were neither filed nor found not owed by then, with the age of the oldest.",
    ),
    "aware-to-filed": Figure(
        "From aware to filed",
        "Of reports that an authority took in the period: the time from awareness to its reference; those after the "
        "time that the law names are counted.",
    ),
    "clocks": Figure(
        "Clocks of the law",
        "Clocks that began in the period, by kind: ended in time, late, running, or past their time at its end.",
    ),
    "cases": Figure(
        "Cases",
        "Cases opened in the period, by who opened them; those of them that had no closing verdict at its end wait.",
    ),
    "verdicts": Figure("Verdicts", "People's verdicts given in the period; one case may have several."),
    "time-to-decision": Figure(
        "From opened to decided",
        "Of cases whose first closing verdict was given in the period: the time from their opening to it.",
    ),
    "aware-to-stopped": Figure(
        "From aware to stopped",
        "Of streams that were confirmed as stopped in the period: the time from awareness to that confirmation.",
    ),
    "accuracy": Figure(
        "Machine's cases that people confirmed",
        "Of cases that a machine opened and whose first closing verdict was given in the period: the share found to be "
        "abuse by it, with exact 95 % bounds.",
    ),
    "reports": Figure(
        "Viewers' reports", "Reports received in the period; those that no person had seen at its end."
    ),
    "report-to-person": Figure(
        "From report to a person",
        "Of reports first before a person in the period: the time from receipt until then.",
    ),
    "priority": Figure(
        "What comes first",
        "The same time, apart for reports that a child is in danger now and for all others.",
    ),
    "effects": Figure(
        "What was done",
        "Acts that the platform confirmed in the period, and acts that failed for good; for stops and covers the time "
        "from the order to the confirmation.",
    ),
    "appeals": Figure(
        "Appeals and reversals",
        "Appeals received and answered in the period; the time to an answer; the share overturned, with exact 95 % "
        "bounds.",
    ),
    "staffing": Figure(
        "People on shift",
        "Hours of the period in which at least one person was on shift, and the longest time in which nobody was.",
    ),
    "surge": Figure("Crisis mode", "How often and for how many hours of the period crisis mode was on."),
    "coverage": Figure(
        "Streams looked at",
        "Minutes of streams that the watch accounted for in the period, and the seconds of them that it did not look "
        "at.",
    ),
    "scans": Figure(
        "Pictures scanned",
        "Pictures that detectors were given in the period, by whether the stream was public or private.",
    ),
    "hosts": Figure(
        "What livestreams may do",
        "Streams that began in the period and are on record, by whether a child hosts or streams in them; the rules of "
        "what a livestream may do that were in use at its end, and how often they were set in it.",
    ),
    "policies": Figure(
        "Policies in force", "Watches of streams that began in the period, by policy, and the digests."
    ),
    "lists": Figure(
        "Hash lists",
        "Governed lists as they stood at the period's end: version, age since it was put in force, whether that is "
        "within the list's terms, entries that people or the flood brake took out, what the owner was told.",
    ),
    "tuning": Figure(
        "Six-month record of settings",
        "For each list: sampled matches that people reviewed, the proportion of all matches, precision with exact "
        "95 % bounds, and when the settings must be decided on.",
    ),
    "posts": Figure("Posts", "Posts held at the period's end, and those of the law that were vacant."),
    "training": Figure(
        "Training", "Holders of posts whose training held, or had run out, at the period's end."
    ),
    "retention": Figure(
        "Exhibits",
        "Exhibits sealed and destroyed in the period, and those past their day and not destroyed at its end, which "
        "includes those on hold.",
    ),
    "statement": Figure(
        "Public statement",
        "The configuration that ran at the period's end, how often it changed in the period, and whether the latest "
        "public statement was made from it.",
    ),
    "assessment": Figure(
        "Risk assessment",
        "The latest approved risk assessment at the period's end, and whether it is of the configuration that ran.",
    ),
    "drift": Figure(
        "Notes on rises", "The version of the latest note on rises and new patterns; none if never made."
    ),
    "record": Figure(
        "The ledger",
        "Entries of the ledger up to the period's end and within it, and how often all of it was verified in the "
        "period.",
    ),
    "reversals": Figure(
        "Reversals by detector",
        "Of cases with a closing verdict in the period to whose opening a detector's evidence led: the share of which "
        "the last verdict in it, of the review or of an appeal, says that it was no abuse; for each detector, with "
        "exact 95 % bounds. A case of two detectors counts for both.",
    ),
    "targets": Figure(
        "Targets",
        "The service's own targets for time and accuracy, of the dated rules that are named: of what was stopped, "
        "decided or filed in the period, or waited past its time at its end, the share that was in time; of what was "
        "decided in it, or overturned in it whenever it was decided, the share that stood. Misses are counted by what "
        "took longest.",
    ),
}
"""By their ids, which stay the same."""

DEFINITIONS = digest({name: [one.title, one.says] for name, one in FIGURES.items()})
"""Names what is counted how: two answers with the same definitions can be compared."""


def figures_of(
    source: Source, period: Period, labels: Container[str], law: Law, now: datetime
) -> dict[str, Value]:
    """Return all figures of a period.

    Parameters
    ----------
    labels
        The closed set of kinds of detections.
    law
        Whose targets they are held against.
    now
        For a period that is not over.
    """
    log = read_log(source, period)
    aims = Aims(law, period, log, now)
    return {
        **measures_owed.of_detections(source, period, labels),
        **measures_moderation.of_cases(source, period, aims),
        **measures_owed.of_duties(source, period, aims),
        **measures_owed.of_clocks(source, period),
        **measures_moderation.of_reports(source, period),
        **measures_moderation.of_effects(source, period, log),
        **measures_moderation.of_appeals(period, log),
        **measures_moderation.of_staffing(source, period, log),
        **measures_record.of_watch(source, period, log),
        **measures_record.of_hosts(source, period, log),
        **measures_record.of_lists(source, period),
        **measures_owed.of_posts(source, period),
        **measures_owed.of_exhibits(source, period),
        **measures_owed.of_papers(source, period),
        **aims.value(),
    }


def targets_of(source: Source, period: Period, law: Law, now: datetime) -> Value:
    """Return the figure of the targets alone, with the misses that took longest."""
    aims = Aims(law, period, read_log(source, period), now)
    measures_moderation.of_cases(source, period, aims)
    measures_owed.of_duties(source, period, aims)
    return aims.value(named=True)["targets"]
