"""Recipes: settings that follow from a network, and a text autoencoder that learns which words go together."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from imgsearch.autoencoder.checkpoint import load_checkpoint
from imgsearch.autoencoder.config import TrainConfig
from imgsearch.autoencoder.networks.config import ConvConfig, DenseConfig, LadderConfig, PcaConfig
from imgsearch.autoencoder.recipes import (
    FINETUNE_MINUTES,
    LADDER_SIZES,
    TEXT_HIDDEN,
    TEXT_MINUTES,
    TEXT_SIZES,
    WITHHELD,
    NetworkOptions,
    finetune_recipe,
    needs_labels,
    recipe,
    text_recipe,
)
from imgsearch.autoencoder.training.train import train
from imgsearch.corpus.words import Vocabulary
from imgsearch.device import pick_device
from imgsearch.errors import Hint, ModelError
from imgsearch.paths import IndexPaths
from imgsearch.retrieval.text.bags import DenseRows, count_words, tf_idf
from tests.support.text_index import TOPICS, described

CPU = pick_device("cpu")


# ----------------------------------------------------------------------------------------------------------------------
# Networks for images


@pytest.mark.parametrize(
    ("network", "objective"),
    [(None, "agree"), ("conv", "agree"), ("dense", "agree"), ("ladder", "ladder"), ("pca", "reconstruct")],
)
def test_each_network_has_its_own_objective_unless_another_is_chosen(network: str | None, objective: str) -> None:
    assert recipe(network, n_classes=3).objective == ((objective, 1.0),)
    chosen = recipe(network, n_classes=3, objective="2*denoise+reconstruct")
    assert chosen.objective == (("denoise", 2.0), ("reconstruct", 1.0))


def test_a_recipe_without_choices_is_the_default_configuration() -> None:
    assert recipe() == TrainConfig()
    assert recipe(minutes=3, seed=7, batch_size=None) == TrainConfig(minutes=3, seed=7)
    assert not NetworkOptions().describes_network
    assert NetworkOptions(tied=True).describes_network


def test_a_ladder_is_trained_by_adam_and_ends_in_the_classes_of_the_labels() -> None:
    config = recipe("ladder", n_classes=7)
    assert config.network == LadderConfig((*LADDER_SIZES, 7))
    assert config.matrix_rate == 0
    assert needs_labels(config)
    assert recipe("dense").matrix_rate == TrainConfig().matrix_rate
    with pytest.raises(ModelError, match="at least two classes"):
        recipe("ladder", n_classes=1)


def test_options_imply_the_network_that_takes_them() -> None:
    assert recipe(NetworkOptions(sizes=(3072, 32, 8))).network == DenseConfig((3072, 32, 8))
    assert recipe(NetworkOptions(unpool="repeat")).network == ConvConfig(unpool="repeat")
    assert recipe(NetworkOptions("pca", sizes=(3072, 16))).network == PcaConfig(16)


def test_boltzmann_machines_get_sigmoid_units_unless_others_are_chosen() -> None:
    config = recipe(NetworkOptions(sizes=(3072, 32, 8), pretrain="rbm"))
    assert (network_of(config).activation, config.pretrain) == ("sigmoid", "rbm")
    assert network_of(recipe(NetworkOptions(pretrain="rbm", activation="silu"))).activation == "silu"
    assert network_of(recipe(NetworkOptions(pretrain="layerwise"))).activation == "relu"


def test_switches_are_refused_unless_allowed_and_then_learn_to_reconstruct() -> None:
    with pytest.raises(ModelError, match="the code holds less") as refused:
        recipe(NetworkOptions(unpool="switches"))
    assert refused.value.hint is Hint.UNPOOL_WITHOUT_SWITCHES
    config = recipe(NetworkOptions(unpool="switches", allow_switches=True))
    assert config.objective == (("reconstruct", 1.0),)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (NetworkOptions("pca", tied=True), "tied is for the network dense, not for pca"),
        (NetworkOptions("dense", unpool="repeat"), "unpool is for the network conv, not for dense"),
        (NetworkOptions("conv", sizes=(3, 2)), "sizes is for the network dense and ladder and pca, not for conv"),
        (NetworkOptions(unpool="repeat", tied=True), "tied is for the network dense, not for conv"),
        (NetworkOptions("dens"), "no network 'dens'"),
    ],
)
def test_options_of_another_network_are_refused(options: NetworkOptions, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        recipe(options)


def test_fine_tuning_learns_labels_in_five_minutes_unless_told_otherwise() -> None:
    config = finetune_recipe()
    assert (config.objective, config.minutes) == ((("classify", 1.0),), FINETUNE_MINUTES)
    assert needs_labels(config)
    assert not needs_labels(recipe())
    assert finetune_recipe(objective="agree+classify", epochs=2).minutes is None


def test_recipes_do_not_load_torch() -> None:
    code = (
        "import sys; from imgsearch.autoencoder import recipes; recipes.recipe('pca'); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# ----------------------------------------------------------------------------------------------------------------------
# Words


def network_of(config: TrainConfig) -> DenseConfig:
    assert isinstance(config.network, DenseConfig)
    return config.network


def test_the_text_network_has_the_sizes_of_the_paper() -> None:
    assert network_of(text_recipe(2000, (*TEXT_HIDDEN, 10))).sizes == (2000, 500, 250, 125, 10)
    assert network_of(text_recipe(74)).sizes == (74, *TEXT_SIZES[1:])
    assert network_of(text_recipe(74)).output == "softmax"


def test_a_text_recipe_withholds_words_unless_another_objective_is_chosen() -> None:
    usual, other = text_recipe(74), text_recipe(74, objective="denoise", noise="gaussian", noise_level=0.1, epochs=3)
    assert (usual.objective, usual.noise, usual.noise_level) == ((("denoise", 1.0),), "mask", WITHHELD)
    assert (usual.minutes, usual.epochs) == (TEXT_MINUTES, None)
    assert (other.noise, other.noise_level, other.minutes, other.epochs) == ("gaussian", 0.1, None, 3)


def test_a_text_network_predicts_the_words_that_go_with_a_given_one(tmp_path: Path) -> None:
    texts = [text for text, _ in described()]
    vocabulary = Vocabulary.of(texts)
    examples = DenseRows(tf_idf(count_words(texts, vocabulary), vocabulary))
    paths = IndexPaths(tmp_path)
    config = replace(text_recipe(len(vocabulary), (32, 8), epochs=60, batch_size=16), noise_level=0.5)
    train(examples, np.arange(len(texts)), paths, config, device=CPU)
    network, _ = load_checkpoint(paths.model, CPU.device)
    for words in TOPICS.values():
        query = tf_idf(count_words(words[:1], vocabulary), vocabulary).toarray()
        with torch.inference_mode():
            likely = network(torch.from_numpy(query))[1][0].numpy()  # (v,)
        assert abs(likely.sum() - 1) < 1e-5
        of_topic = sum(likely[vocabulary.places[word]] for word in words)
        assert of_topic > 0.8  # a third if nothing is learned
