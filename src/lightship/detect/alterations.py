"""Alterations that known pictures go through on their way: each by its strength, for the robustness report."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np

from lightship.core.values import Rgb

Alter = Callable[[Rgb, float], Rgb]


@dataclass(frozen=True, slots=True)
class Alteration:
    """One kind of alteration.

    Parameters
    ----------
    name
        In plain words.
    strengths
        From weak to strong.
    unit
        What a strength is in.
    apply
        ``(picture, strength) -> picture``, both ``(H, W, 3) uint8 RGB``.
    """

    name: str
    strengths: tuple[float, ...]
    unit: str
    apply: Alter


def _jpeg(picture: Rgb, quality: float) -> Rgb:
    _, data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(quality)])
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert decoded is not None
    return _rgb(decoded[..., ::-1])


def _h264(picture: Rgb, factor: float) -> Rgb:
    """Return the picture as the fifth frame of a clip of itself that pans by a pixel a frame."""
    import av

    even = np.ascontiguousarray(picture[: picture.shape[0] // 2 * 2, : picture.shape[1] // 2 * 2])
    held = io.BytesIO()
    with av.open(held, "w", format="mp4") as container:
        video = container.add_stream(
            "libx264", rate=25, options={"crf": str(int(factor)), "preset": "veryfast"}
        )
        video.width, video.height, video.pix_fmt = even.shape[1], even.shape[0], "yuv420p"
        video.codec_context.thread_count = 1
        for number in range(5):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(np.roll(even, 4 - number, axis=1)))
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
    held.seek(0)
    with av.open(held, "r") as coded:
        *_, last = coded.decode(video=0)
    return _rgb(last.to_ndarray(format="rgb24"))


def _scale(picture: Rgb, share: float) -> Rgb:
    size = (max(1, round(picture.shape[1] * share)), max(1, round(picture.shape[0] * share)))
    return _rgb(cv2.resize(picture, size, interpolation=cv2.INTER_AREA if share < 1 else cv2.INTER_CUBIC))


def _stretch(picture: Rgb, share: float) -> Rgb:
    size = (round(picture.shape[1] * (1 + share / 100)), picture.shape[0])
    return _rgb(cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR))


def _crop(picture: Rgb, percent: float) -> Rgb:
    top, left = (round(size * percent / 200) for size in picture.shape[:2])
    return _rgb(picture[top : picture.shape[0] - top, left : picture.shape[1] - left])


def _one_sided(picture: Rgb, percent: float) -> Rgb:
    return _rgb(picture[:, round(picture.shape[1] * percent / 100) :])


def _border(picture: Rgb, percent: float) -> Rgb:
    down, across = (round(size * percent / 100) for size in picture.shape[:2])
    return _rgb(
        cv2.copyMakeBorder(picture, down, down, across, across, cv2.BORDER_CONSTANT, value=(255, 255, 255))
    )


def _letterbox(picture: Rgb, percent: float) -> Rgb:
    down = round(picture.shape[0] * percent / 100)
    boxed = cv2.copyMakeBorder(picture, down, down, 0, 0, cv2.BORDER_CONSTANT, value=(0, 0, 0))
    return _jpeg(_rgb(boxed), 60)


def _pillarbox(picture: Rgb, percent: float) -> Rgb:
    across = round(picture.shape[1] * percent / 100)
    boxed = cv2.copyMakeBorder(picture, 0, 0, across, across, cv2.BORDER_CONSTANT, value=(0, 0, 0))
    return _jpeg(_rgb(boxed), 60)


def _blurred_bars(picture: Rgb, percent: float) -> Rgb:
    """Return the picture over a blurred copy of itself that fills the bars, as phone videos are shown."""
    down = round(picture.shape[0] * percent / 100)
    height, width = picture.shape[0] + 2 * down, picture.shape[1]
    filled = cv2.GaussianBlur(cv2.resize(picture, (width, height)), (0, 0), max(1.0, height / 40))
    filled[down : down + picture.shape[0]] = picture
    return _rgb(filled)


def _logo(picture: Rgb, percent: float) -> Rgb:
    """Return the picture with a white sign on black in its corner, of so many percent of the shorter side."""
    side = round(min(picture.shape[:2]) * percent / 100)
    marked = picture.copy()
    top, left = picture.shape[0] - side - 8, picture.shape[1] - side - 8
    marked[max(0, top) : max(0, top) + side, max(0, left) : max(0, left) + side] = 0
    cv2.circle(
        marked,
        (max(0, left) + side // 2, max(0, top) + side // 2),
        max(1, side * 2 // 5),
        (255, 255, 255),
        -1,
    )
    return marked


def _lettering(picture: Rgb, lines: float) -> Rgb:
    marked = picture.copy()
    size = picture.shape[0] / 400
    for number in range(int(lines)):
        place = (round(10 * size), round(picture.shape[0] - (20 + 34 * number) * size))
        for colour, width in (((0, 0, 0), 6), ((255, 255, 255), 2)):
            cv2.putText(
                marked,
                "recorded live, 2026-11-24",
                place,
                cv2.FONT_HERSHEY_SIMPLEX,
                size,
                colour,
                round(max(1, width * size)),
            )
    return marked


def _inset(picture: Rgb, percent: float) -> Rgb:
    """Return the picture within a screen of moving stripes, its sides so many percent of the screen's."""
    height, width = picture.shape[:2]
    y, x = np.mgrid[0:height, 0:width]
    screen = np.stack([(x * 3 + y) % 256, (y * 2) % 256, (x + y * 5) % 256], axis=-1).astype(np.uint8)
    small = _scale(picture, percent / 100)
    top, left = (height - small.shape[0]) // 2, (width - small.shape[1]) // 2
    screen[top : top + small.shape[0], left : left + small.shape[1]] = small
    return _rgb(screen)


def _mirror(picture: Rgb, _: float) -> Rgb:
    return _rgb(picture[:, ::-1])


def _quarters(picture: Rgb, degrees: float) -> Rgb:
    return _rgb(np.rot90(picture, round(degrees / 90)))


def _tilt(picture: Rgb, degrees: float) -> Rgb:
    height, width = picture.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    return _rgb(cv2.warpAffine(picture, turn, (width, height), borderMode=cv2.BORDER_CONSTANT))


def _gamma(picture: Rgb, exponent: float) -> Rgb:
    table = (255 * (np.arange(256) / 255) ** exponent).round().astype(np.uint8)
    return _rgb(table[picture])


def _brighten(picture: Rgb, steps: float) -> Rgb:
    return _rgb((picture.astype(np.float32) + steps).clip(0, 255))


def _contrast(picture: Rgb, factor: float) -> Rgb:
    return _rgb(((picture.astype(np.float32) - 128) * factor + 128).clip(0, 255))


def _hue(picture: Rgb, degrees: float) -> Rgb:
    turned = cv2.cvtColor(picture, cv2.COLOR_RGB2HSV)
    turned[..., 0] = (turned[..., 0].astype(int) + round(degrees / 2)) % 180
    return _rgb(cv2.cvtColor(turned, cv2.COLOR_HSV2RGB))


def _grey(picture: Rgb, _: float) -> Rgb:
    return _rgb(cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB))


def _blur(picture: Rgb, sigma_px: float) -> Rgb:
    return _rgb(cv2.GaussianBlur(picture, (0, 0), sigma_px * min(picture.shape[:2]) / 512))


def _noise(picture: Rgb, sigma: float) -> Rgb:
    grains = np.random.default_rng(5).normal(0, sigma, picture.shape)
    return _rgb((picture + grains).clip(0, 255))


def _rgb(picture: np.ndarray) -> Rgb:
    return np.ascontiguousarray(picture, dtype=np.uint8)


ALTERATIONS = (
    Alteration("JPEG", (90, 70, 50, 30, 20, 10, 5), "quality", _jpeg),
    Alteration("H.264", (18, 23, 28, 33, 38, 43, 48), "CRF", _h264),
    Alteration("scale", (2.0, 0.75, 0.5, 0.25, 0.125), "times", _scale),
    Alteration("stretched wider", (5, 10, 20, 33), "%", _stretch),
    Alteration("blur", (0.5, 1, 2, 4, 8), "px of 512", _blur),
    Alteration("noise", (5, 10, 20, 40, 80), "of 255", _noise),
    Alteration("gamma", (0.4, 0.6, 0.8, 1.25, 1.6, 2.5), "exponent", _gamma),
    Alteration("brightness", (-80, -40, 40, 80), "of 255", _brighten),
    Alteration("contrast", (0.3, 0.6, 1.5, 2.5), "times", _contrast),
    Alteration("hue", (30, 90, 180), "°", _hue),
    Alteration("grey", (1,), "", _grey),
    Alteration("logo", (5, 10, 15, 20, 30), "% of a side", _logo),
    Alteration("lettering", (1, 2, 3, 5), "lines", _lettering),
    Alteration("crop all round", (1, 2, 4, 6, 10, 20), "%", _crop),
    Alteration("crop at one side", (1, 2, 4, 6, 10), "%", _one_sided),
    Alteration("tilt", (0.5, 1, 2, 3, 5), "°", _tilt),
    Alteration("quarter turns", (90, 180, 270), "°", _quarters),
    Alteration("mirror", (1,), "", _mirror),
    Alteration("white border", (1, 2, 4, 8, 16), "% a side", _border),
    Alteration("letterbox", (2, 6, 12, 25, 40), "% above and below", _letterbox),
    Alteration("pillarbox", (2, 6, 12, 25, 40), "% at each side", _pillarbox),
    Alteration("blurred bars", (6, 12, 25), "% above and below", _blurred_bars),
    Alteration("picture in picture", (95, 90, 75, 50), "% of a side", _inset),
)
"""All that the report goes through."""
