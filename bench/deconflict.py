"""Deconfliction: set-up, a question against 100,000 entries, and whether a covert hit can be told from a miss.

The peers: ``openmined-psi``'s own protocol on the same sets, which tells the asker every hit, and the same power on
P-256 by ``cryptography``'s ECDH.
"""

from __future__ import annotations

import secrets
import statistics
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric import ec
from scipy import stats

from lightship.casework import deconflict, psi
from lightship.casework.deconflict import Interest, Question

ENTRIES = 100_000
ASKED = 205
SIZE = 256
TRIALS = 10_000
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
UNTIL = date(2027, 11, 30)
REPEATS = 7
T = TypeVar("T")


def run() -> list[dict[str, str]]:
    """Measure, and return table rows: what, ours, peer, ratio, reach, met."""
    a, b, c = psi.new_secret(), psi.new_secret(), psi.new_secret()
    keys = [f"handle|chat|person{number}" for number in range(ENTRIES)]
    asked = [*keys[:5], *(f"handle|chat|nobody{number}" for number in range(ASKED - 5))]
    held, listed_s = _timed(
        lambda: deconflict.make_list(
            [_entry(key) for key in keys], b, holder="b", asker="a", capacity=ENTRIES, today=NOW.date()
        )
    )
    (sent, places), made_s = _timed(
        lambda: deconflict.make_round(
            [_entry(key, covert=True) for key in keys], c, holder="b", asker="a", size=ENTRIES
        )
    )
    returned, answered_s = _timed(lambda: deconflict.answer_round(sent, a))
    known = deconflict.known_points(returned, places)
    asks, answers, opens, reads = list[float](), list[float](), list[float](), list[float]()
    for _ in range(REPEATS):
        (question, own), ask_s = _timed(partial(_ask, asked, a))
        reply, answer_s = _timed(partial(deconflict.answer, question, b))
        found, open_s = _timed(partial(deconflict.open_answer, reply, own, a, held))
        hits, read_s = _timed(partial(deconflict.recognised, question, c, _finder(known)))
        if len(found) != 5 or len(hits) != 5:
            raise SystemExit(f"{len(found)} and {len(hits)} of 5 found")
        for times, one in ((asks, ask_s), (answers, answer_s), (opens, open_s), (reads, read_s)):
            times.append(one)
    whole = sum(statistics.median(one) for one in (asks, answers, opens))
    peer_set_up, peer_query = _peer(keys, asked)
    p_value, hit_ms, miss_ms = indistinguishable(TRIALS)
    exchange = _exchange()
    power = _power()
    setup = f"{peer_set_up:.1f} s openmined-psi, GCS"
    return [
        _row(f"deconflict: set-up, overt list of {ENTRIES:,}", listed_s, peer_set_up, setup, 15.0),
        _row(
            f"deconflict: set-up, covert round of {ENTRIES:,}, there and back",
            made_s + answered_s,
            peer_set_up,
            setup,
            15.0,
        ),
        _row(
            f"deconflict: {ASKED} identifiers (as {SIZE} points), asked, answered, opened",
            whole,
            peer_query,
            f"{peer_query:.3f} s openmined-psi, {ASKED} points",
            0.2,
        ),
        _row(
            "deconflict: the covert desk reads a question",
            statistics.median(reads),
            peer_query,
            f"{peer_query:.3f} s openmined-psi",
        ),
        {
            "what": "deconflict: a point to a secret's power, processor",
            "ours": f"{power * 1e6:.0f} µs",
            "peer": f"{exchange * 1e6:.0f} µs cryptography, ECDH and lifting",
            "ratio": f"{exchange / power:.1f}",
            "reach": "",
            "met": "",
        },
        {
            "what": f"deconflict: covert hit or miss by the time of an answer, {TRIALS:,} trials",
            "ours": f"p = {p_value:.2f} (medians {hit_ms:.3f} and {miss_ms:.3f} ms; bytes the same)",
            "peer": "",
            "ratio": "",
            "reach": "p > 0.05",
            "met": "yes" if p_value > 0.05 else "no",
        },
    ]


def _row(what: str, ours: float, peer: float, peer_text: str, reach_s: float | None = None) -> dict[str, str]:
    return {
        "what": what,
        "ours": f"{ours:.3f} s" if ours < 1 else f"{ours:.1f} s",
        "peer": peer_text,
        "ratio": f"{peer / ours:.2f}",
        "reach": f"≤ {reach_s:g} s" if reach_s else "",
        "met": ("yes" if ours <= reach_s else "no") if reach_s else "",
    }


def _timed(act: Callable[[], T]) -> tuple[T, float]:
    """Return what an act makes, and its seconds by the clock on the wall."""
    start = time.perf_counter()
    made = act()
    return made, time.perf_counter() - start


def _entry(key: str, *, covert: bool = False) -> Interest:
    return Interest(key, key, "target" if covert else "child", "R-1", "desk@example.org", 2, UNTIL, covert)


def _finder(known: dict[bytes, tuple[str, ...]]) -> Callable[[bytes], tuple[str, ...]]:
    return lambda point: known.get(point, ())


def _ask(keys: list[str], secret: bytes, size: int = SIZE) -> tuple[Question, tuple[str, ...]]:
    return deconflict.ask(
        keys,
        secret,
        size=size,
        asker="a",
        holder="b",
        at=NOW,
        basis="law",
        reference="R",
        contact="desk@example.org",
        urgency=2,
        until=UNTIL,
    )


def _peer(keys: list[str], asked: list[str]) -> tuple[float, float]:
    """Return seconds of openmined-psi's set-up, and of a question with it (median)."""
    from private_set_intersection import python as library

    server = library.server.CreateWithNewKey(True)
    made, set_up_s = _timed(lambda: server.CreateSetupMessage(1e-9, len(asked), keys))
    client = library.client.CreateWithNewKey(True)

    def query() -> list[int]:
        found: list[int] = client.GetIntersection(made, server.ProcessRequest(client.CreateRequest(asked)))
        return found

    times = []
    for _ in range(REPEATS):
        found, took = _timed(query)
        if sorted(found) != [0, 1, 2, 3, 4]:
            raise SystemExit("the peer did not find its five")
        times.append(took)
    return set_up_s, statistics.median(times)


def _power(count: int = 5000) -> float:
    """Return seconds of the processor for one point to a secret's power."""
    points, secret = psi.blind(psi.new_secret(), psi.dummies(count)), psi.new_secret()
    start = time.process_time()
    psi.raised(secret, points)
    return (time.process_time() - start) / count


def _exchange(count: int = 2000) -> float:
    """Return the same of one ECDH on P-256 by cryptography, with the point lifted from its x."""
    curve = ec.SECP256R1()
    key = ec.generate_private_key(curve)
    x = ec.generate_private_key(curve).public_key().public_numbers().x.to_bytes(32, "big")
    start = time.process_time()
    for _ in range(count):
        x = key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(curve, b"\x02" + x))
    return (time.process_time() - start) / count


def indistinguishable(trials: int) -> tuple[float, float, float]:
    """Return p that answers to covert hits and to misses take alike (Mann-Whitney), and the two medians, ms.

    Questions of 16 points, in random order; half of them name covert entries only.
    """
    a, b, c = psi.new_secret(), psi.new_secret(), psi.new_secret()
    covert = [_entry(f"handle|chat|hidden{number}", covert=True) for number in range(16)]
    sent, places = deconflict.make_round(covert, c, holder="b", asker="a", size=16)
    known = deconflict.known_points(deconflict.answer_round(sent, a), places)
    kinds = {
        True: [[one.key for one in covert] for _ in range(20)],
        False: [[f"handle|chat|{secrets.token_hex(4)}" for _ in range(16)] for _ in range(20)],
    }
    asked = {hit: [_ask(keys, a, 16)[0] for keys in sets] for hit, sets in kinds.items()}
    for hit, questions in asked.items():
        if bool(deconflict.recognised(questions[0], c, _finder(known))) != hit:
            raise SystemExit("the desk did not recognise what it should")
    times: dict[bool, list[float]] = {True: [], False: []}
    sizes = set()
    for _ in range(trials):
        hit = bool(secrets.randbits(1))
        question = secrets.choice(asked[hit])
        start = time.perf_counter()
        reply = deconflict.answer(question, b)
        times[hit].append(time.perf_counter() - start)
        sizes.add(sum(map(len, reply.points)))
    if len(sizes) != 1:
        raise SystemExit("answers differ in size")
    p_value = float(stats.mannwhitneyu(times[True], times[False]).pvalue)
    return p_value, statistics.median(times[True]) * 1e3, statistics.median(times[False]) * 1e3


def main() -> None:
    """Print the rows."""
    for row in run():
        print("  ".join(f"{name}: {value}" for name, value in row.items() if value))


if __name__ == "__main__":
    main()
