import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imgsearch.autoencoder.codes import CODES_NAME, INFO_NAME, CodesInfo, CodeWriter, open_codes, read_codes_info
from imgsearch.errors import Hint, IndexMissingError


def block(first: int, n: int, size: int = 4) -> np.ndarray:
    """Codes from which their row can be read."""
    return np.arange(first, first + n, dtype=np.float32)[:, None] + np.linspace(0, 0.5, size, dtype=np.float32)


def test_blocks_are_appended_and_read_back_as_float16(tmp_path: Path) -> None:
    with CodeWriter(tmp_path, "model a", 4) as writer:
        writer.append(block(0, 3))
        writer.append(block(3, 2))
    codes, info = open_codes(tmp_path)
    assert info == CodesInfo("model a", 5, 4)
    assert codes.dtype == np.float16
    assert np.array_equal(codes, block(0, 5).astype(np.float16))
    assert not codes.flags.writeable


def test_the_same_model_s_writer_goes_on(tmp_path: Path) -> None:
    for first in (0, 3, 6):
        with CodeWriter(tmp_path, "model a", 4) as writer:
            assert writer.info.rows == first
            writer.append(block(first, 3))
    assert np.array_equal(open_codes(tmp_path)[0], block(0, 9).astype(np.float16))


@pytest.mark.parametrize(
    ("model", "size", "anew"), [("model b", 4, False), ("model a", 8, False), ("model a", 4, True)]
)
def test_another_model_or_anew_begins_at_nothing_and_leaves_a_reader_s_map_whole(
    tmp_path: Path, model: str, size: int, anew: bool
) -> None:
    with CodeWriter(tmp_path, "model a", 4) as writer:
        writer.append(block(0, 2000))
    old, _ = open_codes(tmp_path)
    with CodeWriter(tmp_path, model, size, anew=anew) as writer:
        assert writer.info == CodesInfo(model, 0, size)
        assert len(open_codes(tmp_path)[0]) == 0
        writer.append(block(100, 1, size))
    assert np.array_equal(old, block(0, 2000).astype(np.float16))
    assert np.array_equal(open_codes(tmp_path)[0], block(100, 1, size).astype(np.float16))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(counted=st.integers(0, 5), extra_bytes=st.integers(0, 40))
def test_bytes_that_are_not_counted_are_cut_off(tmp_path: Path, counted: int, extra_bytes: int) -> None:
    (tmp_path / CODES_NAME).write_bytes(block(0, counted).astype(np.float16).tobytes() + os.urandom(extra_bytes))
    (tmp_path / INFO_NAME).write_text(json.dumps({"model": "model a", "rows": counted, "code_size": 4}))
    with CodeWriter(tmp_path, "model a", 4) as writer:
        assert writer.info.rows == counted
        writer.append(block(counted, 1))
    assert np.array_equal(open_codes(tmp_path)[0], block(0, counted + 1).astype(np.float16))


def test_a_file_shorter_than_counted_is_refused_by_readers_and_mended_by_the_writer(tmp_path: Path) -> None:
    (tmp_path / CODES_NAME).write_bytes(block(0, 3).astype(np.float16).tobytes()[:-1])
    (tmp_path / INFO_NAME).write_text(json.dumps({"model": "model a", "rows": 3, "code_size": 4}))
    with pytest.raises(IndexMissingError, match="fewer codes") as raised:
        open_codes(tmp_path)
    assert raised.value.hint is Hint.REINDEX_FULL
    with CodeWriter(tmp_path, "model a", 4) as writer:
        assert writer.info.rows == 2


def test_codes_whose_file_is_gone_begin_at_nothing(tmp_path: Path) -> None:
    (tmp_path / INFO_NAME).write_text(json.dumps({"model": "model a", "rows": 3, "code_size": 4}))
    with CodeWriter(tmp_path, "model a", 4) as writer:
        assert writer.info.rows == 0


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        (None, Hint.REINDEX),
        ("", Hint.REINDEX_FULL),
        ("[]", Hint.REINDEX_FULL),
        ('{"rows": 3}', Hint.REINDEX_FULL),
        ('{"model": "a", "rows": "3"}', Hint.REINDEX_FULL),
        ('{"model": "a", "rows": -1}', Hint.REINDEX_FULL),
        ('{"model": "a", "rows": 3, "code_size": 0}', Hint.REINDEX_FULL),
    ],
)
def test_no_codes_and_a_damaged_count_hint_at_reindexing(tmp_path: Path, text: str | None, hint: Hint) -> None:
    if text is not None:
        (tmp_path / INFO_NAME).write_text(text)
    with pytest.raises(IndexMissingError) as raised:
        read_codes_info(tmp_path)
    assert raised.value.hint is hint


def test_a_count_without_a_code_size_and_with_fields_of_a_later_version_is_read(tmp_path: Path) -> None:
    (tmp_path / INFO_NAME).write_text('{"model": "a", "rows": 3, "mood": 1}')
    assert read_codes_info(tmp_path) == CodesInfo("a", 3, 256)
