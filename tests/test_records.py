"""Records as JSON: what was written is read back, old and newer files open, and every wrong field is refused."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

import pytest

from imgsearch.errors import IndexDirectoryError, ModelError
from imgsearch.records import decode_record, encode_record, find_record, read_record, write_record


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True)
class Point:
    x: float
    y: float


@dataclass(frozen=True)
class Drawing:
    name: str
    n_points: int
    points: tuple[Point, ...]
    corner: tuple[float, int]
    by_name: Mapping[str, Point]
    colour: Colour
    closed: bool
    style: Literal["thin", "thick"]
    notes: list[str]
    extra: dict[str, Any]
    scale: float | None = None
    shade: int | str = "none"

    def __post_init__(self) -> None:
        if self.n_points < 0:
            raise ValueError("n_points must not be negative")


DRAWING = Drawing(
    *("house", 2, (Point(1.0, 2.5), Point(0.0, 0.0)), (0.5, 3), {"top": Point(1.0, 9.0)}, Colour.BLUE, True, "thin"),
    *(["für", "später"], {"a": [1, {"b": None}]}),
)


def read(path: Path) -> Drawing:
    return read_record(path, Drawing, missing=ModelError("there is no drawing"), damaged=ModelError)


def changed(**values: object) -> str:
    return json.dumps(asdict(DRAWING) | values)


def test_a_record_written_to_a_file_is_read_back_equal(tmp_path: Path) -> None:
    write_record(tmp_path / "new" / "drawing.json", DRAWING)
    found = read(tmp_path / "new" / "drawing.json")
    assert found == DRAWING
    assert isinstance(found.colour, Colour)
    assert isinstance(found.corner, tuple)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["drawing.json"]


def test_the_file_is_plain_json_in_ascii(tmp_path: Path) -> None:
    write_record(tmp_path / "drawing.json", DRAWING)
    text = (tmp_path / "drawing.json").read_bytes().decode("ascii")
    assert text == encode_record(DRAWING)
    assert json.loads(text)["by_name"] == {"top": {"x": 1.0, "y": 9.0}}


def test_a_missing_file_raises_the_given_exception(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="there is no drawing"):
        read(tmp_path / "drawing.json")


def test_a_file_that_cannot_be_opened_is_reported_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(IndexDirectoryError, match=str(tmp_path)):
        read(tmp_path)
    with pytest.raises(IndexDirectoryError):
        find_record(tmp_path, Drawing)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[]", b"null", b'"text"', b"{}", b"1e999x"])
def test_a_file_without_a_record_is_damaged(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "drawing.json").write_bytes(content)
    with pytest.raises(ModelError):
        read(tmp_path / "drawing.json")
    assert find_record(tmp_path / "drawing.json", Drawing) is None


def test_a_file_that_may_be_made_again_is_none_where_it_is_missing(tmp_path: Path) -> None:
    assert find_record(tmp_path / "drawing.json", Drawing) is None
    write_record(tmp_path / "drawing.json", DRAWING)
    assert find_record(tmp_path / "drawing.json", Drawing) == DRAWING


def test_unknown_fields_are_ignored_and_absent_ones_take_their_default() -> None:
    written = asdict(DRAWING) | {"added_later": [1, 2]}
    del written["scale"], written["shade"]
    assert decode_record(json.dumps(written), Drawing) == DRAWING


def test_a_whole_number_is_taken_as_a_float() -> None:
    found = decode_record('{"x": 1, "y": 2.5}', Point)
    assert found == Point(1.0, 2.5)
    assert isinstance(found.x, float)


@pytest.mark.parametrize(
    ("name", "value", "place"),
    [
        ("name", 3, "name"),
        ("name", None, "name"),
        ("n_points", 2.5, "n_points"),
        ("n_points", True, "n_points"),
        ("n_points", "2", "n_points"),
        ("n_points", -1, "must not be negative"),
        ("points", {"x": 1}, "points"),
        ("points", [{"x": 1, "y": 2}, {"x": 1}], "points[1]"),
        ("points", [{"x": True, "y": 2}], "points[0].x"),
        ("corner", [0.5], "corner"),
        ("corner", [0.5, 1.5], "corner[1]"),
        ("by_name", [], "by_name"),
        ("by_name", {"top": []}, "by_name[...]"),
        ("colour", "green", "colour"),
        ("colour", ["red"], "colour"),
        ("style", "dotted", "style"),
        ("closed", 1, "closed"),
        ("notes", ["a", 1], "notes[1]"),
        ("extra", [], "extra"),
        ("scale", "big", "scale"),
        ("shade", 0.5, "shade"),
    ],
)
def test_a_field_of_the_wrong_type_is_named(name: str, value: object, place: str) -> None:
    with pytest.raises(ValueError, match=re.escape(place)):
        decode_record(changed(**{name: value}), Drawing)


def test_each_required_field_may_not_be_absent() -> None:
    for name in ("name", "points", "extra"):
        written = asdict(DRAWING)
        del written[name]
        with pytest.raises(ValueError, match=f"missing required field `{name}`"):
            decode_record(json.dumps(written), Drawing)
