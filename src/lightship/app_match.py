"""Wires the commands on known media: files, folders and streams in, what the lists say of them out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from lightship.app import interruptible
from lightship.core.errors import InputError, SinkError
from lightship.core.known import DIGEST_BYTES, Entry
from lightship.core.ports import Picture
from lightship.core.values import Rgb
from lightship.detect.explain_picture import draw, require_benign
from lightship.detect.look_up import Finder, Seen, digests, look_up_file, look_up_pictures, quickest
from lightship.detect.pdq import pdq
from lightship.detect.robustness import measure, pictures_in
from lightship.detect.robustness_report import write as write_robustness
from lightship.detect.sequence import GAP_S, Look, Segment, Stream, finish, step
from lightship.exchange.hash_lists import words
from lightship.media import stills
from lightship.media.address import place
from lightship.media.frames import Gap, Sound
from lightship.media.keyframes import Keyframes
from lightship.media.sampler import Cadence
from lightship.media.sources import Reconnect, Source, open_source


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
    source: str, say: Callable[[str], None], *, fps: float = math.inf, reconnect: Reconnect | None = None
) -> Iterator[Opened]:
    """Open a still picture, an animation, a video or a stream; its gaps are said.

    Of a live stream that is looked at once a second or less, only keyframes are decoded while they come often enough.

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

    if form == "animation" and stills.cut_short(path):
        say(f"{path.name}: it is cut short; its last picture may be half a picture")

    def pictures(medium: Source) -> Iterator[Picture]:
        for item in medium:
            if isinstance(item, Gap):
                say(f"{medium.info.name}, {item.from_s:.1f} to {item.to_s:.1f} s: {item.reason}")
            elif not isinstance(item, Sound):
                yield item

    sparse = Keyframes(every_s=1.0 / fps) if fps <= 1.0 and place(source).live else None
    with open_source(source, reconnect=reconnect or Reconnect(), keyframes=sparse) as medium:
        stop = medium.stop if medium.info.live else None
        yield Opened(pictures(medium), each=form == "animation", stop=stop)


def match(
    source: str,
    matcher: Finder,
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
        opened = stack.enter_context(open_pictures(source, say, fps=fps, reconnect=reconnect))
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


def remote_matcher(address: str, token_file: Path) -> Finder:
    """Return a matcher that is another machine's; it is asked with hashes only.

    Raises
    ------
    LightshipError
        If the token cannot be read, or the service cannot be reached or refuses.
    """
    try:
        from lightship.detect.remote import RemoteMatcher
        from lightship.exchange.matcher_client import MatcherClient, read_token
    except ImportError as error:
        what = f"Asking a matcher service needs a package that is not here: {error.name}."
        raise InputError(what, address, "Install lightship[service].") from error
    return RemoteMatcher(MatcherClient(address, read_token(token_file)))


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
