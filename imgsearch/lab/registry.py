"""The experiments in the order of the lecture: name, one-line summary, data, chapter text and function of each.

The command line and the lab's page derive from these records. Imports no torch: the module of an experiment is loaded
when it is run.
"""

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from imgsearch.errors import LabError

if TYPE_CHECKING:
    from imgsearch.lab.finding import Finding, Lab


@dataclass(frozen=True)
class Experiment:
    """One experiment and its chapter in the lecture."""

    name: str  # as it is typed
    heading: str  # of its chapter, where there is no finding with a title of its own
    summary: str  # one line for help texts
    data: str  # what it runs on
    function: str  # "module:function" in `imgsearch.lab.experiments`
    chapter: str  # text of its chapter


_EXPERIMENTS = (
    Experiment(
        "digits-30",
        "Digits through a narrow code",
        "reconstruct digits from 30 numbers, by a deep autoencoder and by principal components",
        "MNIST",
        "digits:run_30",
        "The simplest autoencoder is linear, and the best linear one is known: principal components, the directions in "
        "which the data vary most. But digits do not lie in a flat subspace. A network with hidden layers on both "
        "sides of the code follows the curved surface on which they lie, and reconstructs sharp strokes from as many "
        "numbers as leave the linear method with a blur.",
    ),
    Experiment(
        "digits-2d",
        "Digits in a plane",
        "place digits in the plane of a code of two numbers",
        "MNIST",
        "digits:run_2d",
        "With only two numbers, the code is a map. The network never sees which digit an image shows. Still it places "
        "similar digits close together, because the decoder must draw similar digits from neighbouring points.",
    ),
    Experiment(
        "pretraining",
        "Training deep networks layer by layer",
        "train deep sigmoid networks from a random start and with layer-wise pre-training",
        "MNIST",
        "pretraining:run",
        "For twenty years such networks could hardly be trained: from a random start, the gradient vanishes in the "
        "sigmoid layers. In 2006 it was found that training one layer at a time works, each as a restricted Boltzmann "
        "machine or as a small autoencoder of the layer below, followed by training all layers together. Labels are "
        "needed only for the last step, and few of them.",
    ),
    Experiment(
        "denoise",
        "Denoising",
        "train an autoencoder to remove noise, and look at what its units detect",
        "MNIST",
        "noise:run",
        "A wide code can copy its input and learn nothing. One way to prevent that is to add noise to the input and to "
        "compare the output with the clean image. Copying no longer helps; the network has to learn the structure of "
        "digits.",
    ),
    Experiment(
        "contract",
        "Codes that change only where digits vary",
        "penalise the encoder's Jacobian, and count the directions to which the code still responds",
        "MNIST",
        "contraction:run",
        "Another way is to penalise the encoder's derivatives: the code should change as little as possible when the "
        "input changes. Reconstruction works against this penalty, and only for the directions in which the data vary. "
        "There are few of them.",
    ),
    Experiment(
        "unpool",
        "What pooling discards",
        "compare three ways to undo max pooling, and what each leaves in the code",
        "the corpus, or MNIST",
        "unpooling:run",
        "Networks for images share their weights over all positions, and pool: they keep a maximum and discard its "
        "position. A decoder that receives these positions separately (as switches) draws sharper images. But then the "
        "positions are missing from the code, and the code is what we search by.",
    ),
    Experiment(
        "deconv",
        "Deconvolution is convolution",
        "compute a transposed convolution as an ordinary convolution",
        "no data",
        "deconvolution:run",
        "Such a decoder computes large maps from small ones. Its “deconvolution” is a convolution too: insert zeros "
        "between and around the values, rotate the kernel by 180 degrees, and convolve.",
    ),
    Experiment(
        "generate",
        "Images from new codes",
        "decode codes that belong to no image: between images, around them, and on a grid",
        "MNIST, and the corpus where there is one",
        "generation:run",
        "A decoder draws an image from any code, including codes that belong to no image: between two images, around "
        "one, or on a grid. Where codes lie densely the results look plausible, and they show how the code is "
        "organised.",
    ),
    Experiment(
        "text",
        "The same for texts",
        "compare neighbours by a text autoencoder, by latent semantic analysis and by TF-IDF",
        "20 newsgroups, or the corpus",
        "texts:run",
        "A text is treated as a bag of words: two thousand word counts instead of pixels. Through a narrow code, the "
        "same kind of network places posts on the same topic together, where the linear method, latent semantic "
        "analysis, mixes them.",
    ),
    Experiment(
        "ladder",
        "Digits from a hundred labels",
        "learn digits from a hundred labels, with a ladder network and without",
        "MNIST",
        "ladders:run",
        "The ladder network denoises at every layer, with direct connections from encoder to decoder, so that upper "
        "layers can discard details. Besides the hundred labels, it learns from thousands of digits without labels.",
    ),
    Experiment(
        "map",
        "The map of your images",
        "place the corpus in a plane by t-SNE and PCA, by codes and by pixels",
        "the corpus",
        "maps:run",
        "The last chapter is about your own images. By their pixels, images with similar colours lie close together; "
        "by their codes, images that show similar things. Both maps contain the same images.",
    ),
)
EXPERIMENTS = {experiment.name: experiment for experiment in _EXPERIMENTS}


def run_experiment(name: str, lab: "Lab") -> "Finding":
    """Run the experiment with this name.

    Raises:
        LabError: there is no such experiment, it has no data to run on, or it was stopped.
        ModelError: a training cannot start.
    """
    if name not in EXPERIMENTS:
        raise LabError(f"there is no experiment {name!r}; there are {', '.join(EXPERIMENTS)}.")
    module, _, function = EXPERIMENTS[name].function.partition(":")
    run = getattr(import_module(f"imgsearch.lab.experiments.{module}"), function)
    finding: Finding = run(lab)
    return finding
