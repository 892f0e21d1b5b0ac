"""A decoding worker that fails in a given way on images that begin with a given word.

Run by `Decoders(command=COMMAND)`; everything but the decoding of those images is the true worker's.
"""

import ctypes
import os
import signal
from pathlib import Path

from imgsearch.corpus.decoding import worker as decode_worker
from imgsearch.corpus.decoding.images import DecodedImage, ImageLimits, decode_image
from imgsearch.corpus.reasons import ImageRefused, ReasonCode

COMMAND = (str(Path(__file__).resolve()),)
CRASH, EXIT, SPIN, SLEEP, EAT, KILLED, BABBLE, ENDLESS = DEADLY = (
    b"crash",  # a segmentation fault
    b"exit",
    b"spin",  # uses the processor forever
    b"sleep",  # never ends and uses no processor
    b"eat",  # allocates memory until there is none left
    b"killed",  # as the kernel does where the machine has no memory left
    b"babble",  # sends an invalid answer
    b"endless",  # announces an endless answer
)


def decode(data: bytes, limits: ImageLimits, with_preview: bool) -> DecodedImage:
    if data.startswith(CRASH):
        ctypes.string_at(0)
    if data.startswith(EXIT):
        os._exit(0)
    while data.startswith(SPIN):
        pass
    while data.startswith(SLEEP):
        signal.pause()
    if data.startswith(EAT):
        try:
            bytearray(1 << 40)
        except MemoryError as error:
            raise ImageRefused(ReasonCode.DECODING_MEMORY) from error
    if data.startswith(KILLED):
        os.kill(os.getpid(), signal.SIGKILL)
    if data.startswith((BABBLE, ENDLESS)):
        _answer(b"\0" * 7 + b"\x05" + b"babble" if data.startswith(BABBLE) else b"\xff" * 8)
    return decode_image(data, limits=limits, with_preview=with_preview)


def _answer(words: bytes) -> None:
    os.write(answers, words)


if __name__ == "__main__":
    answers = os.dup(1)
    decode_worker.main(decode)
