"""What the corpus takes and gives, as plain data. Knows nothing of how it is stored."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Provenance:
    """How an image came in from the web; nothing of it is known of files."""

    fetched_at: float = 0.0  # seconds since 1970, 0 where it is not known
    content_type: str = ""  # the headers of the answer, as they were written
    etag: str = ""
    last_modified: str = ""
    robots: str = ""  # what robots.txt said
    licence: str = ""  # a link, where the page or the sitemap states one


NOT_KNOWN = Provenance()


@dataclass(frozen=True)
class Source:
    """A place where an image was found."""

    url: str
    page_url: str = ""
    alt: str = ""
    provenance: Provenance = NOT_KNOWN
    gone_at: float = 0.0  # when a refresh found that the image is no longer there, or is another; 0: it is there


@dataclass(frozen=True)
class NewImage:
    """An image to append."""

    digest: str  # sha256 of the original bytes, hex
    thumbnail: NDArray[np.uint8]  # (32, 32, 3)
    preview: bytes | None  # JPEG
    width: int
    height: int
    n_bytes: int
    url: str
    page_url: str = ""
    alt: str = ""
    label: str = ""
    provenance: Provenance = NOT_KNOWN
    perceptual_hash: int | None = None  # 64 bits, of `corpus.near_duplicates`
    near_duplicate_of: int | None = None  # the row of an earlier image that shows the same


@dataclass(frozen=True)
class Entry:
    """One image's metadata; url, page_url, alt and provenance are of the first place where it still is."""

    row: int
    digest: str
    url: str
    page_url: str
    alt: str
    label: str
    width: int
    height: int
    n_bytes: int
    preview_bytes: int
    added_at: float
    removed: bool
    provenance: Provenance = NOT_KNOWN
    near_duplicate_of: int | None = None  # the row of an earlier image that shows the same, recompressed or resized
    erased: bool = False  # removed, and nothing of it is left


@dataclass(frozen=True)
class CorpusCounts:
    """How much there is: rows = images + removed."""

    rows: int
    images: int
    removed: int
    preview_bytes: int
    bytes_on_disk: int
    near_duplicates: int = 0  # of the images
