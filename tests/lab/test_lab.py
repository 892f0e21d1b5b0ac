"""Experiments on the command line, and the data that they run on."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from imgsearch.cli.main import run
from imgsearch.errors import LabError
from imgsearch.lab.datasets import digits
from imgsearch.lab.finding import Lab
from imgsearch.lab.registry import run_experiment


def test_an_experiment_writes_a_picture_and_its_figures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["lab", "digits-30", "--size", "small", "--device", "cpu", "--index", str(tmp_path)]) == 0
    assert "PCA-8" in capsys.readouterr().out
    assert (tmp_path / "lab" / "digits-30.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads((tmp_path / "lab" / "digits-30.json").read_text())["figures"]["squared_error"]


def test_an_unknown_experiment_is_refused_with_the_known_names(lab: Lab) -> None:
    with pytest.raises(LabError, match="digits-30"):
        run_experiment("digits-31", lab)


def test_a_file_that_is_not_mnist_is_refused(lab: Lab, tmp_path: Path) -> None:
    path = tmp_path / "digits.npz"
    path.write_bytes(b"nothing")
    with pytest.raises(LabError, match="is not MNIST"):
        digits(Lab(**(vars(lab) | {"data": path})))
    np.savez(path, x_train=np.zeros((3, 4), np.uint8), y_train=[0], x_test=[0], y_test=[0])
    with pytest.raises(LabError, match="side, side"):
        digits(Lab(**(vars(lab) | {"data": path})))


def test_data_may_be_a_file_of_either_kind_or_a_folder_of_both(lab: Lab, tmp_path: Path) -> None:
    digits_path, posts_path = tmp_path / "mnist.npz", tmp_path / "20news-bydate.zip"
    digits_path.touch()
    assert lab.file("mnist.npz") is None
    assert replace(lab, data=tmp_path).file("mnist.npz") == digits_path
    assert replace(lab, data=tmp_path).file("20news-bydate.zip") is None
    assert replace(lab, data=posts_path).file("mnist.npz") is None
    assert replace(lab, data=posts_path).file("20news-bydate.zip") == posts_path
    assert replace(lab, data=tmp_path / "digits.dat").file("mnist.npz") == tmp_path / "digits.dat"
