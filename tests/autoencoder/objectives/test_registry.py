"""Properties of all loss terms in the registry."""

import pytest
import torch

from imgsearch.autoencoder.config import TrainConfig
from imgsearch.autoencoder.networks.base import Autoencoder
from imgsearch.autoencoder.networks.config import ConvConfig, LadderConfig
from imgsearch.autoencoder.networks.conv import ConvAutoencoder
from imgsearch.autoencoder.networks.ladder import LadderAutoencoder
from imgsearch.autoencoder.objectives.base import Batch
from imgsearch.autoencoder.objectives.registry import TERMS, Objective
from imgsearch.errors import ModelError


def network_for(term: str) -> Autoencoder:
    torch.manual_seed(0)
    if term == "ladder":
        return LadderAutoencoder(LadderConfig((3072, 16, 8, 3)))
    return ConvAutoencoder(ConvConfig(channels=(8, 8, 8, 8, 16), code_size=12, invariant_size=9))


def objective_of(term: str) -> Objective:
    beside = () if TERMS[term].prevents_collapse else (("reconstruct", 1.0),)
    return Objective(TrainConfig(objective=((term, 1.0), *beside)))


def batch() -> Batch:
    torch.manual_seed(1)
    images = torch.rand(8, 3, 32, 32)
    return Batch(images, torch.Generator().manual_seed(0), images[:6], torch.arange(6) % 3)


@pytest.mark.parametrize("name", TERMS)
def test_a_term_says_what_it_does_and_has_a_finite_loss_for_training_and_validation(name: str) -> None:
    network, objective, examples = network_for(name).eval(), objective_of(name), batch()
    assert TERMS[name].help
    objective.check(network, n_classes=3)
    assert examples.labelled is not None
    assert examples.labels is not None
    objective.make_heads(network, examples.labelled, examples.labels, 3)
    for loss in (objective.training_loss, objective.decoder_loss, objective.validation_loss):
        assert loss(network, examples)["loss"].isfinite()


@pytest.mark.parametrize("name", TERMS)
@pytest.mark.parametrize("training", [True, False])
def test_no_loss_switches_the_network_between_training_and_evaluation(name: str, training: bool) -> None:
    network, objective, examples = network_for(name).eval(), objective_of(name), batch()
    assert examples.labelled is not None
    assert examples.labels is not None
    objective.make_heads(network, examples.labelled, examples.labels, 3)
    network.train(training)
    for loss in (objective.training_loss, objective.decoder_loss, objective.validation_loss):
        loss(network, examples)
        assert {module.training for module in network.modules()} == {training}


@pytest.mark.parametrize("name", [name for name, term in TERMS.items() if term.trains_decoder])
def test_a_term_that_trains_the_decoder_gives_it_a_gradient(name: str) -> None:
    network = network_for(name)
    objective_of(name).training_loss(network, batch())["loss"].backward()  # type: ignore[no-untyped-call] # torch's own
    assert all(parameter.grad is not None for parameter in network.decoder.parameters())


@pytest.mark.parametrize("name", [name for name, term in TERMS.items() if term.needs_labels])
def test_a_term_that_needs_labels_is_refused_without(name: str) -> None:
    assert objective_of(name).needs_labels
    with pytest.raises(ModelError, match="at least two classes"):
        objective_of(name).check(network_for(name), n_classes=0)


def test_only_heads_of_terms_that_have_one_are_made() -> None:
    assert not Objective(TrainConfig()).has_heads
    objective, examples = Objective(TrainConfig(objective=(("agree", 1.0), ("classify", 1.0)))), batch()
    assert examples.labelled is not None
    assert examples.labels is not None
    objective.make_heads(network_for("classify").eval(), examples.labelled, examples.labels, 3)
    assert list(objective.heads) == ["classify"]


def test_the_decoder_phase_and_the_choice_of_the_best_follow_from_the_terms() -> None:
    def of(*names: str) -> Objective:
        return Objective(TrainConfig(objective=tuple((name, 1.0) for name in names)))

    assert of("agree").decoder_share == of("classify").decoder_share == TrainConfig().decoder_phase
    assert of("reconstruct", "contractive").decoder_share == of("denoise").decoder_share == 0
    assert of("agree", "classify").trains_decoder
    assert not of("classify").trains_decoder
