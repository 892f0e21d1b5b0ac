"""Reasons why an image was not kept: a code to compare and to count by, and the sentence that people read.

The detail of a reason holds values, never words to be matched. Where a sentence has several values, they stand in the
detail in its order, separated by blanks; only the last of them may contain blanks itself.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from imgsearch.errors import ImageError, IngestError


class ReasonCode(StrEnum):
    """Why an image was not kept. `crawler.reasons` stores what a crawl meets under the same values."""

    # Known images
    SAME_BYTES = "same_bytes"
    ALREADY_STORED = "already_stored"
    REMOVED_EARLIER = "removed_earlier"
    ERASED_EARLIER = "erased_earlier"
    ROW_REPLACED = "row_replaced"
    # Bytes
    EMPTY = "empty"
    TOO_LARGE = "too_large"
    NOT_AN_IMAGE = "not_an_image"
    UNSUPPORTED_FORMAT = "unsupported_format"
    UNREADABLE_HEADER = "unreadable_header"
    DAMAGED_IMAGE = "damaged_image"
    NO_PIXELS = "no_pixels"
    TOO_MANY_PIXELS = "too_many_pixels"
    DECODING_MEMORY = "decoding_memory"
    DECODING_TIME = "decoding_time"
    DECODER_CRASHED = "decoder_crashed"
    # Files
    ARCHIVE_INSIDE = "archive_inside"
    UNREADABLE_FILE = "unreadable_file"
    ENCRYPTED_FILE = "encrypted_file"
    DAMAGED_FILE = "damaged_file"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an image was not kept."""

    code: ReasonCode
    detail: str = ""  # the values of its sentence

    def __str__(self) -> str:
        return sentence(self)


# {} stands for a value of the detail.
_SENTENCES: dict[ReasonCode, str] = {
    ReasonCode.SAME_BYTES: "same bytes as row {}",
    ReasonCode.ALREADY_STORED: "already stored as row {}",
    ReasonCode.REMOVED_EARLIER: "removed earlier (row {})",
    ReasonCode.ERASED_EARLIER: "removed earlier (row {}); it was erased: nothing brings it back",
    ReasonCode.ROW_REPLACED: "row {} became row {}",
    ReasonCode.EMPTY: "empty: there are no bytes",
    ReasonCode.TOO_LARGE: "larger than {} MB: {} bytes",
    ReasonCode.NOT_AN_IMAGE: "not an image: {}",
    ReasonCode.UNSUPPORTED_FORMAT: "not an image that is taken: {}",
    ReasonCode.UNREADABLE_HEADER: "{} that cannot be read: its header is damaged or of a rare kind",
    ReasonCode.DAMAGED_IMAGE: "damaged image: {}",
    ReasonCode.NO_PIXELS: "no pixels: its width or height is zero",
    ReasonCode.TOO_MANY_PIXELS: "more than {} megapixels: {}",
    ReasonCode.DECODING_MEMORY: "decoding it took too much memory",
    ReasonCode.DECODING_TIME: "decoding it took too much time",
    ReasonCode.DECODER_CRASHED: "decoding it made the decoder crash",
    ReasonCode.ARCHIVE_INSIDE: "a zip archive inside a folder or archive: name it to have its images",
    ReasonCode.UNREADABLE_FILE: "cannot be read: {}",
    ReasonCode.ENCRYPTED_FILE: "encrypted in its archive: unpack it with its password first",
    ReasonCode.DAMAGED_FILE: "damaged in its archive: {}",
}
# Shorter, without the values that differ from image to image: images are counted by these.
_SUMMARIES: dict[ReasonCode, str] = {
    ReasonCode.SAME_BYTES: "same bytes as another row",
    ReasonCode.ALREADY_STORED: "already stored as another row",
    ReasonCode.REMOVED_EARLIER: "removed earlier",
    ReasonCode.ERASED_EARLIER: "removed earlier; it was erased: nothing brings it back",
    ReasonCode.EMPTY: "empty",
    ReasonCode.TOO_LARGE: "larger than {} MB",
    ReasonCode.NOT_AN_IMAGE: "not an image",
    ReasonCode.UNSUPPORTED_FORMAT: "not an image that is taken",
    ReasonCode.UNREADABLE_HEADER: "{} that cannot be read",
    ReasonCode.DAMAGED_IMAGE: "damaged image",
    ReasonCode.NO_PIXELS: "no pixels",
    ReasonCode.TOO_MANY_PIXELS: "more than {} megapixels",
    ReasonCode.ARCHIVE_INSIDE: "a zip archive inside a folder or archive",
    ReasonCode.UNREADABLE_FILE: "cannot be read",
    ReasonCode.ENCRYPTED_FILE: "encrypted in its archive",
    ReasonCode.DAMAGED_FILE: "damaged in its archive",
}


def sentence(reason: Reason) -> str:
    """Return what a reader should see, without a full stop."""
    values = _values(reason)
    return _SENTENCES[reason.code].format(*values) if all(values) else summary(reason)


def summary(reason: Reason) -> str:
    """Return the sentence without what differs from image to image."""
    return _SUMMARIES.get(reason.code, _SENTENCES[reason.code]).format(*_values(reason))


def _values(reason: Reason) -> list[str]:
    """The values of the sentence, empty ones where the detail has fewer."""
    n_values = _SENTENCES[reason.code].count("{}")
    values = reason.detail.split(" ", n_values - 1) if n_values else []
    return values + [""] * (n_values - len(values))


class ImageRefused(ImageError):  # noqa: N818 -- named for what happened to the image, as its callers read it
    """Bytes that are not an image we take."""

    def __init__(self, code: ReasonCode, detail: str = "") -> None:
        self.reason = Reason(code, detail)
        super().__init__(sentence(self.reason))

    @classmethod
    def for_reason(cls, reason: Reason) -> Self:
        return cls(reason.code, reason.detail)


class FileUnreadable(IngestError):  # noqa: N818 -- likewise
    """One file of a folder or archive cannot be read; the others can."""

    def __init__(self, code: ReasonCode, detail: str = "") -> None:
        self.reason = Reason(code, detail)
        super().__init__(sentence(self.reason))
