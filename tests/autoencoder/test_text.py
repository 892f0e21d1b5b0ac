"""The text autoencoder is the network of 2006, and it learns: which words go together, from a few of them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from imgsearch.autoencoder.checkpoint import load_checkpoint
from imgsearch.autoencoder.config import TrainConfig
from imgsearch.autoencoder.networks.dense import DenseConfig
from imgsearch.autoencoder.text import SIZES, text_config
from imgsearch.autoencoder.training.train import train
from imgsearch.corpus.words import Vocabulary
from imgsearch.device import pick_device
from imgsearch.paths import IndexPaths
from imgsearch.retrieval.text.bags import Bags, WordVectors
from tests.support.text_index import TOPICS, described

CPU = pick_device("cpu")


def network_of(config: TrainConfig) -> DenseConfig:
    assert isinstance(config.network, DenseConfig)
    return config.network


def test_its_sizes_are_those_of_the_paper() -> None:
    assert network_of(text_config(2000, 10)).sizes == (2000, 500, 250, 125, 10)
    assert network_of(text_config(74)).sizes == (74, *SIZES[1:])
    assert network_of(text_config(74)).output == "softmax"


def test_it_says_which_words_go_with_one_that_it_is_given(tmp_path: Path) -> None:
    texts = [text for text, _ in described()]
    vocabulary = Vocabulary.of(texts)
    vectors = WordVectors.of(Bags.of(texts, vocabulary), vocabulary)
    paths = IndexPaths(tmp_path)
    config = replace(text_config(len(vocabulary), 8, epochs=60, hidden=(32,), batch_size=16), noise_level=0.5)
    train(vectors.as_examples(), np.arange(len(texts)), paths, config, device=CPU)
    network, _ = load_checkpoint(paths.model, CPU.device)
    for words in TOPICS.values():
        query = WordVectors.of(Bags.of(words[:1], vocabulary), vocabulary)[:]
        with torch.inference_mode():
            likely = network(torch.from_numpy(query))[1][0].numpy()  # (v,)
        assert abs(likely.sum() - 1) < 1e-5
        of_topic = sum(likely[vocabulary.places[word]] for word in words)
        assert of_topic > 0.8  # a third where nothing is learned
