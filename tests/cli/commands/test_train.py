"""The command `train`: which network is trained, which model is used, and how a run is continued."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from imgsearch.autoencoder.card import read_card
from imgsearch.autoencoder.objectives.registry import TERMS
from imgsearch.cli.main import run
from tests.support.cli import answer, complaint, help_of, misuse
from tests.support.comparison import decide_comparisons


@pytest.mark.parametrize(
    ("options", "kind", "code_size"),
    [
        (["--network", "pca", "--sizes", "3072-16"], "pca", 16),
        (
            ["--network", "dense", "--sizes", "3072-64-16", "--tied", "--objective", "reconstruct+0.01*contractive"],
            "dense",
            16,
        ),
        (["--sizes", "3072-32-8", "--activation", "sigmoid", "--objective", "denoise"], "dense", 8),
        pytest.param(["--unpool", "repeat"], "conv", 256, marks=pytest.mark.slow),
        pytest.param(["--unpool", "switches", "--force"], "conv", 256, marks=pytest.mark.slow),
    ],
)
def test_every_kind_of_network_is_trained_indexed_and_searched(
    index: Path, capsys: pytest.CaptureFixture[str], options: list[str], kind: str, code_size: int
) -> None:
    answer(capsys, "train", *options, "--epochs", "20", "--keep", "new", "--device", "cpu", "--index", str(index))
    card = read_card(index / "model")
    assert (card.network["kind"], card.code_size) == (kind, code_size)
    answer(capsys, "reindex", "--device", "cpu", "--index", str(index))
    hits = json.loads(answer(capsys, "search", "row:0", "-k", "5", "--by", "all", "--json", "--index", str(index)))
    assert all(len(hits[method]) == 5 for method in ("code", "pixel", "binary"))
    labels = [hit["label"] for hit in hits["code"]]
    assert labels.count("blue") >= 4  # row 0 is blue, and colours are all that tells these images apart


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--network", "pca", "--tied"], "for the network dense"),
        (["--network", "dense", "--unpool", "repeat"], "unpool is for the network conv"),
        (["--unpool", "switches"], "the code holds less"),
        (["--network", "dense", "--from", "somewhere"], "brings its network along"),
        (["--sizes", "3072-many"], "are not sizes"),
        (["--objective", "agree+much*reconstruct"], "is no term"),
        (["--objective", "contractive"], "reconstruct+0.1"),
    ],
)
def test_options_that_contradict_each_other_are_wrong_usage(
    index: Path, capsys: pytest.CaptureFixture[str], options: list[str], said: str
) -> None:
    assert said in misuse(capsys, "train", *options, "--epochs", "1", "--index", index)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--unpool", "switches", "--force", "--objective", "agree"], "decodes codes alone"),
        (["--sizes", "784-30"], "takes examples of 784 values"),
    ],
)
def test_a_network_that_cannot_learn_the_objective_is_refused(
    index: Path, capsys: pytest.CaptureFixture[str], options: list[str], said: str
) -> None:
    assert said in complaint(capsys, "train", *options, "--epochs", "1", "--index", index)


def test_the_help_names_every_term_of_an_objective() -> None:
    for name in TERMS:
        assert re.search(rf"\b{name}:", help_of("train")), name


def test_a_model_that_finds_less_is_not_taken_unless_asked_for(
    index: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    decide_comparisons(monkeypatch, 0.9, 0.5)
    before, train = read_card(index / "model").digest, ("train", "--epochs", "1", "--device", "cpu", "--index", index)
    told = answer(capsys, *train)
    assert "90.0% before, 50.0% now" in told
    assert "finds less" in told
    assert read_card(index / "model").digest == before
    assert read_card(index / "candidate").digest != before
    assert not json.loads(answer(capsys, *train, "--json"))["taken"]
    answer(capsys, *train, "--keep", "new")
    assert read_card(index / "model").digest != before
    assert not (index / "candidate").exists()


def test_training_replaces_a_damaged_model(index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (index / "model" / "weights.safetensors").write_bytes(b"damaged")
    assert "imgsearch train" in complaint(capsys, "reindex", "--index", index)
    for start in ((), ("--from", "scratch")):
        (index / "model" / "weights.safetensors").write_bytes(b"damaged")
        line = ("train", *start, "--epochs", "1", "--keep", "new", "--device", "cpu", "--index", index)
        assert run([str(word) for word in line]) == 0
        assert "do not belong together" in capsys.readouterr().err
        answer(capsys, "reindex", "--index", index)


def test_an_interrupted_training_is_continued_unless_started_from_scratch(
    index: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    line = [str(word) for word in ("train", "--epochs", "3", "--keep", "new", "--device", "cpu", "--index", index)]

    @contextmanager
    def stopping_soon() -> Iterator[Callable[[], bool]]:
        asked = iter([False])  # once, before the first step
        yield lambda: next(asked, True)

    for more, gone_on_with in (([], True), (["--from", "scratch"], False)):
        with monkeypatch.context() as patch:
            patch.setattr("imgsearch.cli.commands.train.stopping", stopping_soon)
            assert run(line) == 0
        capsys.readouterr()
        assert run([*line, *more]) == 0
        assert ("Resumed an interrupted run at step 1" in capsys.readouterr().err) == gone_on_with


def test_a_model_that_finds_more_is_taken(
    index: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    decide_comparisons(monkeypatch, 0.5, 0.9)
    before = read_card(index / "model").digest
    told = json.loads(answer(capsys, "train", "--epochs", "1", "--device", "cpu", "--json", "--index", index))
    assert told["taken"]
    assert told["comparison"]["before"]["model"] == before == told["training"]["from"]
    assert read_card(index / "model").digest == told["digest"] != before
