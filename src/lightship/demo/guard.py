"""Chapter 1: a live stream is published, the benign test card arrives, and the guard acts."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from lightship import app as wiring
from lightship import packs
from lightship.core.values import Rung
from lightship.demo.publisher import SECONDS, scene
from lightship.detect.loop import load_sensors
from lightship.detect.test_card import TestCardDetector
from lightship.guard.diary import explain
from lightship.guard.evaluate import evaluate
from lightship.guard.evaluation_card import Marked
from lightship.infra.keys import load_public_key
from lightship.infra.ledger_file import read_entries, verify_file
from lightship.media.frames import ArrayPicture, Gap, Sound
from lightship.media.sources import Reconnect, open_source

Claim = tuple[str, bool, str]
"""What a user would say, whether it held, and what was seen."""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def play(out: Path, console: Console) -> list[Claim]:
    """Play the chapter; the protected video, the timeline and the report stay in the folder."""
    for old in ("guard.ledger", "guard.ledger-wal", "guard.ledger-shm", "guard.key", "guard.pub"):
        (out / old).unlink(missing_ok=True)
    log, video = out / "guard.ledger", out / "protected.mp4"
    said = _watch(log, video, out, console)
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    console.print(explain(read_entries(log)), style="dim", markup=False)
    published = ("the publisher had nothing to complain of", not said, said or "silent")
    return [published, *_claims(report, video), _evaluation(out), _ledger_claim(log)]


def _watch(log: Path, video: Path, out: Path, console: Console) -> str:
    """Guard the live stream to its end; returns what the publisher said."""
    address = f"rtmp://127.0.0.1:{_free_port()}/live/demo"
    program = [sys.executable, "-c", "from lightship.demo.publisher import main; main()", address]
    publisher = subprocess.Popen(program, stderr=subprocess.PIPE, text=True)  # noqa: S603
    columns = (
        TextColumn("  {task.description}"),
        BarColumn(),
        TextColumn("{task.fields[state]}"),
        TimeElapsedColumn(),
    )
    try:
        with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
            task = bar.add_task("live over RTMP", total=SECONDS, state="clear")

            def progress(at_s: float, rung: Rung | None) -> None:
                state = {None: "clear", "blur": "blurred", "pause": "paused"}.get(rung, "")
                bar.update(task, completed=at_s, state=state)

            wiring.protect(
                address.replace("rtmp://", "rtmp+listen://"),
                str(video),
                "test",
                log=log,
                report=out,
                progress=progress,
                reconnect=Reconnect(listen_s=20.0, linger_s=1.5),
            )
    finally:
        publisher.terminate()
        _, said = publisher.communicate(timeout=10.0)
    return said.strip()


def _claims(report: dict[str, Any], video: Path) -> list[Claim]:
    rungs = [decision["rung"] for decision in report["decisions"]]
    first_s = {decision["rung"]: decision["at_s"] for decision in reversed(report["decisions"])}
    left, pictures = _card_pictures(video)
    return [
        ("the picture is blurred when the card arrives", "blur" in rungs, f"at {first_s.get('blur')} s"),
        ("then it is paused and the help card is shown", "pause" in rungs, f"at {first_s.get('pause')} s"),
        ("it goes on when the picture is benign again", rungs[-1:] == [None], f"at {first_s.get(None)} s"),
        ("no picture with the card left", pictures > 0 and left == 0, f"{left} of {pictures} that left"),
    ]


def _card_pictures(video: Path) -> tuple[int, int]:
    """Count the pictures of the protected video in which the card can still be found, and all of them."""
    detector = TestCardDetector.load()
    found = pictures = 0
    with open_source(str(video)) as source:
        for item in source:
            if not isinstance(item, Sound | Gap):
                pictures += 1
                found += bool(detector.read([item.luma()])[0])
    return found, pictures


def _evaluation(out: Path) -> Claim:
    """Write the evaluation card of the test policy on a few minutes of the scene, with and without the card."""
    sensors = load_sensors(packs.policy("test"), packs.calibration)
    benign = [(_scene(minute * 60.0, 60.0, 4.0, None), Marked()) for minute in range(2)]
    marked = [(_scene(0.0, 14.0, 8.0, (4.0 + n / 10, 8.0)), Marked(((4.0 + n / 10, 8.0),))) for n in range(3)]
    card = evaluate(sensors, [*benign, *marked])
    (out / "evaluation.md").write_text(card.to_markdown(), encoding="utf-8")
    (out / "evaluation.json").write_text(json.dumps(card.to_json(), indent=1) + "\n", encoding="utf-8")
    card.draw(out / "evaluation.png")
    false = sum(result.false for result in card.rungs)
    left = f"{card.sensitive_left_s:.1f} of {card.sensitive_s:.1f} s left"
    seen = f"{false} false in {card.benign_hours * 60:.0f} min, {left}"
    return (
        "the evaluation card is written: no false interruption, nothing sensitive left",
        false == 0 and card.sensitive_left_s == 0.0,
        seen,
    )


def _scene(
    from_s: float, seconds: float, fps: float, card_s: tuple[float, float] | None
) -> Iterator[ArrayPicture]:
    for number in range(int(seconds * fps)):
        at_s = number / fps
        held = card_s is not None and card_s[0] <= at_s < card_s[1]
        yield ArrayPicture(at_s, scene(from_s + at_s, held))


def _ledger_claim(log: Path) -> Claim:
    verdict = verify_file(log, load_public_key(log.with_suffix(".pub")))
    return ("the log verifies from the file and the public key alone", verdict.ok, f"{verdict.size} entries")
