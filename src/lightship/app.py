"""The only place that wires ports to what a deployment brings."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

from lightship import packs, settings
from lightship.core.errors import InputError, LedgerError, SinkError
from lightship.core.weight import Calibration
from lightship.detect import registry
from lightship.detect.calibrate import calibrate, files
from lightship.detect.loop import load_sensors
from lightship.guard.evaluate import evaluate
from lightship.guard.evaluation_card import EvaluationCard, Marked
from lightship.guard.guard import Guard, Outcome, Progress
from lightship.guard.trace import Trace
from lightship.infra.keys import load_or_create_key
from lightship.infra.ledger_file import LedgerFile, read_entries
from lightship.media.address import place
from lightship.media.sinks import open_sink
from lightship.media.sources import Reconnect, open_source


def default_log() -> Path:
    """Return where the guard's log lies unless another place is named."""
    return settings.state_folder() / "guard.ledger"


@contextmanager
def open_log(path: Path) -> Iterator[LedgerFile]:
    """Open the guard's log; its signing key and public key lie beside it.

    Raises
    ------
    LedgerError
        If it cannot be opened or does not continue what was signed before.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SinkError(
            f"The log's folder cannot be made: {error.strerror}.", str(path.parent), "Name another."
        ) from error
    with LedgerFile(path, load_or_create_key(path.with_suffix(".key"), "lightship-guard")) as log:
        yield log


@contextmanager
def interruptible(stop: Callable[[], None]) -> Iterator[Callable[[], bool]]:
    """Turn Ctrl-C and a polite kill into a question that the run asks, so that it ends in good order.

    Parameters
    ----------
    stop
        Called at the first one: the source may be waiting, and then nobody asks.
    """
    asked = threading.Event()

    def note(_signal: int, _frame: FrameType | None) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()
        stop()

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def protect(
    source: str,
    sink: str,
    policy: str,
    *,
    log: Path,
    live: bool = False,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    report: Path | None = None,
    progress: Progress | None = None,
    started: Callable[[Guard], None] = lambda _guard: None,
    reconnect: Reconnect | None = None,
    signed: Path | None = None,
    pack: str = "device",
    say: Callable[[str], None] = lambda _words: None,
) -> Outcome:
    """Protect a medium from a source to a sink, with a log and, if asked, a report.

    Parameters
    ----------
    live
        Play a file at its own speed, as if it were live.
    report
        Folder for ``report.json``, ``timeline.png`` and ``timeline.svg``.
    reconnect
        How long a lost network source is looked for, and a publisher is waited for.
    started
        Called with the guard before the first picture.
    signed
        A folder of signed packs: then the policy and all that belongs to it come from one of them, once it is
        verified, and a refusal is written into the log.
    pack
        Which of them.
    say
        Told what a person must know of the packs before the guard starts.

    Raises
    ------
    LightshipError
        Whatever was wrong with the policy, a detector, the source, the sink or the log.
    """
    _apart(source, sink)
    guard = Guard(policy, options=options) if signed is None else None
    with open_log(log) as ledger:
        if signed is not None:
            guard = _signed_guard(signed, pack, policy, options, ledger, say)
        assert guard is not None
        guard = Guard(guard.policy, ledger=ledger, sensors=guard.sensors, files=guard.files)
        started(guard)
        trace = Trace(guard.sensors.bound) if report is not None else None
        # Until the source is open, Ctrl-C ends the wait for it in the usual way.
        with open_source(source, realtime=live, reconnect=reconnect or Reconnect()) as medium:
            target = open_sink(sink, medium.info)
            try:
                with interruptible(medium.stop) as interrupted:
                    outcome = guard.run(
                        medium, target, trace=trace, progress=progress, interrupted=interrupted
                    )
            except BaseException:
                target.close(ok=False)
                raise
            # An interrupted recording of something live is whole as far as it goes; half a file is not.
            target.close(ok=outcome.reason != "interrupted" or medium.info.live)
    if trace is not None and report is not None:
        write_report(report, trace, outcome)
    return outcome


def _signed_guard(
    folder: Path,
    name: str,
    policy: str,
    options: Mapping[str, Mapping[str, Any]] | None,
    ledger: LedgerFile,
    say: Callable[[str], None],
) -> Guard:
    from lightship.app_packs import guard_by  # loads python-tuf

    return guard_by(folder, name, policy, options, ledger, say=say)


def _apart(source: str, sink: str) -> None:
    """Refuse a sink that would replace the file it is made from: what was covered could never be appealed."""
    where = place(source)
    try:
        same = where.kind == "file" and Path(sink).samefile(where.target)
    except OSError:  # one of them is no file, or not there
        same = False
    if same:
        raise InputError("The output would replace the source.", sink, "Name another file for it.")


def calibrate_files(
    footage: list[Path], out: Path, detector: str, label: str, fps: float, say: Callable[[str], None]
) -> Calibration:
    """Calibrate a detector on files and folders of benign video, and write the calibration.

    Raises
    ------
    LightshipError
        If a file is unreadable (it is named), there is none, or the calibration cannot be written.
    """
    calibration = calibrate(
        registry.load(detector),
        label,
        files(footage),
        sample_fps=fps,
        created=datetime.now(UTC).date().isoformat(),
        recipe=f"lightship calibrate --detector {detector} --label {label} --fps {fps:g}",
        progress=lambda stream: say(
            f"{stream.name}: {stream.seconds / 60:.1f} min, {len(stream.maxima)} blocks"
        ),
    )
    try:
        out.write_text(json.dumps(calibration.to_json(), separators=(",", ":")) + "\n", encoding="utf-8")
    except OSError as error:
        what = f"The calibration cannot be written: {error.strerror}."
        raise SinkError(what, str(out), "Name another place.") from error
    return calibration


def evaluate_files(
    policy: str,
    benign: list[Path],
    marked: list[Path],
    groups: Mapping[str, Path],
    out: Path,
    options: Mapping[str, Mapping[str, Any]],
    say: Callable[[str], None],
) -> EvaluationCard:
    """Evaluate a policy on files of benign video and on marked ones; writes the card as JSON, Markdown and a picture.

    Parameters
    ----------
    groups
        Folders of benign video that stands for a group of people or situations, by the group's name.

    Raises
    ------
    LightshipError
        If the policy is refused, or a file or its marks cannot be read.
    """
    sensors = load_sensors(packs.policy(policy), packs.calibration, options)
    streams = [(one.pictures, Marked()) for one in (files(benign) if benign else ())]
    streams += [(one.pictures, Marked(group=name)) for name, path in groups.items() for one in files([path])]
    streams += [(one.pictures, marks(path)) for path in marked for one in files([path])]

    def progress(so_far: EvaluationCard) -> None:
        say(f"{so_far.benign_streams + so_far.marked_streams} of {len(streams)} streams")

    card = evaluate(sensors, streams, progress)
    out.mkdir(parents=True, exist_ok=True)
    (out / "card.json").write_text(json.dumps(card.to_json(), indent=1) + "\n", encoding="utf-8")
    (out / "card.md").write_text(card.to_markdown(), encoding="utf-8")
    card.draw(out / "card.png")
    return card


def named_folders(texts: Sequence[str]) -> dict[str, Path]:
    """Read ``NAME=FOLDER`` texts.

    Raises
    ------
    InputError
        If one has no name, no folder, or a name comes twice.
    """
    found: dict[str, Path] = {}
    for text in texts:
        name, _, folder = text.partition("=")
        if not name.strip() or not folder or name.strip() in found:
            what = f"“{text}” does not name a group and its folder, or the group came before."
            raise InputError(what, "--group", "Write NAME=FOLDER, each name once.")
        found[name.strip()] = Path(folder)
    return found


def marks(path: Path) -> Marked:
    """Read a video's sensitive spans from the file beside it, ``NAME.marks.json``.

    Raises
    ------
    InputError
        If it is missing or holds something else than pairs of seconds.
    """
    beside = path.with_suffix(".marks.json")
    try:
        spans = json.loads(beside.read_text(encoding="utf-8"))
        return Marked(tuple((float(from_s), float(to_s)) for from_s, to_s in spans))
    except (OSError, ValueError, TypeError) as error:
        raise InputError(
            f"The marks cannot be read: {error}.", str(beside), "Write [[from_s, to_s], ...] in seconds."
        ) from error


def statistics(log: Path, epsilon: float) -> tuple[dict[str, dict[str, str]], str]:
    """Return what a person may share of each day in the guard's log, and what ``ε`` means for them.

    Raises
    ------
    InputError
        If ``ε`` is outside its range.
    LedgerError
        If the log or the device's secret cannot be read.
    """
    from lightship.core.randomised import ANSWERS, in_words
    from lightship.guard.statistics import QUESTIONS, per_day, shareable
    from lightship.infra.secret_file import secret_of

    words = in_words(epsilon / len(QUESTIONS), len(ANSWERS))
    days = per_day(read_entries(log))
    shared = shareable(days, epsilon, secret_of(settings.state_folder() / "statistics.key", LedgerError))
    return (
        shared,
        f"{words} The {len(QUESTIONS)} answers of a day together: ε = {epsilon:g}. Nothing was sent.",
    )


def write_report(folder: Path, trace: Trace, outcome: Outcome) -> None:
    """Write the report of a run: JSON for machines, a picture for people."""
    folder.mkdir(parents=True, exist_ok=True)
    value = {**outcome.to_json(), **trace.to_json()}
    (folder / "report.json").write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
    trace.draw(folder / "timeline.png")
    trace.draw(folder / "timeline.svg")
