"""Figures of what the ledgers tell: coverage, scans, policies, lists, and the record itself."""

from __future__ import annotations

from collections import Counter

from lightship.core.cases import Stream
from lightship.core.entry_time import at_of
from lightship.core.governance import Book
from lightship.core.tuning import tuning_record
from lightship.duties.measures_log import Log
from lightship.duties.measures_period import Period
from lightship.duties.measures_source import Source
from lightship.duties.measures_tally import Value, counts, share

_MINUTE_S = 60.0


def of_watch(source: Source, period: Period, log: Log) -> dict[str, Value]:
    """Return how much of the streams was looked at, what was scanned on what basis, and under which policies."""
    watched = log.minutes * _MINUTE_S
    entries_at_the_end = source.written(period.ends)
    return {
        "coverage": {
            "stream_minutes": log.minutes,
            "not_looked_at_s": round(log.gap_s, 3),
            "looked_at": round(1.0 - log.gap_s / watched, 6) if watched else None,
            "parts_that_stopped": log.gaps,
        },
        "scans": counts(
            log.pictures,
            private_pictures=sum(n for (visibility, _), n in log.pictures.items() if visibility == "private"),
            bases={name: len(some) for name, some in sorted(log.bases.items())},
        ),
        "policies": counts(log.policies, digests=sorted(log.policy_digests)),
        "record": {
            "entries_at_the_end": entries_at_the_end,
            "entries_in_the_period": entries_at_the_end - source.written(period.begins),
            "verified_in_the_period": log.verified,
        },
    }


def of_hosts(source: Source, period: Period, log: Log) -> dict[str, Value]:
    """Return who hosted streams, and which rules of what a livestream may do were in use."""
    hosts = Counter(
        "not known" if child is None else "child" if child else "adult"
        for (child,) in source.rows(Stream, ("child_host",), "began_at", period.begins, period.ends)
    )
    told = [one for one in log.acts if one["kind"] == "controls"]
    in_use = sorted(map(str, told[-1]["enabled"])) if told else None
    times = sum(at_of(one) >= period.begins for one in told)
    return {"hosts": counts(hosts, rules_in_use=in_use, times_set=times)}


def of_lists(source: Source, period: Period) -> dict[str, Value]:
    """Return the hash lists as they stood at the period's end, and the six-month record of their settings."""
    book = Book()
    for entry in source.list_entries(period.ends):
        book.take(entry)
    day = period.after
    lists, records = {}, {}
    for name, listed in sorted(book.lists.items()):
        age = (period.ends - listed.published_at).total_seconds() / 86_400 if listed.published_at else None
        most = listed.terms.max_age_days
        lists[name] = {
            "owner": listed.terms.owner,
            "role": listed.terms.role,
            "version": listed.version,
            "digest": listed.digest,
            "age_days": round(age, 2) if age is not None else None,
            "fresh": age is not None and (most is None or age <= most),
            "entries_off": len(listed.off),
            "entries_set_aside": len(listed.aside),
            "told_to_the_owner": dict(sorted(Counter(act.what for act in listed.feedback).items())),
        }
        record = tuning_record(name, listed)
        records[name] = {
            "precision": share(record.confirmed, record.reviewed),
            "reviewed": share(record.reviewed, record.matches),
            "decided": record.decided.isoformat() if record.decided else None,
            "due": record.due.isoformat(),
            "overdue": record.overdue(day),
        }
    stale = sum(not one["fresh"] for one in lists.values())
    return {
        "lists": {"total": len(lists), "stale": stale, "lists": lists},
        "tuning": {"overdue": sum(one["overdue"] for one in records.values()), "lists": records},
    }
