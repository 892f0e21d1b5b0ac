"""Decode untrusted images in worker processes, so that none can crash this process, exhaust its memory or block it.

A worker is started when it is first needed, and kept. If it dies, the images of its batch are decoded again, one by
one, and an image that kills a worker again is refused.
"""

import atexit
import os
import queue
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from imgsearch.corpus.decoding.images import DEFAULT_LIMITS, DecodedImage, ImageLimits, check_size
from imgsearch.corpus.decoding.protocol import FRAME, BadAnswerError, Request, answer_from_bytes
from imgsearch.corpus.decoding.worker import EXIT_MEMORY, READY
from imgsearch.corpus.reasons import ImageRefused, ReasonCode
from imgsearch.errors import DecoderError

WORKER = ("-m", "imgsearch.corpus.decoding.worker")

_START_SECONDS = 60.0  # for a cold disk and a busy machine; usually it takes 0.1
_MOST_BATCH_IMAGES, _MOST_BATCH_BYTES = 128, 4_000_000  # of one message to a worker
_LEAST_SHARED_BYTES = 100_000  # less is not worth a second worker


@dataclass(frozen=True)
class WorkerLimits:
    """Limits of decoding. 50 megapixels, the maximum of `ImageLimits`, take a tenth of each."""

    memory_bytes: int = 2_000_000_000  # address space beyond that of a new worker
    cpu_seconds: float = 15.0  # for one image
    wall_seconds: float = 60.0  # for one image, however busy the machine


class Decoders:
    """Worker processes that decode images, one per processor. Threads may share it."""

    def __init__(
        self,
        n_workers: int | None = None,
        *,
        limits: WorkerLimits | None = None,
        command: Sequence[str] = WORKER,
    ) -> None:
        self.n_workers = n_workers or _n_processors()
        self._limits = limits or WorkerLimits()
        self._workers = [_Worker(self._limits, command) for _ in range(self.n_workers)]
        self._threads = ThreadPoolExecutor(self.n_workers, thread_name_prefix="decoding")  # start when needed
        self._idle: queue.LifoQueue[_Worker] = queue.LifoQueue()  # last used, first used again
        for worker in reversed(self._workers):
            self._idle.put(worker)

    def images(
        self, encoded: Sequence[bytes], limits: ImageLimits = DEFAULT_LIMITS, *, with_previews: bool = True
    ) -> list[DecodedImage | ImageRefused]:
        """Decode on all processors; return one result per image, an ImageRefused if it cannot be decoded.

        Raises:
            DecoderError: no worker can be started.
        """
        batches = [Request(batch, limits, with_previews) for batch in _batches(encoded, self.n_workers)]
        if len(batches) < 2 or self.n_workers == 1:
            return list(chain.from_iterable(map(self._answers, batches)))
        return list(chain.from_iterable(self._threads.map(self._answers, batches)))

    def image(self, data: bytes, limits: ImageLimits = DEFAULT_LIMITS, *, with_preview: bool = True) -> DecodedImage:
        """Decode one image.

        Raises:
            ImageRefused: as `decode_image`, or decoding takes too much time or memory.
            DecoderError: no worker can be started.
        """
        (result,) = self.images([data], limits, with_previews=with_preview)
        if isinstance(result, ImageRefused):
            raise result
        return result

    def pids(self) -> list[int]:
        """Return the process ids of the running workers."""
        return [worker.pid for worker in self._workers if worker.pid is not None]

    def close(self) -> None:
        """End the workers; a later call of `images` starts new ones."""
        for worker in self._workers:
            worker.end()

    def _answers(self, request: Request) -> list[DecodedImage | ImageRefused]:
        worker = self._idle.get()
        try:
            return _answers(worker, request)
        finally:
            self._idle.put(worker)


_shared_lock = threading.Lock()
_shared: Decoders | None = None


def decoders() -> Decoders:
    """Return the workers that the whole process shares."""
    global _shared
    with _shared_lock:
        if _shared is None:
            _shared = Decoders()
            atexit.register(_shared.close)
        return _shared


def _n_processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _batches(encoded: Sequence[bytes], n_workers: int) -> list[list[bytes]]:
    """Split in order, into batches small enough to keep all workers busy; a large image is a batch of its own."""
    shares = 2 * n_workers if sum(map(len, encoded)) > _LEAST_SHARED_BYTES else 1
    most_images = max(1, min(_MOST_BATCH_IMAGES, -(-len(encoded) // shares)))
    batches: list[list[bytes]] = []
    n_bytes = 0
    for data in encoded:
        if not batches or len(batches[-1]) == most_images or n_bytes + len(data) > _MOST_BATCH_BYTES:
            batches.append([])
            n_bytes = 0
        batches[-1].append(data)
        n_bytes += len(data)
    return batches


def _answers(worker: "_Worker", request: Request) -> list[DecodedImage | ImageRefused]:
    if len(request.encoded) == 1:
        try:
            check_size(len(request.encoded[0]), request.limits)  # if it is too large, it need not be sent
            return worker.decode(request)
        except ImageRefused as refusal:
            return [refusal]
        except _WorkerDied as death:
            return [ImageRefused(death.code)]
    try:
        return worker.decode(request)
    except _WorkerDied:
        alone = (Request([data], request.limits, request.with_previews) for data in request.encoded)
        return list(chain.from_iterable(_answers(worker, one) for one in alone))


# ---------------------------------------------------------------------------------------------------------------------
# One worker


class _WorkerDied(Exception):  # noqa: N818 -- named for what happened, which becomes the refusal of an image
    """The worker died while decoding; the code is the reason to refuse the image."""

    def __init__(self, code: ReasonCode) -> None:
        super().__init__(code)
        self.code = code


class _Worker:
    """A process that is started on the first request, and again after it died."""

    def __init__(self, limits: WorkerLimits, command: Sequence[str]) -> None:
        self._limits = limits
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    def decode(self, request: Request) -> list[DecodedImage | ImageRefused]:
        """Return the results for `request`. _WorkerDied if it exceeds a limit; DecoderError if no worker starts."""
        process = self._running()
        message = request.to_bytes()
        until = time.monotonic() + self._limits.wall_seconds * len(request.encoded) + 1.0
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            _write(process.stdin.fileno(), FRAME.pack(len(message)) + message, until)
            (length,) = FRAME.unpack(_read(process.stdout.fileno(), FRAME.size, until))
            if length > request.most_answer_bytes():
                raise BadAnswerError("it is too long")
            return answer_from_bytes(_read(process.stdout.fileno(), length, until), request)
        except TimeoutError:
            self.end()
            raise _WorkerDied(ReasonCode.DECODING_TIME) from None
        except (EOFError, BrokenPipeError):
            raise _WorkerDied(_reason(self.end())) from None
        except BadAnswerError:
            self.end()
            raise _WorkerDied(ReasonCode.DECODER_CRASHED) from None
        except BaseException:  # also KeyboardInterrupt: the pending answer would be taken for that of the next request
            self.end()
            raise

    def end(self) -> int:
        """End the process, if there is one; return its exit status, 0 where there was none."""
        process, self._process = self._process, None
        if process is None:
            return 0
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        process.stdout.close()
        with suppress(subprocess.TimeoutExpired):
            return process.wait(0.5)  # dead already, or about to end with its input
        process.kill()
        return process.wait()

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is not None and self._process.poll() is not None:
            self.end()  # it was killed between two requests
        if self._process is None:
            self._process = self._started()
        return self._process

    def _started(self) -> "subprocess.Popen[bytes]":
        limits = (self._limits.memory_bytes, self._limits.cpu_seconds, self._limits.wall_seconds)
        try:
            process = subprocess.Popen(
                [sys.executable, "-P", *self._command, *map(str, limits)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
                env=_environment(),
                start_new_session=True,  # Ctrl-C and Ctrl-Z are for this process only
            )
        except OSError as error:
            raise DecoderError(f"the process that decodes images cannot be started: {error}.") from error
        self._process = process
        assert process.stdin is not None
        assert process.stdout is not None
        os.set_blocking(process.stdin.fileno(), False)
        os.set_blocking(process.stdout.fileno(), False)
        try:
            if _read(process.stdout.fileno(), len(READY), time.monotonic() + _START_SECONDS) == READY:
                return process
            problem = "its first answer is wrong"
        except TimeoutError:
            problem = f"it is not ready after {_START_SECONDS:.0f} seconds"
        except EOFError:
            problem = "it ended at once (see its output above)"
        except BaseException:
            self.end()
            raise
        status = self.end()
        raise DecoderError(f"the process that decodes images does not start: {problem}, exit status {status}.")


def _environment() -> dict[str, str]:
    """The environment of a worker: the module path of this process, and one thread, as there is one per processor."""
    path = os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path)
    return {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def _reason(status: int) -> ReasonCode:
    """The reason to refuse an image whose worker ended with this exit status (minus the signal number, if any)."""
    if status in (EXIT_MEMORY, -signal.SIGKILL):  # the kernel sends SIGKILL when the machine is out of memory
        return ReasonCode.DECODING_MEMORY
    if status in (-signal.SIGPROF, -signal.SIGALRM):
        return ReasonCode.DECODING_TIME
    return ReasonCode.DECODER_CRASHED


# ---------------------------------------------------------------------------------------------------------------------
# Pipes with a time limit


def _write(pipe: int, data: bytes, until: float) -> None:
    left = memoryview(data)
    while left:
        try:
            left = left[os.write(pipe, left) :]
        except BlockingIOError:
            _wait(pipe, select.POLLOUT, until)


def _read(pipe: int, length: int, until: float) -> bytes:
    data = bytearray(length)
    left = memoryview(data)
    while left:
        try:
            n = os.readv(pipe, [left])
        except BlockingIOError:
            _wait(pipe, select.POLLIN, until)
            continue
        if not n:
            raise EOFError
        left = left[n:]
    return bytes(data)


def _wait(pipe: int, event: int, until: float) -> None:
    poll = select.poll()
    poll.register(pipe, event)
    if not poll.poll(max(0.0, until - time.monotonic()) * 1000):
        raise TimeoutError
