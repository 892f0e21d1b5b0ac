"""Read and write frozen dataclasses as JSON files, with every field checked against its annotation.

A file may have been written by another version of this program, or edited by hand. Fields that the class does not have
are ignored (a later version may have added them); fields that the file lacks take their default. Everything else that
differs from the annotations is an error. A rule that an annotation cannot express, such as a range, belongs in
`__post_init__` of the class, as a ValueError.

msgspec checks the types; its page on supported types says which annotations a field may have.
"""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from imgsearch.paths import directory_errors, replacing

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    RecordT = TypeVar("RecordT", bound=DataclassInstance)


def encode_record(record: "DataclassInstance") -> str:
    """Return a record as JSON text, indented, with a final newline."""
    return json.dumps(asdict(record), indent=2) + "\n"


def decode_record(text: str, cls: "type[RecordT]") -> "RecordT":
    """Parse JSON text into a record.

    Raises:
        ValueError: the text is not JSON, or a field is missing, has another type or is refused by `__post_init__`.
    """
    return msgspec.json.decode(text, type=cls)


def write_record(path: Path, record: "DataclassInstance") -> None:
    """Write a record to `path` atomically: a reader sees the old file or the new one.

    Raises:
        IndexDirectoryError: the directory is full, read-only or forbidden.
    """
    with replacing(path) as temporary:
        temporary.write_text(encode_record(record), encoding="utf-8")


def read_record(
    path: Path, cls: "type[RecordT]", *, missing: Exception, damaged: Callable[[str], Exception]
) -> "RecordT":
    """Read the record that `write_record` wrote to `path`.

    Args:
        path: a JSON file.
        cls: the dataclass of the record.
        missing: raised where there is no such file.
        damaged: makes the exception that is raised where the file does not hold such a record, from the reason.

    Raises:
        IndexDirectoryError: the file is there and cannot be read.
    """
    with directory_errors(path):
        try:
            encoded = path.read_bytes()
        except FileNotFoundError as error:
            raise missing from error
    try:
        return decode_record(encoded.decode("utf-8"), cls)
    except ValueError as error:
        raise damaged(str(error)) from error


def find_record(path: Path, cls: "type[RecordT]") -> "RecordT | None":
    """Read a record that can be made again: None where there is no file, or a damaged one.

    Raises:
        IndexDirectoryError: the file is there and cannot be read.
    """
    try:
        return read_record(path, cls, missing=_UnusableError(), damaged=_UnusableError)
    except _UnusableError:
        return None


class _UnusableError(Exception):
    """There is no file, or a damaged one."""
