"""Pictures of every kind as plain colours on paper: opened with a limit, turned, scaled.

Files keep pixels in a dozen ways: with a palette, transparency, inks, one bit or sixteen, on
their side with a note which way is up. Whoever looks at pixels gets them as 8-bit RGB.
"""

import warnings
from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING, Any

from alexandria.errors import CorruptFileError, FileTooLargeError

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

MAX_PIXELS = 100_000_000
"""An A3 page at 600 dpi has 70 million. Beyond it a file is refused before it is unpacked."""

_DEEP = frozenset({"I", "F", "I;16", "I;16L", "I;16B", "I;16N"})
_BRIGHT = 160
_REDUCING_GAP = 2.0
"""How much larger than asked for a picture stays until its last step, which is smoother."""
_BAND = 1 << 20
_TILE_WIDTH, _TILE_LENGTH = 322, 323


def open_picture(content: bytes) -> "Picture":
    """The picture in a file, its pixels not read yet.

    Raises:
        CorruptFileError: It is no picture, or its first bytes are damaged.
        FileTooLargeError: It has more than `MAX_PIXELS`.
    """
    from PIL import Image as Pillow

    try:
        with warnings.catch_warnings(action="ignore", category=Pillow.DecompressionBombWarning):
            picture = Pillow.open(BytesIO(content))
    except Pillow.DecompressionBombError as error:
        raise _too_large() from error
    except (OSError, ValueError, SyntaxError) as error:
        raise CorruptFileError(f"The picture does not open: {error}") from error
    check_size(picture)
    return picture


def check_size(picture: "Picture") -> None:
    """Refuse a picture, or the frame of one, that unpacks to too much.

    Raises:
        FileTooLargeError: It has more than `MAX_PIXELS`.
    """
    if unpacked_pixels(picture) > MAX_PIXELS:
        raise _too_large()


def unpacked_pixels(picture: "Picture") -> int:
    """Pixels that are in memory while a picture is read, by what its header says.

    A TIFF is unpacked by the tile, and a tile may be larger than the picture it lies in.
    """
    tags: Any = getattr(picture, "tag_v2", {})
    width, length = tags.get(_TILE_WIDTH, 0), tags.get(_TILE_LENGTH, 0)
    tile = width * length if isinstance(width, int) and isinstance(length, int) else 0
    return max(picture.width * picture.height, tile)


def to_rgb(picture: "Picture", longest: int) -> tuple["Picture", float]:
    """The picture upright in 8-bit RGB, and by what its sides were scaled.

    Transparent parts become paper: white, or black under bright drawing.

    Args:
        picture: Of any mode; it is not changed.
        longest: Sides above it, in pixels, are scaled down to it.
    """
    from PIL import Image as Pillow
    from PIL import ImageOps

    picture = ImageOps.exif_transpose(picture)
    picture = in_shades(picture)
    if picture.has_transparency_data:
        picture = _on_paper(picture)
    scale = min(1.0, longest / max(picture.size))
    if picture.mode not in {"L", "RGB"}:
        picture = picture.convert("RGB")
    if scale < 1:
        size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        picture = picture.resize(size, Pillow.Resampling.BOX, reducing_gap=2.0)
    return picture.convert("RGB"), scale


def in_shades(picture: "Picture") -> "Picture":
    """Black and white, and greys of more than 8 bits, in 8-bit greys; any other as it is.

    Deep greys reach from the darkest to the brightest that occurs.
    """
    if picture.mode == "1":
        return picture.convert("L")
    return _stretched(picture, _depth(picture)) if picture.mode in _DEEP else picture


def reduced(picture: "Picture", longest: int) -> "Picture":
    """The picture in 8-bit RGBA, shrunk as far as can be done without a copy in full size.

    Args:
        picture: Of any mode; it is not changed.
        longest: Its longer side stays at least twice that, or as it is.
    """
    from PIL import Image as Pillow

    scale = min(1.0, longest / max(picture.size))
    across, down = (
        max(1, int(side / max(1, round(side * scale)) / _REDUCING_GAP)) for side in picture.size
    )
    if across == down == 1:
        return in_shades(picture).convert("RGBA")
    depth = _depth(picture) if picture.mode in _DEEP else (0.0, 0.0)
    size = (-(-picture.width // across), -(-picture.height // down))
    small = Pillow.new("RGBA", size)
    for top, band in _bands(picture, down):
        plain = _stretched(band, depth) if band.mode in _DEEP else in_shades(band)
        small.paste(plain.convert("RGBA").reduce((across, down)), (0, top // down))
    small.info = {"exif": picture.info["exif"]} if "exif" in picture.info else {}
    return small


def _bands(picture: "Picture", step: int = 1) -> Iterator[tuple[int, "Picture"]]:
    """Parts of the picture over its whole width, each with its top, a multiple of `step`."""
    rows = step * max(1, _BAND // (picture.width * step))
    for top in range(0, picture.height, rows):
        yield top, picture.crop((0, top, picture.width, min(top + rows, picture.height)))


def _depth(picture: "Picture") -> tuple[float, float]:
    """The darkest and the brightest value of a picture with deep greys."""
    import numpy as np

    lows, highs = list[float](), list[float]()
    for _, band in _bands(picture):
        values = np.nan_to_num(np.asarray(band, dtype=np.float32))
        lows.append(float(values.min()))
        highs.append(float(values.max()))
    return min(lows), max(highs)


def _stretched(picture: "Picture", depth: tuple[float, float]) -> "Picture":
    """Deep greys in 8-bit greys, from the darkest to the brightest of the depth."""
    import numpy as np
    from PIL import Image as Pillow

    low, high = depth
    values = np.nan_to_num(np.asarray(picture, dtype=np.float32))
    values -= low
    values *= 255 / max(high - low, 1.0)
    return Pillow.fromarray(values.astype(np.uint8))


def _on_paper(picture: "Picture") -> "Picture":
    from PIL import Image as Pillow
    from PIL import ImageStat

    drawn = picture.convert("RGBA")
    seen = drawn.getchannel("A").point([0] * 128 + [255] * 128)
    shades = ImageStat.Stat(drawn.convert("L"), mask=seen)
    is_bright = shades.count[0] and shades.mean[0] > _BRIGHT
    covers_all = shades.count[0] > 0.9 * picture.width * picture.height
    paper = Pillow.new("RGBA", drawn.size, "black" if is_bright and not covers_all else "white")
    paper.alpha_composite(drawn)
    return paper.convert("RGB")


def _too_large() -> FileTooLargeError:
    return FileTooLargeError(
        "The picture unpacks to more than 100 million pixels.",
        advice="Save it at a lower resolution and re-add it.",
    )
