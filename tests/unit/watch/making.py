"""Values and pictures for the tests of the watch."""

from datetime import timedelta

import numpy as np
from tests.unit.watch.memory import NOW

from lightship.core.cases import Stream
from lightship.core.values import Decision, Signal
from lightship.media.frames import ArrayPicture
from lightship.watch.desk import Sighting

DAY = timedelta(days=1)


def stream(id_, **more):
    fields = {"visibility": "public", "basis": "terms", "policy": "test", "began_at": NOW, **more}
    return Stream(
        id=id_, address=fields.pop("address", f"rtmp://live.example/app/{id_}"), host="h1", **fields
    )


def decision(rung="end", before=None, at_s=12.0, by="evidence", db=60.0):
    reasons = (Signal(at_s, "known-media", "known-media", db),) if by == "evidence" and rung else ()
    return Decision(at_s, rung, before, by, db, "sha256:p", reasons)


def sighting(id_="s1", still="", run=1, **more):
    return Sighting(
        stream(id_),
        decision(**more),
        run,
        10.0,
        still,
        {"known-media": "v1"},
        "list demo, entry 7",
        matched=("demo/7",),
    )


def picture(at_s, seed=0, width=160, height=90):
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 255, (9, 16, 3), dtype=np.uint8)
    return ArrayPicture(
        at_s, np.kron(small, np.ones((height // 9, width // 16, 1), np.uint8)).astype(np.uint8)
    )
