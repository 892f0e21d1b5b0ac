"""The kinds of query that a search takes, and the thumbnail of each."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imgsearch.corpus.decoding.images import SIDE, ImageLimits, decode_image, encode_png
from imgsearch.corpus.decoding.pool import decoders
from imgsearch.errors import ImageError

Query = bytes | str | Path | NDArray[np.uint8] | int


def query_row(query: Query) -> int | None:
    """Return the row of a query by row, None for an image."""
    return int(query) if isinstance(query, int | np.integer) else None


def query_name(query: Query) -> str:
    """Return the name of a query in its result: the path as given, "row:12", or "image" for bytes and arrays."""
    row = query_row(query)
    if row is not None:
        return f"row:{row}"
    return str(query) if isinstance(query, str | Path) else "image"


def image_thumbnail(query: bytes | str | Path | NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(32, 32, 3) thumbnail of an encoded image, a file, or an RGB uint8 array (h, w, 3).

    Raises:
        ImageError: no such file, or not an image.
    """
    if isinstance(query, np.ndarray):
        return _array_thumbnail(query)
    data = query if isinstance(query, bytes) else _read(Path(query))
    return decoders().image(data, with_preview=False).thumbnail


def _array_thumbnail(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise ImageError(f"an image array must be uint8 of shape (height, width, 3), not {image.dtype} {image.shape}.")
    if image.shape == (SIDE, SIDE, 3):
        return image
    return decode_image(encode_png(image), with_preview=False).thumbnail


def _read(path: Path) -> bytes:
    """Read a file, but at most one byte more than an image may have, so that a huge file is refused early."""
    try:
        with path.open("rb") as file:
            return file.read(ImageLimits().max_bytes + 1)
    except FileNotFoundError as error:
        raise ImageError(f"there is no file {path}.") from error
    except (OSError, ValueError) as error:  # ValueError: a path with a null character
        raise ImageError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}.") from error
