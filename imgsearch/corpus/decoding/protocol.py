"""Messages to a decoding worker and its answers, as bytes.

Structs, not pickles: a worker decodes untrusted bytes, so its answers are not trusted either. Numbers are in network
byte order.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from imgsearch.corpus.decoding.images import FORMATS, SIDE, DecodedImage, ImageLimits
from imgsearch.corpus.reasons import ImageRefused, ReasonCode

FRAME = struct.Struct("!Q")  # before each message: its length in bytes
MOST_REASON_BYTES = 2_000

_REQUEST = struct.Struct("!QQIIBI")  # the four limits, with_previews, number of images; then each one's length
_ANSWER = struct.Struct("!BIIBI")  # decoded?, width, height, index into FORMATS, length of the payload
_THUMBNAIL_BYTES = SIDE * SIDE * 3


class BadAnswerError(ValueError):
    """The answer of a worker is malformed: what it decoded has corrupted it."""


@dataclass(frozen=True)
class Request:
    """Images to decode with the same options."""

    encoded: Sequence[bytes]
    limits: ImageLimits
    with_previews: bool

    def to_bytes(self) -> bytes:
        limits = self.limits
        head = _REQUEST.pack(
            limits.max_bytes,
            limits.max_pixels,
            limits.preview_side,
            limits.max_preview_bytes,
            self.with_previews,
            len(self.encoded),
        )
        return b"".join([head, struct.pack(f"!{len(self.encoded)}I", *map(len, self.encoded)), *self.encoded])

    @classmethod
    def from_bytes(cls, message: bytes) -> "Request":
        *limits, with_previews, n = _REQUEST.unpack_from(message)
        place = _REQUEST.size + 4 * n
        encoded = []
        for length in struct.unpack_from(f"!{n}I", message, _REQUEST.size):
            encoded.append(message[place : place + length])
            place += length
        return cls(encoded, ImageLimits(*limits), bool(with_previews))

    def most_answer_bytes(self) -> int:
        """Return an upper bound of the length of the answer."""
        return len(self.encoded) * (
            _ANSWER.size + max(_THUMBNAIL_BYTES + self.limits.max_preview_bytes, MOST_REASON_BYTES)
        )


def answer_to_bytes(results: Sequence[DecodedImage | ImageRefused]) -> bytes:
    """Encode one result for each image of a request, in their order."""
    parts: list[bytes] = []
    for result in results:
        if isinstance(result, DecodedImage):
            payload = result.thumbnail.tobytes() + (result.preview or b"")
            parts += (
                _ANSWER.pack(1, result.width, result.height, FORMATS.index(result.format), len(payload)),
                payload,
            )
        else:
            reason = f"{result.reason.code} {result.reason.detail}".encode(errors="replace")[:MOST_REASON_BYTES]
            parts += _ANSWER.pack(0, 0, 0, 0, len(reason)), reason
    return b"".join(parts)


def answer_from_bytes(message: bytes, request: Request) -> list[DecodedImage | ImageRefused]:
    """Decode the results; each thumbnail is a view of `message`.

    Raises:
        BadAnswerError: the message is not an answer to `request`.
    """
    results: list[DecodedImage | ImageRefused] = []
    place = 0
    try:
        for _ in request.encoded:
            is_decoded, width, height, file_format, length = _ANSWER.unpack_from(message, place)
            place += _ANSWER.size
            end = place + length
            if end > len(message):
                raise BadAnswerError("it ends too early")
            if is_decoded:
                preview = message[place + _THUMBNAIL_BYTES : end]
                if width < 1 or height < 1 or len(preview) > request.limits.max_preview_bytes:
                    raise BadAnswerError("sizes that no image has")
                thumbnail = np.frombuffer(message, np.uint8, _THUMBNAIL_BYTES, place).reshape(SIDE, SIDE, 3)
                results.append(DecodedImage(thumbnail, preview or None, width, height, FORMATS[file_format]))
            else:
                code, _, detail = message[place:end].decode(errors="replace").partition(" ")
                results.append(ImageRefused(ReasonCode(code), detail))
            place = end
    except (struct.error, ValueError, IndexError) as error:
        raise BadAnswerError(str(error)) from error
    if place != len(message):
        raise BadAnswerError("it goes on after its end")
    return results
