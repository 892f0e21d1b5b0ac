"""Records of the corpus: images to append, entries, and the places where they were found."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Provenance:
    """HTTP metadata of the response that contained an image; empty for files."""

    fetched_at: float = 0.0  # seconds since 1970, 0 where unknown
    content_type: str = ""  # headers of the answer, as sent
    etag: str = ""
    last_modified: str = ""
    robots: str = ""  # the permission of robots.txt, as a phrase
    licence: str = ""  # a link, where the page or the sitemap states one


NOT_KNOWN = Provenance()


@dataclass(frozen=True)
class Source:
    """A place where an image was found."""

    url: str
    page_url: str = ""
    alt: str = ""
    provenance: Provenance = NOT_KNOWN
    gone_at: float = 0.0  # when a refresh found the image gone or replaced; 0: it is there


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
    near_duplicate_of: int | None = None  # the row of an earlier image of the same picture


@dataclass(frozen=True)
class Entry:
    """Metadata of one image; url, page_url, alt and provenance are of the first place where it still is."""

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
    near_duplicate_of: int | None = None  # the row of an earlier image of the same picture, recompressed or resized
    erased: bool = False  # removed, and its data is overwritten


@dataclass(frozen=True)
class CorpusCounts:
    """Size of the corpus: rows = images + removed."""

    rows: int
    images: int
    removed: int
    preview_bytes: int
    bytes_on_disk: int
    near_duplicates: int = 0  # of the images
