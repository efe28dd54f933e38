"""Why a match is one, in plain sentences: distance, quality, rule, the list's provenance, and how it is weighed."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from typing import Any

from lightship.core.entries import QUALITY_FLOOR
from lightship.detect.bank import Bank, Hit
from lightship.detect.chance import LOW_QUALITY, LOW_QUALITY_DB, ONE_LIST_DB, TWO_LISTS_DB
from lightship.detect.look_up import Finder
from lightship.detect.matcher import Finding, Matcher


def explanation(finding: Finding, matcher: Finder, today: date | None = None) -> dict[str, Any]:
    """Return why a finding says what it says; never a hash.

    Parameters
    ----------
    matcher
        Which found it.
    today
        For the lists' age; None is the day on which this is asked.

    Returns
    -------
    dict
        ``matches`` and ``overridden`` (each with its list's provenance) and ``weight``, a sentence.
    """
    day = today or datetime.now(UTC).date()
    return {
        "matches": [_why(hit, finding, day) for hit in finding.hits],
        "overridden": [{**_why(hit, finding, day), "by": by} for hit, by in finding.overridden],
        "weight": _weight(finding, matcher),
    }


def in_words(why: dict[str, Any]) -> str:
    """Return an explanation as indented lines for a person."""
    lines = []
    for one in (*why["matches"], *why["overridden"]):
        lines.append(f"  entry {one['entry']} of list {one['list']}: {one['rule']}, {one['transform']}")
        if one["kind"] == "pdq":
            lines.append(
                f"    distance {one['distance']} of at most {one['limit']} bits; "
                f"quality {one['quality']} of the picture, {one['entry_quality']} of the entry"
            )
        lines.append(f"    {one['provenance']}")
        if "by" in one:
            lines.append(f"    does not count: {one['by']}")
    return "\n".join([*lines, f"  {why['weight']}"])


def _why(hit: Hit, finding: Finding, day: date) -> dict[str, Any]:
    bank = hit.bank
    pdq = hit.kind == "pdq"
    return {
        "list": bank.terms.name,
        "entry": hit.reference,
        "kind": hit.kind,
        "rule": f"PDQ within {bank.terms.distance} bits" if pdq else f"the same {hit.kind}",
        "transform": finding.transform,
        "distance": hit.distance,
        "limit": bank.terms.distance if pdq else 0,
        "quality": finding.quality,
        "entry_quality": hit.quality,
        "owner": bank.terms.owner,
        "basis": bank.terms.basis,
        "as_of": bank.as_of.isoformat(),
        "age_days": bank.age_days(day),
        "stale": bank.stale(day),
        "version": bank.version,
        "digest": bank.digest,
        "provenance": _provenance(bank, day),
    }


def _provenance(bank: Bank, day: date) -> str:
    terms, age_days = bank.terms, bank.age_days(day)
    stale = f", STALE (its terms allow {terms.max_age_days:g} days)" if bank.stale(day) else ""
    age = f"{age_days} day{'s' if age_days != 1 else ''} old{stale}"
    version = f"version {bank.version}" if bank.version else "read straight from a file"
    return (
        f"the list: {terms.owner or 'owner not stated'}, used under {terms.basis or 'a basis not stated'}, "
        f"as of {bank.as_of.isoformat()} ({age}), {version}, {bank.digest}"
    )


def _weight(finding: Finding, matcher: Finder) -> str:
    hit = finding.nearest
    if hit is None:
        return "Nothing counts, so it weighs 0 dB."
    if not isinstance(matcher, Matcher):
        return f"A matcher elsewhere weighed it, {finding.weight_db:.1f} dB; how, only it can say."
    lists = len({one.bank.terms.name for one in finding.hits})
    cap_db = ONE_LIST_DB if lists < 2 else TWO_LISTS_DB
    many = "one list holds it" if lists < 2 else f"{lists} lists agree"
    if hit.kind != "pdq":
        return (
            "What has the same digest, or the same form as an address, is the same: only the list can be wrong. "
            f"As {many}, that gives {finding.weight_db:.0f} dB."
        )
    quality = min(finding.quality, hit.quality)
    entries = round(finding.tries * sum(bank.hashes for bank in matcher.banks))
    table = matcher.chance
    chance = table.probability(hit.distance, quality, entries)
    said = (
        f"Benign pictures of its quality come within {hit.distance} bits of a list of {entries} entries by chance in "
        f"at most one of {1.0 / chance:,.0f} cases (in proportion to what {sum(table.scenes):,} benign scenes showed "
        f"against {table.entries:,} entries), which is {-10.0 * math.log10(chance):.1f} dB, of which a match wins the "
        "share that was bet on its distance"
    )
    if finding.tries > 1.0:
        said += (
            f" (the lists are counted {finding.tries:g} times over, as mirrored and other forms are asked as well, "
            "each another chance to match by accident)"
        )
    if quality < LOW_QUALITY:
        cap_db = min(cap_db, LOW_QUALITY_DB)
        said += f"; quality {quality} is low (matched from {QUALITY_FLOOR}, trusted from {LOW_QUALITY})"
    return f"{said}; {many}, so at most {cap_db:.0f} dB count. It weighs {finding.weight_db:.1f} dB."
