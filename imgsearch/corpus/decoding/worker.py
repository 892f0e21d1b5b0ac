"""The process that decodes untrusted images: requests on standard input, answers on standard output.

`pool` starts it as `python -m imgsearch.corpus.decoding.worker MEMORY_BYTES CPU_SECONDS WALL_SECONDS` and restarts it
after a crash: exceeding a limit kills the worker by design. It ends with its input, so that none is left behind when
the process that started it is gone.
"""

import os
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from imgsearch.corpus.decoding.images import DecodedImage, ImageLimits, decode_image, pillow_quiet
from imgsearch.corpus.decoding.protocol import FRAME, Request, answer_to_bytes
from imgsearch.corpus.reasons import ImageRefused

READY = b"imgsearch"  # written once, when everything is imported and the limits are set
EXIT_MEMORY = 81  # exit status: an image needed more memory than the limit

_MOST_OPEN_FILES = 64

Decode = Callable[[bytes, ImageLimits, bool], DecodedImage]


def main(decode: Decode | None = None) -> None:
    """Answer requests until standard input ends. Tests pass a `decode` that crashes."""
    memory_bytes, cpu_seconds, wall_seconds = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
    requests, answers = sys.stdin.buffer, _own_output()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent process
    for deadly in (signal.SIGPROF, signal.SIGALRM, signal.SIGXFSZ, signal.SIGPIPE):
        signal.signal(deadly, signal.SIG_DFL)
    _hold_limits(memory_bytes)
    answers.write(READY)
    answers.flush()
    with pillow_quiet():  # once for all images: per image it would cost a tenth of decoding a small one
        _answer_all(decode or _decode, requests, answers, cpu_seconds, wall_seconds)


def _answer_all(decode: Decode, requests: BinaryIO, answers: BinaryIO, cpu_seconds: float, wall_seconds: float) -> None:
    while head := requests.read(FRAME.size):
        request = Request.from_bytes(_read(requests, FRAME.unpack(head)[0]))
        results = [_decoded(decode, data, request, cpu_seconds, wall_seconds) for data in request.encoded]
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        answer = answer_to_bytes(results)
        answers.write(FRAME.pack(len(answer)))
        answers.write(answer)
        answers.flush()


def _decode(data: bytes, limits: ImageLimits, with_preview: bool) -> DecodedImage:
    return decode_image(data, limits=limits, with_preview=with_preview)


def _decoded(
    decode: Decode, data: bytes, request: Request, cpu_seconds: float, wall_seconds: float
) -> DecodedImage | ImageRefused:
    """Decode one image within its time; after that a signal ends the process, even inside C code."""
    signal.setitimer(signal.ITIMER_PROF, cpu_seconds)
    signal.setitimer(signal.ITIMER_REAL, wall_seconds)
    try:
        return decode(data, request.limits, request.with_previews)
    except ImageRefused as refusal:
        if isinstance(refusal.__cause__, MemoryError):
            # Earlier images may have used up the memory: the image is tried again in a new process.
            os._exit(EXIT_MEMORY)
        return refusal


def _own_output() -> BinaryIO:
    """Reserve standard output for answers; redirect what C libraries print to /dev/null."""
    answers = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)
    return answers


def _hold_limits(memory_bytes: int) -> None:
    """Set the limits: additional memory, no written files, no core dumps, few open files."""
    limits = {resource.RLIMIT_CORE: 0, resource.RLIMIT_FSIZE: 0, resource.RLIMIT_NOFILE: _MOST_OPEN_FILES}
    if sys.platform == "linux":  # other systems have no such limit
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limits[resource.RLIMIT_AS] = pages * resource.getpagesize() + memory_bytes
    for limit, wanted in limits.items():
        hard = resource.getrlimit(limit)[1]
        value = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(limit, (value, value))


def _read(requests: BinaryIO, length: int) -> bytes:
    message = requests.read(length)
    if len(message) < length:
        raise SystemExit(0)  # the parent process is gone
    return message


if __name__ == "__main__":
    main()
