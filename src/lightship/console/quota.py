"""How much a tenant may ask: a bucket of tokens that fills again by the minute, and a bound on the day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta


@dataclass(slots=True)
class Quota:
    """What one tenant has used.

    Parameters
    ----------
    left
        Hashes it may ask about now.
    at
        When that was true; aware.
    day, used
        The UTC day, and what was asked in it.
    """

    left: float
    at: datetime
    day: date
    used: int = 0

    def wait_s(self, count: int, per_minute: int, per_day: int, now: datetime) -> float:
        """Take ``count`` from the quota and return 0, or take nothing and return the seconds to wait."""
        if now.date() != self.day:
            self.day, self.used = now.date(), 0
        passed_s = max(0.0, (now - self.at).total_seconds())
        self.left = min(float(per_minute), self.left + passed_s * per_minute / 60.0)
        self.at = now
        if self.used + count > per_day:
            tomorrow = datetime.combine(self.day + timedelta(days=1), datetime.min.time(), now.tzinfo)
            return (tomorrow - now).total_seconds()
        if count > self.left:
            return (count - self.left) * 60.0 / per_minute
        self.left -= count
        self.used += count
        return 0.0
