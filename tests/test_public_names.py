"""The names that the package exports: each is there, is documented by an example that runs, and loads nothing early."""

import inspect
import re
import shutil
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path

import pytest

import imgsearch
from tests.conftest import REPOSITORY
from tests.support.index import make_index, smooth_thumbnails
from tests.support.loopback_site import Answer, serving

NAMES = {"Searcher", "crawl", "add", "train", "reindex", "evaluate", "remove", "ImgSearchError", "__version__"}


def examples() -> list[str]:
    """The indented blocks of the package's docstring."""
    docstring = inspect.getdoc(imgsearch) or ""
    return [block for block in docstring.split("\n\n") if block.startswith("    ")]


def test_exactly_the_promised_names_are_exported() -> None:
    assert set(imgsearch.__all__) == set(dir(imgsearch)) == NAMES
    assert all(getattr(imgsearch, name) is not None for name in NAMES)
    with pytest.raises(AttributeError, match="no attribute 'fly'"):
        _ = imgsearch.fly


def test_every_exported_name_has_an_example_of_few_lines() -> None:
    for name in NAMES - {"__version__"}:
        assert any(re.search(rf"\bimgsearch\.{name}\b", block) for block in examples()), name
    assert max(len(block.splitlines()) for block in examples()) <= 4


def test_the_examples_run_one_after_another(
    photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(photographs, "photographs")
    shutil.copy(photographs / "red" / "00.png", "photograph.jpg")
    picture = (photographs / "blue" / "00.png").read_bytes()
    names: dict[str, object] = {}
    with serving() as site:
        site.answer("/new.png", Answer(picture + b"other bytes", headers={"Content-Type": "image/png"}))
        page = site.page("/", '<img src="/new.png">')
        for example in examples():
            program = (
                textwrap.dedent(example)
                .replace("https://example.org/gallery", page)
                .replace("max_images=500", "max_images=500, allow_private=True, delay_seconds=0")
                .replace("minutes=5", 'epochs=1, device="cpu"')
            )
            exec(program, names)  # the project's own docstring
    printed = capsys.readouterr().out
    assert "37 images indexed by model" in printed  # 36 photographs and one from the site
    assert re.search(r"^1 0\.0.* file://.*/red/00.png$", printed, flags=re.MULTILINE)
    assert re.search(r"^[01]\.\d+$", printed, flags=re.MULTILINE)  # precision
    assert "1 image removed" in printed
    assert "add_images" in printed


def test_importing_the_package_loads_nothing_heavy() -> None:
    program = "import sys, imgsearch; imgsearch.ImgSearchError; print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"torch", "faiss", "numpy", "PIL", "streamlit", "crawler"} & set(found.stdout.split())


def test_the_version_has_one_source() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    assert "version" not in project["project"]
    assert project["project"]["dynamic"] == ["version"]
    assert project["tool"]["hatch"]["version"] == {"path": "imgsearch/__init__.py"}


def test_a_row_is_removed_by_its_number(tmp_path: Path) -> None:
    make_index(tmp_path, smooth_thumbnails(3))
    assert imgsearch.remove([0, 2], tmp_path).changed == 2
    with imgsearch.Searcher.open(tmp_path, device="cpu") as searcher:
        assert [hit.entry.row for hit in searcher.search(1, k=3).hits["pixel"]] == []
