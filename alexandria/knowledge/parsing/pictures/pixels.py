"""Pictures of every kind as plain colours on paper: opened with a limit, turned, scaled.

Files keep pixels in a dozen ways: with a palette, transparency, inks, one bit or sixteen, on
their side with a note which way is up. Whoever looks at pixels gets them as 8-bit RGB.
"""

import warnings
from io import BytesIO
from typing import TYPE_CHECKING

from alexandria.errors import CorruptFileError, FileTooLargeError

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

MAX_PIXELS = 100_000_000
"""An A3 page at 600 dpi has 70 million. Beyond it a file is refused before it is unpacked."""

_DEEP = frozenset({"I", "F", "I;16", "I;16L", "I;16B", "I;16N"})
_BRIGHT = 160


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
    if picture.width * picture.height > MAX_PIXELS:
        raise _too_large()


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
    import numpy as np
    from PIL import Image as Pillow

    if picture.mode == "1":
        return picture.convert("L")
    if picture.mode not in _DEEP:
        return picture
    values = np.nan_to_num(np.asarray(picture, dtype=np.float32))
    low, high = float(values.min()), float(values.max())
    shades = (values - low) * (255 / max(high - low, 1.0))
    return Pillow.fromarray(shades.astype(np.uint8))


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
