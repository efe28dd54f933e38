"""Still pictures of every awkward kind: the hash that the reference has of the picture as a person sees it, or an error.

The reference is `pdqhash` over Pillow's upright RGB.
"""

import struct
import zlib

import cv2
import numpy as np
import pdqhash
import pytest
from PIL import Image, ImageOps
from skimage import data

from lightship.core.errors import InputError
from lightship.detect.pdq import distance, pdq
from lightship.media import stills

RGB = data.astronaut()
GREY = data.camera()
FEW_BITS = 6


def reference(image):
    bits, quality = pdqhash.compute(np.ascontiguousarray(np.array(image.convert("RGB"))))
    return np.packbits(bits).view(">u8").astype(np.uint64), quality


def read(path):
    form = stills.kind(path)
    assert form
    assert form != "animation"
    return list(stills.open_still(path, form))


def alike(path, image):
    (picture,) = read(path)
    hash_, quality = pdq(picture.luma())
    expected, expected_quality = reference(image)
    assert distance(hash_, expected) <= FEW_BITS
    assert abs(quality - expected_quality) <= 1
    assert picture.rgb().shape == (picture.height, picture.width, 3)


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "bmp", "tif"])
def test_ordinary_pictures(tmp_path, suffix):
    path = tmp_path / f"x.{suffix}"
    Image.fromarray(RGB).save(path)
    alike(path, Image.open(path))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_the_camera_s_orientation_is_followed_mirroring_too(tmp_path, orientation, suffix):
    path, exif = tmp_path / f"x.{suffix}", Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(RGB[:, :400]).save(path, exif=exif, quality=95)
    alike(path, ImageOps.exif_transpose(Image.open(path)))


@pytest.mark.parametrize("form", ["CMYK", "L"])
def test_jpegs_of_other_colours(tmp_path, form):
    path = tmp_path / "x.jpg"
    Image.fromarray(RGB).convert(form).save(path, quality=95)
    alike(path, Image.open(path))


@pytest.mark.parametrize("form", ["LA", "RGBA", "P", "1", "L"])
def test_pngs_of_other_forms(tmp_path, form):
    image = Image.fromarray(RGB)
    if form in {"LA", "RGBA"}:
        image = image.convert("L" if form == "LA" else "RGB")
        image.putalpha(
            Image.fromarray(np.where(np.arange(512)[:, None] < 200, 0, 255).astype(np.uint8).repeat(512, 1))
        )
    else:
        image = image.convert(form)
    image.save(tmp_path / "x.png")
    alike(
        tmp_path / "x.png", image.convert("RGB")
    )  # what is transparent still has its colour, as the reference has it


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("picture", [GREY, RGB], ids=["grey", "colour"])
def test_sixteen_bits(tmp_path, suffix, picture):
    path = tmp_path / f"x.{suffix}"
    deep = picture.astype(np.uint16) * 257
    cv2.imwrite(str(path), deep if picture.ndim == 2 else deep[..., ::-1])
    alike(path, Image.fromarray(picture))  # Pillow itself clips 16-bit grey to white


def test_tiny_and_long_pictures_have_no_hash_or_the_reference_s(tmp_path):
    Image.fromarray(RGB[:1, :1]).save(tmp_path / "one.png")
    (one,) = read(tmp_path / "one.png")
    assert pdq(one.luma())[1] == 0
    noise = np.random.default_rng(0).integers(0, 255, (10, 30_000), np.uint8)
    Image.fromarray(noise).save(tmp_path / "long.png")
    alike(tmp_path / "long.png", Image.fromarray(noise))


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "bmp", "tif"])
@pytest.mark.parametrize("kept", [0.02, 0.5, 0.9])
def test_what_is_cut_short_is_an_error_and_never_half_a_picture(tmp_path, suffix, kept, capfd):
    path = tmp_path / f"x.{suffix}"
    Image.fromarray(RGB).save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: max(40, int(kept * len(whole)))])
    with pytest.raises(InputError, match="cut short"):
        read(path)
    assert capfd.readouterr().err == ""


def test_animated_webp_is_read_picture_by_picture_and_the_others_are_left_to_ffmpeg(tmp_path):
    frames = [Image.fromarray(one).resize((200, 160)) for one in (RGB, data.coffee(), data.chelsea())]
    for suffix in ("webp", "gif", "png"):
        frames[0].save(
            tmp_path / f"x.{suffix}", save_all=True, append_images=frames[1:], duration=400, lossless=True
        )
    found = read(tmp_path / "x.webp")
    assert [one.at_s for one in found] == pytest.approx([0.0, 0.4, 0.8])
    for picture, image in zip(found, frames, strict=True):
        assert distance(pdq(picture.luma())[0], reference(image)[0]) <= FEW_BITS
    assert stills.kind(tmp_path / "x.gif") == stills.kind(tmp_path / "x.png") == "animation"


def test_every_page_of_a_tiff(tmp_path):
    pages = [Image.fromarray(one) for one in (RGB, data.coffee())]
    pages[0].save(tmp_path / "x.tif", save_all=True, append_images=pages[1:])
    first, second = read(tmp_path / "x.tif")
    assert second.rgb().shape == data.coffee().shape
    assert distance(pdq(first.luma())[0], reference(pages[0])[0]) <= FEW_BITS


def png_head(width, height):
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunk = b"IHDR" + head
    return (
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk)) + b"IEND"
    )


BOMBS = {
    "png": png_head(60_000, 60_000),
    "gif": b"GIF89a" + struct.pack("<HH", 65_000, 65_000) + b"\0" * 20,
    "bmp": b"BM" + b"\0" * 12 + struct.pack("<Iii", 40, 30_000, -30_000) + b"\0" * 40,
    "jpeg": b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x11\x08"
    + struct.pack(">HH", 60_000, 60_000)
    + b"\0" * 20,
    "webp": b"RIFF\0\0\0\0WEBPVP8X\n\0\0\0\0\0\0\0" + b"\xff\xff\x00" * 2 + b"\0" * 20,
}


@pytest.mark.parametrize("form", BOMBS)
def test_a_file_that_asks_for_gigabytes_is_named_before_it_is_decoded(tmp_path, form):
    path = tmp_path / f"bomb.{form}"
    path.write_bytes(BOMBS[form])
    with pytest.raises(InputError, match=r"has \d+×\d+ pixels; more than 200 million") as caught:
        stills.kind(path)
    assert caught.value.where == path.name


def test_a_tiff_page_that_asks_for_gigabytes(tmp_path):
    Image.fromarray(RGB).save(tmp_path / "x.tif")
    whole = bytearray((tmp_path / "x.tif").read_bytes())
    (place,) = struct.unpack_from("<I", whole, 4)
    for at in range(place + 2, len(whole) - 12, 12):
        tag = struct.unpack_from("<H", whole, at)[0]
        if tag in {256, 257}:
            struct.pack_into("<HII", whole, at + 2, 4, 1, 50_000)
        if tag > 257:
            break
    (tmp_path / "x.tif").write_bytes(whole)
    with pytest.raises(InputError, match="50000×50000"):
        read(tmp_path / "x.tif")


def test_a_video_is_no_still(tmp_path):
    (tmp_path / "x.mp4").write_bytes(b"\0\0\0\x20ftypisom" + b"\0" * 100)
    assert stills.kind(tmp_path / "x.mp4") == ""
    with pytest.raises(InputError, match="cannot be read"):
        stills.kind(tmp_path / "missing.png")
