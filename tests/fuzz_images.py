"""Damage valid images of every format at random, and count how many are decoded, refused or fail.

Run: python -m tests.fuzz_images [MINUTES [SEED]]   (or `make fuzz`). A failing image is written beside, as
fuzz-DIGEST.bin, and the exit status is 1: an image that kills its worker, takes more than two seconds of the
processor, or comes back as something that no image has.
"""

import sys
import time
from collections import Counter
from hashlib import sha256
from pathlib import Path

import numpy as np

from imgsearch.corpus.decoding.images import DecodedImage
from imgsearch.corpus.decoding.pool import Decoders, WorkerLimits
from imgsearch.corpus.reasons import ImageRefused, ReasonCode
from tests.support.strange_images import damaged, samples

FAILURES = (ReasonCode.DECODER_CRASHED, ReasonCode.DECODING_MEMORY, ReasonCode.DECODING_TIME)
BATCH = 256


def main() -> None:
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else time.time_ns() % 10**9
    print(f"fuzzing for {minutes:g} minutes, seed {seed}", flush=True)
    counts = fuzz(minutes, seed)
    for name, outcomes in counts.items():
        print(f"{name:18} " + "  ".join(f"{outcome} {n:,}" for outcome, n in sorted(outcomes.items())))
    sys.exit(any(outcomes["failed"] for outcomes in counts.values()))


def fuzz(minutes: float, seed: int) -> dict[str, Counter[str]]:
    """Counts of damaged images that were decoded, were refused, or failed."""
    sound, rng = samples(), np.random.default_rng(seed)
    counts: dict[str, Counter[str]] = {name: Counter() for name in sound}
    until = time.monotonic() + 60 * minutes
    pool = Decoders(limits=WorkerLimits(cpu_seconds=2))
    while time.monotonic() < until:
        for name, sample in sound.items():
            images = [damaged(sample, rng) for _ in range(BATCH)]
            for data, result in zip(images, pool.images(images), strict=True):
                outcome = judged(result)
                counts[name][outcome] += 1
                if outcome == "failed":
                    report(name, data, result)
    pool.close()
    return counts


def judged(result: DecodedImage | ImageRefused) -> str:
    if isinstance(result, ImageRefused):
        return "failed" if result.reason.code in FAILURES or not str(result) else "refused"
    return "decoded"


def report(name: str, data: bytes, result: DecodedImage | ImageRefused) -> None:
    file = Path(f"fuzz-{sha256(data).hexdigest()[:16]}.bin")
    file.write_bytes(data)
    print(f"{name}: {result} ({file})", flush=True)


if __name__ == "__main__":
    main()
