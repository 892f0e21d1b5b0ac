"""Read and write frozen dataclasses as JSON files, with every field checked against its annotation.

A file may have been written by another version of this program, or edited by hand. Fields that the class does not have
are ignored (a later version may have added them); fields that the file lacks take their default. Everything else that
differs from the annotations is an error. A rule that an annotation cannot express, such as a range, belongs in
`__post_init__` of the class, as a ValueError.

Fields may be annotated with str, int, float, bool, None, Any, an Enum, Literal, another dataclass, and unions, tuples,
lists, `Sequence`, dicts and `Mapping` (with str keys) of these.
"""

import json
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, asdict, fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from imgsearch.paths import directory_errors, replacing

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    RecordT = TypeVar("RecordT", bound=DataclassInstance)

_PLAIN = {str: "a text", int: "a whole number", float: "a number", bool: "true or false", type(None): "null"}


def encode_record(record: "DataclassInstance") -> str:
    """Return a record as JSON text, indented, with a final newline."""
    return json.dumps(asdict(record), indent=2) + "\n"


def decode_record(text: str, cls: "type[RecordT]") -> "RecordT":
    """Parse JSON text into a record.

    Raises:
        ValueError: the text is not JSON, or a field is missing, has another type or is refused by `__post_init__`.
    """
    record: RecordT = _record(json.loads(text), cls, "")
    return record


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


# ----------------------------------------------------------------------------------------------------------------------
# Values checked against annotations


def _record(value: object, cls: Any, place: str) -> Any:
    if not isinstance(value, dict):
        raise ValueError(f"{place or 'the document'} must be an object, not {_kind(value)}")
    hints = get_type_hints(cls)
    found = {}
    for field in fields(cls):
        inner = f"{place}.{field.name}" if place else field.name
        if not field.init:
            continue
        if field.name in value:
            found[field.name] = _checked(value[field.name], hints[field.name], inner)
        elif field.default is MISSING and field.default_factory is MISSING:
            raise ValueError(f"{inner} is missing")
    return cls(**found)


def _checked(value: object, wanted: Any, place: str) -> Any:
    """Return `value` as the annotation `wanted` has it, or raise ValueError naming its place."""
    if wanted is Any or wanted is object:
        return value
    if wanted in _PLAIN:
        return _plain(value, wanted, place)
    if is_dataclass(wanted):
        return _record(value, wanted, place)
    origin, inner = get_origin(wanted), get_args(wanted)
    if origin in (Union, types.UnionType):
        return _one_of(value, inner, place)
    if origin is Literal or (isinstance(wanted, type) and issubclass(wanted, Enum)):
        return _choice(value, wanted, place)
    if origin in (dict, Mapping):
        return _dict(value, inner, place)
    if origin in (tuple, list, Sequence):
        return _items(value, origin, inner, place)
    raise TypeError(f"{place}: records cannot hold fields annotated with {wanted}")


def _plain(value: object, wanted: type, place: str) -> object:
    # In Python True is an int, in JSON it is no number.
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, wanted) and (wanted is bool or not isinstance(value, bool)):
        return value
    raise ValueError(f"{place} must be {_PLAIN[wanted]}, not {_kind(value)}")


def _one_of(value: object, choices: Sequence[Any], place: str) -> object:
    reasons = []
    for choice in choices:
        try:
            return _checked(value, choice, place)
        except ValueError as error:
            reasons.append(str(error))
    raise ValueError(" or ".join(dict.fromkeys(reasons)))


def _choice(value: object, wanted: Any, place: str) -> object:
    members = {choice: choice for choice in get_args(wanted)} or {member.value: member for member in wanted}
    if isinstance(value, str | int) and value in members:
        return members[value]
    raise ValueError(f"{place} must be one of {', '.join(map(repr, members))}, not {value!r}"[:200])


def _dict(value: object, inner: Sequence[Any], place: str) -> dict[str, Any]:
    key_type, value_type = inner
    if key_type is not str:
        raise TypeError(f"{place}: the keys of a JSON object are texts, not {key_type}")
    if not isinstance(value, dict):
        raise ValueError(f"{place} must be an object, not {_kind(value)}")
    return {key: _checked(each, value_type, f"{place}.{key}") for key, each in value.items()}


def _items(value: object, origin: Any, inner: Sequence[Any], place: str) -> Sequence[Any]:
    if not isinstance(value, list):
        raise ValueError(f"{place} must be a list, not {_kind(value)}")
    of_any_length = origin is not tuple or (len(inner) == 2 and inner[1] is Ellipsis)
    if not of_any_length and len(inner) != len(value):
        raise ValueError(f"{place} must have {len(inner)} items, not {len(value)}")
    wanted = [inner[0]] * len(value) if of_any_length else inner
    items = [_checked(each, kind, f"{place}[{n}]") for n, (each, kind) in enumerate(zip(value, wanted, strict=True))]
    return items if origin is list else tuple(items)


def _kind(value: object) -> str:
    kinds = {dict: "an object", list: "a list"} | _PLAIN
    return kinds[type(value)]
