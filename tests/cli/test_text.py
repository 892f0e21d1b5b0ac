"""The commands on words: train, search, reindex, erase, and the message of each mistake."""

import json
import shutil
from pathlib import Path

import pytest

from imgsearch.cli.main import run
from imgsearch.paths import IndexPaths
from tests.support.cli import complaint, misuse
from tests.support.text_index import add_described, described, make_text_index

ALTS = [alt for alt, _ in described()]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> IndexPaths:
    return make_text_index(tmp_path_factory.mktemp("commands") / "index", ALTS)


@pytest.fixture
def paths(made: IndexPaths, tmp_path: Path) -> IndexPaths:
    return IndexPaths(Path(shutil.copytree(made.root, tmp_path / "index")))


def found_by(capsys: pytest.CaptureFixture[str], paths: IndexPaths, *words: str) -> dict[str, object]:
    capsys.readouterr()
    assert run(["search", *words, "--json", "--device", "cpu", "--index", str(paths.root)]) == 0
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def test_search_by_words_shows_the_methods_side_by_side(
    paths: IndexPaths, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = found_by(capsys, paths, "--text", "puppy zebras", "-k", "4")
    assert found["unknown_words"] == ["zebras"]
    assert [len(found[method]) for method in ("code", "lsa", "tfidf")] == [4, 4, 4]  # type: ignore[arg-type]
    picture = tmp_path / "hits.png"
    line = ["search", "--text", "puppy zebras", "--save", str(picture), "--device", "cpu", "--index", str(paths.root)]
    assert run(line) == 0
    printed = capsys.readouterr().out.splitlines()
    assert [line.split("\t")[0] for line in printed[1::10]][:2] == ["code", "lsa"]
    assert printed[-1] == "not among the words of this corpus: zebras"
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_reindex_finds_new_texts_and_compact_erases_them(paths: IndexPaths, capsys: pytest.CaptureFixture[str]) -> None:
    add_described(paths, ["puppy"])
    index = ["--index", str(paths.root)]
    assert run(["reindex", "--device", "cpu", *index]) == 0
    assert f"indexed the words of {len(ALTS) + 1} images" in capsys.readouterr().err
    assert run(["status", *index]) == 0
    assert f"words    {len(ALTS) + 1} of {len(ALTS) + 1} rows" in capsys.readouterr().out
    new = len(ALTS)
    assert found_by(capsys, paths, "--text", "puppy")["tfidf"][0]["row"] == new  # type: ignore[index]
    assert run(["remove", f"row:{new}", *index]) == 0
    assert run(["compact", *index]) == 0
    found = found_by(capsys, paths, "--text", "puppy", "-k", "200")
    assert new not in {hit["row"] for method in ("code", "lsa", "tfidf") for hit in found[method]}  # type: ignore[attr-defined]


def test_the_card_says_how_the_model_was_made(paths: IndexPaths, capsys: pytest.CaptureFixture[str]) -> None:
    line = ["train", "--text", "--sizes", "12-16-4", "--epochs", "2", "--json", "--device", "cpu"]
    capsys.readouterr()
    assert run([*line, "--tied", "--activation", "sigmoid", "--index", str(paths.root)]) == 0
    card = json.loads(capsys.readouterr().out)
    assert card["words"] == 12
    config = card["network"]["config"]
    assert (config["sizes"], config["output"], config["tied"]) == ([12, 16, 4], "softmax", True)
    assert config["activation"] == "sigmoid"
    assert not (paths.text.candidate / "model.json").exists()
    assert not (paths.model / "model.json").exists()  # images keep theirs
    assert found_by(capsys, paths, "--text", "collar harbour paw")["model"] == card["digest"]


def test_mistakes_with_words_are_reported(
    paths: IndexPaths, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    index = ["--index", str(paths.root)]
    for both_or_neither in (["row:1", "--text", "puppy"], []):
        assert "--text" in misuse(capsys, "search", *both_or_neither, *index)
    assert "Common ones are" in complaint(capsys, "search", "--text", "zebra", *index)
    assert "leave out --network" in misuse(capsys, "train", "--text", "--network", "pca", *index)
    assert "leave out --network" in misuse(capsys, "train", "--text", "--from", "model", *index)
    assert "such as 2000-500" in misuse(capsys, "train", "--text", "--sizes", "12", *index)
    other = IndexPaths(tmp_path / "other")
    add_described(other, ["a boat"] * 3 + [""] * 30)
    assert "alt texts are kept" in complaint(capsys, "train", "--text", "--index", str(other.root))
    assert "imgsearch train --text" in complaint(capsys, "search", "--text", "boat", "--index", str(other.root))
