import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imgsearch.autoencoder.codes import (
    BINARY_BYTES,
    BINARY_NAME,
    CODES_NAME,
    INFO_NAME,
    CodesInfo,
    CodeWriter,
    open_binary_codes,
    open_codes,
    read_codes_info,
)
from imgsearch.errors import IndexMissingError


def block(first: int, n: int, size: int = 4) -> np.ndarray:
    """Codes that carry their row."""
    return np.arange(first, first + n, dtype=np.float32)[:, None] + np.linspace(0, 0.5, size, dtype=np.float32)


def bits(first: int, n: int) -> np.ndarray:
    """Binary codes that carry their row."""
    return np.arange(first, first + n, dtype=np.uint8)[:, None] + np.arange(BINARY_BYTES, dtype=np.uint8)


def test_blocks_are_appended_and_read_back_as_float16_and_bits(tmp_path: Path) -> None:
    with CodeWriter(tmp_path, "model a", 4) as writer:
        writer.append(block(0, 3), bits(0, 3))
        writer.append(block(3, 2), bits(3, 2))
    codes, info = open_codes(tmp_path)
    assert info == CodesInfo("model a", 5, 4)
    assert codes.dtype == np.float16
    assert np.array_equal(codes, block(0, 5).astype(np.float16))
    binary, whose = open_binary_codes(tmp_path)
    assert whose == info
    assert binary.dtype == np.uint8
    assert np.array_equal(binary, bits(0, 5))
    assert not codes.flags.writeable
    assert not binary.flags.writeable


def test_the_same_model_s_writer_goes_on(tmp_path: Path) -> None:
    for first in (0, 3, 6):
        with CodeWriter(tmp_path, "model a", 4) as writer:
            assert writer.info.rows == first
            writer.append(block(first, 3), bits(first, 3))
    assert np.array_equal(open_codes(tmp_path)[0], block(0, 9).astype(np.float16))
    assert np.array_equal(open_binary_codes(tmp_path)[0], bits(0, 9))


@pytest.mark.parametrize(
    ("model", "size", "anew"), [("model b", 4, False), ("model a", 8, False), ("model a", 4, True)]
)
def test_another_model_or_anew_begins_at_nothing_and_leaves_a_reader_s_map_whole(
    tmp_path: Path, model: str, size: int, anew: bool
) -> None:
    with CodeWriter(tmp_path, "model a", 4) as writer:
        writer.append(block(0, 2000), bits(0, 2000))
    old, old_bits = open_codes(tmp_path)[0], open_binary_codes(tmp_path)[0]
    with CodeWriter(tmp_path, model, size, anew=anew) as writer:
        assert writer.info == CodesInfo(model, 0, size)
        assert len(open_codes(tmp_path)[0]) == len(open_binary_codes(tmp_path)[0]) == 0
        writer.append(block(100, 1, size), bits(100, 1))
    assert np.array_equal(old, block(0, 2000).astype(np.float16))
    assert np.array_equal(old_bits, bits(0, 2000))
    assert np.array_equal(open_codes(tmp_path)[0], block(100, 1, size).astype(np.float16))


def write_files(folder: Path, counted: int, code_bytes: bytes, binary_bytes: bytes) -> None:
    (folder / CODES_NAME).write_bytes(code_bytes)
    (folder / BINARY_NAME).write_bytes(binary_bytes)
    (folder / INFO_NAME).write_text(json.dumps({"model": "model a", "rows": counted, "code_size": 4}))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(counted=st.integers(0, 5), extra_bytes=st.integers(0, 40), extra_bits=st.integers(0, 70))
def test_bytes_that_are_not_counted_are_cut_off(
    tmp_path: Path, counted: int, extra_bytes: int, extra_bits: int
) -> None:
    codes = block(0, counted).astype(np.float16).tobytes() + os.urandom(extra_bytes)
    write_files(tmp_path, counted, codes, bits(0, counted).tobytes() + os.urandom(extra_bits))
    with CodeWriter(tmp_path, "model a", 4) as writer:
        assert writer.info.rows == counted
        writer.append(block(counted, 1), bits(counted, 1))
    assert np.array_equal(open_codes(tmp_path)[0], block(0, counted + 1).astype(np.float16))
    assert np.array_equal(open_binary_codes(tmp_path)[0], bits(0, counted + 1))
    assert (tmp_path / BINARY_NAME).stat().st_size == (counted + 1) * BINARY_BYTES


@pytest.mark.parametrize(("codes_there", "bits_there"), [(2, 3), (3, 1), (1, 2)])
def test_a_file_shorter_than_counted_is_refused_by_readers_and_mended_by_the_writer(
    tmp_path: Path, codes_there: int, bits_there: int
) -> None:
    codes, binary = block(0, 3).astype(np.float16).tobytes(), bits(0, 3).tobytes()
    write_files(tmp_path, 3, codes[: codes_there * 8 + 5], binary[: bits_there * BINARY_BYTES + 5])
    for reader, short in ((open_codes, codes_there < 3), (open_binary_codes, bits_there < 3)):
        if short:
            with pytest.raises(IndexMissingError, match="imgsearch reindex"):
                reader(tmp_path)
    both = min(codes_there, bits_there)
    with CodeWriter(tmp_path, "model a", 4) as writer:
        assert writer.info.rows == both
        writer.append(block(both, 1), bits(both, 1))
    assert np.array_equal(open_codes(tmp_path)[0], block(0, both + 1).astype(np.float16))
    assert np.array_equal(open_binary_codes(tmp_path)[0], bits(0, both + 1))


@pytest.mark.parametrize("gone", [CODES_NAME, BINARY_NAME])
def test_codes_of_which_a_file_is_gone_begin_at_nothing(tmp_path: Path, gone: str) -> None:
    write_files(tmp_path, 3, block(0, 3).astype(np.float16).tobytes(), bits(0, 3).tobytes())
    (tmp_path / gone).unlink()
    with CodeWriter(tmp_path, "model a", 4) as writer:
        assert writer.info.rows == 0
        writer.append(block(0, 4), bits(0, 4))
    assert len(open_codes(tmp_path)[0]) == len(open_binary_codes(tmp_path)[0]) == 4


def test_both_files_are_on_disk_before_they_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A block that cannot be counted (a kill between the two) leaves what was counted before, whole."""
    with CodeWriter(tmp_path, "model a", 4) as writer:
        writer.append(block(0, 2), bits(0, 2))
        sizes: list[int] = []

        def killed(_info: CodesInfo) -> None:
            sizes.extend((tmp_path / name).stat().st_size for name in (CODES_NAME, BINARY_NAME))
            raise KeyboardInterrupt

        monkeypatch.setattr(writer, "_commit", killed)
        with pytest.raises(KeyboardInterrupt):
            writer.append(block(2, 3), bits(2, 3))
    assert sizes == [5 * 8, 5 * BINARY_BYTES]
    assert np.array_equal(open_binary_codes(tmp_path)[0], bits(0, 2))
    with CodeWriter(tmp_path, "model a", 4) as writer:
        assert writer.info.rows == 2


@pytest.mark.parametrize("text", [None, "", "[]", '{"rows": 3}', '{"model": "a", "rows": 3, "mood": 1}'])
def test_no_codes_and_a_damaged_count_name_the_command(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / INFO_NAME).write_text(text)
    for reader in (read_codes_info, open_codes, open_binary_codes):
        with pytest.raises(IndexMissingError, match="imgsearch reindex"):
            reader(tmp_path)
