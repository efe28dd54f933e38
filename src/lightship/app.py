"""The only place that wires ports to what a deployment brings."""

from __future__ import annotations

import json
import math
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

from lightship import packs, settings
from lightship.core.errors import InputError, SinkError
from lightship.core.known import DIGEST_BYTES, Entry
from lightship.core.ports import Picture
from lightship.core.values import Rgb
from lightship.core.weight import Calibration
from lightship.detect import registry
from lightship.detect.calibrate import calibrate, files
from lightship.detect.explain_picture import draw, require_benign
from lightship.detect.look_up import Seen, digests, look_up_file, look_up_pictures, quickest
from lightship.detect.loop import load_sensors
from lightship.detect.matcher import Matcher
from lightship.detect.pdq import pdq
from lightship.detect.robustness import measure, pictures_in
from lightship.detect.robustness_report import write as write_robustness
from lightship.detect.sequence import GAP_S, Look, Segment, Stream, finish, step
from lightship.exchange.hash_lists import words
from lightship.guard.evaluate import evaluate
from lightship.guard.evaluation_card import EvaluationCard, Marked
from lightship.guard.guard import Guard, Outcome, Progress
from lightship.guard.trace import Trace
from lightship.infra.keys import load_or_create_key
from lightship.infra.ledger_file import LedgerFile
from lightship.media import stills
from lightship.media.frames import Gap, Sound
from lightship.media.sampler import Cadence
from lightship.media.sinks import open_sink
from lightship.media.sources import Reconnect, Source, open_source


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

    Raises
    ------
    LightshipError
        Whatever was wrong with the policy, a detector, the source, the sink or the log.
    """
    guard = Guard(policy, options=options)
    with open_log(log) as ledger:
        guard = Guard(guard.policy, ledger=ledger, sensors=guard.sensors)
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


@dataclass(frozen=True, slots=True)
class Opened:
    """A medium that is to be looked at.

    Parameters
    ----------
    pictures
        In order.
    each
        Whether every picture counts, as in a still or an animation, and not only some a second.
    stop
        Ends a live one soon.
    """

    pictures: Iterator[Picture]
    each: bool
    stop: Callable[[], None] | None = None


@contextmanager
def open_pictures(
    source: str, say: Callable[[str], None], reconnect: Reconnect | None = None
) -> Iterator[Opened]:
    """Open a still picture, an animation, a video or a stream; its gaps are said.

    Raises
    ------
    LightshipError
        If the source cannot be opened or is lost.
    """
    path = Path(source)
    form = stills.kind(path) if path.is_file() else ""
    if form and form != "animation":
        yield Opened(stills.open_still(path, form), each=True)
        return

    def pictures(medium: Source) -> Iterator[Picture]:
        for item in medium:
            if isinstance(item, Gap):
                say(f"{medium.info.name}, {item.from_s:.1f} to {item.to_s:.1f} s: {item.reason}")
            elif not isinstance(item, Sound):
                yield item

    with open_source(source, reconnect=reconnect or Reconnect()) as medium:
        stop = medium.stop if medium.info.live else None
        yield Opened(pictures(medium), each=form == "animation", stop=stop)


def match(
    source: str,
    matcher: Matcher,
    *,
    fps: float,
    turned: bool,
    say: Callable[[str], None] = lambda _: None,
    reconnect: Reconnect | None = None,
) -> Iterator[Seen | Segment]:
    """Yield what the lists say of a file or a stream as it is read, and the segments found in it as they end.

    On Ctrl-C a live stream is over: what was found is yielded before the interruption is raised.

    Parameters
    ----------
    fps, turned
        As for :func:`lightship.detect.look_up.look_up_pictures`.
    say
        Told of gaps.

    Raises
    ------
    LightshipError
        If the source cannot be opened or is lost.
    """
    path = Path(source)
    if path.is_file():
        whole = look_up_file(matcher, path)
        if whole is not None:
            yield whole
    stream = Stream(gap_s=max(GAP_S, 4.0 / fps))
    with ExitStack() as stack:
        opened = stack.enter_context(open_pictures(source, say, reconnect))
        looks = math.inf if opened.each else fps
        asked = stack.enter_context(interruptible(opened.stop)) if opened.stop is not None else lambda: False
        for seen in look_up_pictures(matcher, opened.pictures, subject=source, fps=looks, turned=turned):
            yield seen
            assert seen.picture is not None
            stream, over = step(stream, Look(seen.at_s, seen.picture, seen.finding))
            yield from (one for one in over if one.looks > 1)  # of one look, the look itself was told
        interrupted = asked()
    yield from (one for one in finish(stream) if one.looks > 1)
    if interrupted:
        raise KeyboardInterrupt


def in_folders(sources: Sequence[str]) -> list[str]:
    """Return the sources, with the files in it, however deep, in place of each folder; hidden ones are left out.

    Raises
    ------
    InputError
        If a folder has no files.
    """
    found: list[str] = []
    for source in sources:
        folder = Path(source)
        if not folder.is_dir():
            found.append(source)
            continue
        paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        shown = [
            path for path in paths if not any(part.startswith(".") for part in path.relative_to(folder).parts)
        ]
        if not shown:
            raise InputError("The folder has no files in it.", source, "Check the path.")
        found += map(str, shown)
    return found


def hash_media(source: str, form: str, fps: float, say: Callable[[str], None]) -> Iterator[Entry]:
    """Yield the hashes of one's own file, to make a list of them.

    Parameters
    ----------
    form
        ``pdq``: of each picture, called by the file's name (with the second, in a video or animation). ``vpdq``: a
        video's frames, some a second. ``digests``: MD5, SHA-1 and SHA-256.

    Raises
    ------
    LightshipError
        If it cannot be read.
    """
    path = Path(source)
    if form == "digests":
        for kind, value in digests(path, tuple(DIGEST_BYTES)).items():
            yield Entry(kind, value, reference=words(path.name))
        return
    weigh = quickest()
    with open_pictures(source, say) as opened:
        cadence = Cadence(math.inf, math.inf) if opened.each else Cadence(fps, fps)
        for picture in opened.pictures:
            if not cadence.due(picture.at_s):
                continue
            hash_, quality = pdq(picture.luma(), weigh)
            value, at_s = hash_.astype(">u8").tobytes(), picture.at_s
            name = words(path.name)
            if form == "vpdq":
                yield Entry("pdq", value, quality, f"{name} at {at_s:.3f} s", name, at_s)
            else:
                yield Entry("pdq", value, quality, name if at_s == 0.0 else f"{name} at {at_s:.3f} s")


def drawer(pictures: Path, out: Path, lists: Sequence[Path]) -> Callable[[str, Seen], str]:
    """Return what draws a match beside the listed picture and says where; for benign test lists only.

    Parameters
    ----------
    pictures
        Folder with the listed pictures and videos, under the names that the lists refer to them by.
    out
        Folder for the drawings.

    Raises
    ------
    InputError
        If a list is not marked as a benign test list.
    """
    for path in lists:
        require_benign(path)

    def drawn(source: str, seen: Seen) -> str:
        hit = seen.finding.nearest
        assert hit is not None
        if hit.kind != "pdq" or not Path(source).is_file():
            return f"{source}: only matching pictures of files are drawn."
        named = hit.video or hit.reference
        beside = [path for path in sorted(pictures.glob("*")) if named in {path.name, path.stem}]
        if not beside:
            return f"{source}: {pictures} holds no picture called {named}."
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            what = f"The folder cannot be made: {error.strerror}."
            raise SinkError(what, str(out), "Name another with --out.") from error
        target = out / f"{Path(source).stem}-{seen.at_s:.1f}s.png"
        listed = _picture_at(str(beside[0]), hit.at_s if hit.video else 0.0)
        draw(_picture_at(source, seen.at_s).luma(), listed.luma(), seen.finding, target)
        return f"Drew {target}"

    return drawn


def _picture_at(source: str, at_s: float) -> Picture:
    """Return the first picture of a file that is not before a second."""
    found: Picture | None = None
    with open_pictures(source, lambda _: None) as opened:
        for found in opened.pictures:
            if found.at_s >= at_s - 1e-3:
                break
    assert found is not None
    return found


def robustness(folder: Path, out: Path, decoys: int, say: Callable[[str], None]) -> list[Path]:
    """Measure what alterations a match of a folder's pictures survives, and write the report; returns its files.

    Raises
    ------
    LightshipError
        If the folder has no picture that can be matched, or the report cannot be written.
    """

    def read(path: Path) -> Rgb | None:
        form = stills.kind(path)
        if form in {"", "animation"}:
            return None
        try:
            return next(iter(stills.open_still(path, form))).rgb()
        except InputError as error:
            say(f"Left out: {error}")
            return None

    return write_robustness(measure(pictures_in(folder, read), say, decoys=decoys), out)


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


def write_report(folder: Path, trace: Trace, outcome: Outcome) -> None:
    """Write the report of a run: JSON for machines, a picture for people."""
    folder.mkdir(parents=True, exist_ok=True)
    value = {**outcome.to_json(), **trace.to_json()}
    (folder / "report.json").write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
    trace.draw(folder / "timeline.png")
    trace.draw(folder / "timeline.svg")
