"""Case 37 of tests/hostile: damaged images, and the workers that decode them."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from imgsearch.corpus.decoding.images import DecodedImage, decode_image
from imgsearch.corpus.decoding.pool import Decoders, WorkerLimits
from imgsearch.corpus.reasons import ImageRefused, Reason, ReasonCode, sentence
from imgsearch.errors import DecoderError
from tests import fuzz_images
from tests.support import deadly_worker
from tests.support.strange_images import (
    RED,
    damaged,
    encoded,
    plain,
    refusal,
    samples,
    truncations,
)
from tests.support.waiting import wait_until

SAMPLES = samples()


@pytest.mark.parametrize("name", SAMPLES)
def test_case_37_a_hundred_damages_neither_kill_nor_hold_up_a_worker(pool: Decoders, name: str) -> None:
    rng = np.random.default_rng(37)
    pool.image(SAMPLES[name])
    before = pool.pids()
    results = pool.images([damaged(SAMPLES[name], rng) for _ in range(100)])  # two seconds of the processor for each
    assert pool.pids() == before
    refused = [result for result in results if isinstance(result, ImageRefused)]
    assert refused
    assert all(str(reason) for reason in refused)


@pytest.mark.parametrize("name", SAMPLES)
def test_case_37_truncated_images_are_refused(pool: Decoders, name: str) -> None:
    whole = pool.image(SAMPLES[name]).thumbnail
    for result in pool.images(list(truncations(SAMPLES[name]))):
        # An animation may be cut after its first frame, which is all that is decoded.
        assert isinstance(result, ImageRefused) or np.array_equal(result.thumbnail, whole)


@pytest.fixture(scope="module")
def frail() -> Iterator[Decoders]:
    """One worker that certain images crash."""
    pool = Decoders(1, limits=WorkerLimits(cpu_seconds=0.3, wall_seconds=0.5), command=deadly_worker.COMMAND)
    yield pool
    pool.close()


@pytest.mark.parametrize(
    ("word", "code"),
    [
        (deadly_worker.CRASH, ReasonCode.DECODER_CRASHED),
        (deadly_worker.EXIT, ReasonCode.DECODER_CRASHED),
        (deadly_worker.BABBLE, ReasonCode.DECODER_CRASHED),
        (deadly_worker.ENDLESS, ReasonCode.DECODER_CRASHED),
        (deadly_worker.SPIN, ReasonCode.DECODING_TIME),
        (deadly_worker.SLEEP, ReasonCode.DECODING_TIME),
        (deadly_worker.EAT, ReasonCode.DECODING_MEMORY),
        (deadly_worker.KILLED, ReasonCode.DECODING_MEMORY),
    ],
)
def test_case_37_an_image_that_kills_its_worker_is_refused_alone(
    frail: Decoders, word: bytes, code: ReasonCode
) -> None:
    good = SAMPLES["JPEG"]
    first, second, third = frail.images([good, word, good])
    assert isinstance(second, ImageRefused)
    assert second.reason.code is code
    expected = decode_image(good)
    for result in (first, third, frail.image(good)):
        assert isinstance(result, DecodedImage)
        assert np.array_equal(result.thumbnail, expected.thumbnail)
        assert result.preview == expected.preview
    assert len(frail.pids()) == 1


def test_case_37_memory_and_time_have_limits_that_real_images_meet() -> None:
    large = encoded(plain("RGB", RED, (6_000, 6_000)), "PNG")
    for limits, code in (
        (WorkerLimits(memory_bytes=50_000_000), ReasonCode.DECODING_MEMORY),
        (WorkerLimits(cpu_seconds=0.02), ReasonCode.DECODING_TIME),
        (WorkerLimits(wall_seconds=0.1), ReasonCode.DECODING_TIME),
    ):
        pool = Decoders(1, limits=limits)
        assert refusal(pool, large) == sentence(Reason(code))
        assert refusal(pool, SAMPLES["BMP"]) == ""
        pool.close()


def test_case_37_a_worker_that_was_killed_in_its_sleep_is_replaced(pool: Decoders) -> None:
    pool.image(SAMPLES["PNG"])
    (pid,) = pool.pids()
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert refusal(pool, SAMPLES["PNG"]) == ""
    assert pool.pids() != [pid]


def test_case_37_a_worker_that_cannot_start_is_not_the_images_fault(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("raise SystemExit(3)")
    with pytest.raises(DecoderError, match=r"ended at once.*status 3"):
        Decoders(1, command=[str(tmp_path / "broken.py")]).image(SAMPLES["PNG"])


def test_case_37_workers_end_with_the_program_that_started_them() -> None:
    program = (
        "import sys; from imgsearch.corpus.decoding.pool import decoders; pool = decoders();"
        "pool.images([b'no image'] * 2); print(*pool.pids(), flush=True); sys.stdin.read()"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    assert parent.stdin is not None
    pids = [int(pid) for pid in parent.stdout.readline().split()]
    assert pids
    parent.kill()
    parent.wait()
    parent.stdout.close()
    parent.stdin.close()
    wait_until(lambda: not any(map(is_running, pids)))


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def test_case_37_the_long_fuzz_tells_failures_from_refusals() -> None:
    outcomes = fuzz_images.fuzz(minutes=0.001, seed=1)
    assert set(outcomes) == set(SAMPLES)
    assert {outcome for counts in outcomes.values() for outcome in counts} <= {"decoded", "refused"}
    assert fuzz_images.judged(ImageRefused(ReasonCode.DECODER_CRASHED)) == "failed"


def test_one_image_after_another_starts_one_worker() -> None:
    pool = Decoders(4)
    for _ in range(5):
        pool.image(SAMPLES["GIF"])
    assert len(pool.pids()) == 1
    pool.close()
    assert pool.pids() == []


def test_a_few_small_images_are_not_worth_a_second_worker() -> None:
    pool, small = Decoders(4), encoded(plain("RGB", RED), "PNG")
    pool.images([small] * 20)
    few = len(pool.pids())
    pool.images([small + bytes(20_000)] * 20)
    many = len(pool.pids())
    pool.close()
    assert (few, many > few) == (1, True)


def test_many_images_come_back_in_their_order_from_several_workers() -> None:
    pool = Decoders(2)
    images = [encoded(plain("RGB", (i, 0, 0)), "PNG") for i in range(200)] + [b""]
    results = pool.images(images)
    pool.close()
    assert [result.thumbnail[0, 0, 0] for result in results if isinstance(result, DecodedImage)] == list(range(200))
    assert str(results[-1]) == "empty: there are no bytes"
