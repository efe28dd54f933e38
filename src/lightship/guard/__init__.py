"""On the device: frames, signals, decision, disrupt. Opens no socket of its own, sends nothing."""

from lightship.guard.guard import Guard, Outcome
from lightship.guard.trace import Trace

__all__ = ["Guard", "Outcome", "Trace"]
