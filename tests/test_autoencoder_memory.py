import mmap
import subprocess
import sys

import pytest

from imgsearch.autoencoder.memory import keep_freed_memory

PROGRAM = """
import resource, sys
import numpy as np
from imgsearch.autoencoder.memory import keep_freed_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(4):
        [np.ones(16_000_000, np.uint8) for _ in range(6)]
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

faults()
print(faults())
with keep_freed_memory():
    faults()
    print(faults())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator is Linux's")
def test_memory_that_was_freed_is_used_again() -> None:
    answer = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    without, kept = (int(line) for line in answer.stdout.split())
    pages = 16_000_000 // mmap.PAGESIZE
    assert without > pages  # of a step's maps at least one is new memory, page by page, at every step
    assert kept < 0.1 * without


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr("imgsearch.autoencoder.memory.ctypes.CDLL", absent)
    with keep_freed_memory():
        pass
