"""Train the text autoencoder on the alt texts and labels of the images, and index their words by it."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from imgsearch.corpus.store import Corpus
from imgsearch.errors import CorpusError, Hint
from imgsearch.paths import IndexPaths, index_paths
from imgsearch.progress import Progress, part_of, silent
from imgsearch.workflows.reindexing import index_words

if TYPE_CHECKING:
    from imgsearch.autoencoder.card import ModelCard
    from imgsearch.autoencoder.config import TrainProgress
    from imgsearch.autoencoder.recipes import NetworkOptions, Settings
    from imgsearch.corpus.words import Vocabulary
    from imgsearch.device import DeviceChoice
    from imgsearch.retrieval.text.bags import Bags

FEWEST_TEXTS = 16


@dataclass(frozen=True)
class TextTrainingResult:
    """A trained text model and the texts that it was trained on."""

    card: "ModelCard"
    words: tuple[str, ...]  # the vocabulary, most frequent first
    described: int  # images that have at least one word of it

    def to_json(self) -> dict[str, Any]:
        return asdict(self.card) | {"words": len(self.words)}


def train_text(
    index: IndexPaths | Path | str | None = None,
    *,
    sizes: tuple[int, ...] | None = None,
    options: "NetworkOptions | None" = None,
    objective: str | None = None,
    device: "DeviceChoice | str" = "auto",
    on_reading: Progress = silent,
    on_training: "Callable[[TrainProgress], None] | None" = None,
    on_indexing: Progress = silent,
    stop: Callable[[], bool] = lambda: False,
    **settings: "Unpack[Settings]",
) -> TextTrainingResult:
    """Train on the words of all images, make the result the text model, and index the words by it.

    Args:
        index: the index directory (default: `$IMGSEARCH_INDEX`, else `index`).
        sizes: the most words to use, then the sizes of the hidden layers and of the code (default: `TEXT_SIZES`).
        options: activation, tied weights and pre-training of the network; the other fields are ignored.
        objective: what to learn (default: all words of a text from a few of them).
        device: where to compute, as `pick_device` takes it, or its result.
        on_reading, on_training, on_indexing: called in the course of the three steps.
        stop: polled at every step; when it returns True training ends early with the best weights so far.
        settings: minutes, epochs, batch_size, seed, noise and noise_level, as `text_recipe` takes them.

    Raises:
        CorpusError: the corpus is missing, or fewer than `FEWEST_TEXTS` images are described.
        ModelError: settings do not fit each other, or the loss became NaN or infinite.
        IndexDirectoryError: the directory cannot be written, or another process is training in it.
    """
    from imgsearch.autoencoder.checkpoint import move_checkpoint
    from imgsearch.autoencoder.recipes import TEXT_SIZES, text_recipe
    from imgsearch.autoencoder.training.train import train as run_training
    from imgsearch.device import pick_device
    from imgsearch.retrieval.text.bags import DenseRows, rows_with_words, tf_idf
    from imgsearch.retrieval.text.text_index import write_vocabulary

    paths, (most_words, *layers) = index_paths(index), sizes or TEXT_SIZES
    chosen = pick_device(device) if isinstance(device, str) else device
    with Corpus.open(paths) as corpus:
        vocabulary, bags = _read_texts(corpus, most_words, on_reading)
    config = text_recipe(len(vocabulary), tuple(layers), options=options, objective=objective, **settings)
    described = rows_with_words(bags)
    card = run_training(
        DenseRows(tf_idf(bags, vocabulary)),
        described,
        paths.text,
        config,
        resume=False,
        into=paths.text.candidate,
        device=chosen,
        on_progress=on_training,
        stop=stop,
    )
    write_vocabulary(paths, vocabulary, card.digest)
    move_checkpoint(paths.text.candidate, paths.text.model)
    index_words(paths, chosen, on_progress=part_of(on_indexing, 0, 1, "indexing words"))
    return TextTrainingResult(card, tuple(vocabulary.words), len(described))


def _read_texts(corpus: Corpus, most_words: int, on_progress: Progress) -> "tuple[Vocabulary, Bags]":
    from imgsearch.corpus.texts import row_texts
    from imgsearch.corpus.words import Vocabulary
    from imgsearch.retrieval.text.bags import count_words, rows_with_words
    from imgsearch.retrieval.text.text_index import counted

    texts = row_texts(corpus)
    vocabulary = Vocabulary.of(counted(texts, part_of(on_progress, 0, 0.5, "reading texts")), most_words)
    bags = count_words(counted(texts, part_of(on_progress, 0.5, 1, "reading texts")), vocabulary)
    n_described = len(rows_with_words(bags))
    if n_described < FEWEST_TEXTS:
        raise CorpusError(
            f"only {n_described:,} images have an alt text or a label, and {FEWEST_TEXTS} are needed.",
            hint=Hint.DESCRIBE_IMAGES,
        )
    return vocabulary, bags
