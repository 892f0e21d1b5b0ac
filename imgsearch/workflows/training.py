"""Train a model, compare it with the one before, and keep the better of the two."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Unpack

from imgsearch.autoencoder.card import SHIPPED, current_model
from imgsearch.errors import ModelError
from imgsearch.paths import IndexPaths, index_paths
from imgsearch.progress import Progress, part_of, silent

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from imgsearch.autoencoder.card import ModelCard
    from imgsearch.autoencoder.config import TrainConfig, TrainProgress
    from imgsearch.autoencoder.recipes import NetworkOptions, Settings
    from imgsearch.corpus.labels import Labels
    from imgsearch.corpus.store import Corpus
    from imgsearch.device import DeviceChoice
    from imgsearch.retrieval.evaluation.model_comparison import Comparison

CURRENT, SCRATCH = "current", "scratch"  # what training starts from, if not a checkpoint in a folder
HELD_OUT = 0.2  # share of the labels that `finetune` does not learn
Keep = Literal["better", "new"]


@dataclass(frozen=True)
class TrainingResult:
    """A trained model, its comparison with the one before, and which of them is used now."""

    card: "ModelCard"
    comparison: "Comparison"
    taken: bool  # whether the new model is the current one now
    folder: Path  # of the new model
    notes: tuple[str, ...]  # sentences: a damaged model was passed over, an interrupted run was continued

    def to_json(self) -> dict[str, Any]:
        return asdict(self.card) | {"comparison": self.comparison.to_json(), "taken": self.taken}


@dataclass(frozen=True)
class LabelSplit:
    """Labels of a corpus, and the labelled rows that are held out to compare the models."""

    labels: "Labels"
    held_out: "NDArray[np.int64]"  # rows, ascending

    @property
    def learned(self) -> "NDArray[np.int64]":
        """The label numbers (n,) to learn from: -1 for unlabelled and for held-out rows."""
        return self.labels.without(self.held_out)


def train(
    index: IndexPaths | Path | str | None = None,
    *,
    network: "str | NetworkOptions | None" = None,
    objective: str | None = None,
    start: Path | str | None = None,
    keep: Keep = "better",
    device: "DeviceChoice | str" = "auto",
    on_training: "Callable[[TrainProgress], None] | None" = None,
    on_comparing: Progress = silent,
    stop: Callable[[], bool] = lambda: False,
    **settings: "Unpack[Settings]",
) -> TrainingResult:
    """Train the autoencoder on the corpus and use the new model unless it finds less than the one before.

    The index is not rebuilt: call `reindex` afterwards.

    Args:
        index: the index directory (default: `$IMGSEARCH_INDEX`, else `index`).
        network: the kind of network to train from scratch, or choices in detail; None keeps the current network.
        objective: what to learn, such as "reconstruct+0.1*contractive" (default: what suits the network).
        start: "scratch", or a folder with a checkpoint to fine-tune. By default an interrupted run with the same images
            and settings is continued; otherwise training starts from the current model, or from scratch with `network`.
        keep: "new" uses the new model even if it finds less.
        device: where to compute, as `pick_device` takes it, or its result.
        on_training: called about twice a second.
        on_comparing: called while the two models are compared.
        stop: polled at every step; when it returns True training ends early with the best weights so far.
        settings: minutes, epochs, batch_size, seed, noise and noise_level, as `recipe` takes them.

    Raises:
        CorpusError: the corpus is missing or damaged, or lacks labels that the objective needs.
        ModelError: there are too few images, choices contradict each other, or the loss became NaN or infinite.
        IndexDirectoryError: the directory cannot be written, or another process is training in it.
    """
    from imgsearch.autoencoder.recipes import NetworkOptions, needs_labels, recipe
    from imgsearch.corpus.labels import own_labels
    from imgsearch.corpus.store import Corpus

    paths = index_paths(index)
    options = network if isinstance(network, NetworkOptions) else NetworkOptions(network)
    is_checkpoint = start is not None and start != SCRATCH
    if is_checkpoint and options.describes_network:
        raise ModelError("a checkpoint brings its network along: choose a checkpoint or a network, not both.")
    with Corpus.open(paths) as corpus:
        n_classes = len(own_labels(corpus).names) if options.kind == "ladder" else 0
        config = recipe(options, objective=objective, n_classes=n_classes, **settings)
        return train_and_compare(
            paths,
            corpus,
            config,
            labels=own_labels(corpus).numbers if needs_labels(config) else None,
            start=start or (SCRATCH if options.describes_network else CURRENT),
            resume=start is None,
            accept=lambda comparison: keep == "new" or not comparison.is_worse,
            device=device,
            on_training=on_training,
            on_comparing=on_comparing,
            stop=stop,
        )


def finetune(
    split: LabelSplit,
    index: IndexPaths | Path | str | None = None,
    *,
    objective: str = "classify",
    keep: Keep = "better",
    device: "DeviceChoice | str" = "auto",
    on_training: "Callable[[TrainProgress], None] | None" = None,
    on_comparing: Progress = silent,
    stop: Callable[[], bool] = lambda: False,
    **settings: "Unpack[Settings]",
) -> TrainingResult:
    """Teach the current model the labels of `split`; use the new model if held-out images find more of their label.

    Args:
        split: labels and held-out rows, from `split_labels`.
        objective: what to learn, with a term that learns from labels.
        index, keep, device, on_training, on_comparing, stop, settings: as for `train`.

    Raises:
        CorpusError, ModelError, IndexDirectoryError: as for `train`.
    """
    from imgsearch.autoencoder.recipes import finetune_recipe
    from imgsearch.corpus.store import Corpus

    paths = index_paths(index)
    with Corpus.open(paths) as corpus:
        return train_and_compare(
            paths,
            corpus,
            finetune_recipe(objective=objective, **settings),
            labels=split.learned,
            texts=split.labels.texts(),
            queries=split.held_out,
            accept=lambda comparison: keep == "new" or comparison.is_better,
            device=device,
            on_training=on_training,
            on_comparing=on_comparing,
            stop=stop,
        )


def split_labels(
    index: IndexPaths | Path | str | None = None,
    *,
    labels: Path | str | None = None,
    held_out: float = HELD_OUT,
    seed: int = 0,
) -> LabelSplit:
    """Read labels and draw the rows that are held out.

    Args:
        index: the index directory (default: `$IMGSEARCH_INDEX`, else `index`).
        labels: a CSV file with the columns label and row or url (default: the labels stored in the corpus).
        held_out: share of each label's images to hold out.
        seed: of the random draw.

    Raises:
        CorpusError: the corpus is missing, the file cannot be read, or there are fewer than two labels with two images.
    """
    from imgsearch.corpus.labels import own_labels, read_labels
    from imgsearch.corpus.store import Corpus

    with Corpus.open(index_paths(index)) as corpus:
        found = read_labels(Path(labels), corpus) if labels is not None else own_labels(corpus)
        return LabelSplit(found, found.held_out(held_out, seed))


def train_and_compare(
    paths: IndexPaths,
    corpus: "Corpus",
    config: "TrainConfig",
    *,
    accept: "Callable[[Comparison], bool]",
    labels: "NDArray[np.int64] | None" = None,
    texts: list[str] | None = None,
    queries: "NDArray[np.int64] | None" = None,
    start: Path | str = CURRENT,
    resume: bool = True,
    device: "DeviceChoice | str" = "auto",
    on_training: "Callable[[TrainProgress], None] | None" = None,
    on_comparing: Progress = silent,
    stop: Callable[[], bool] = lambda: False,
) -> TrainingResult:
    """Train into `paths.candidate`, compare with the model before, and replace that model if the new one is accepted.

    Args:
        accept: decides from the comparison whether the new model is used.
        config: how to train, and which network where training starts from scratch.
        labels: (n,) label numbers to learn from, -1 where there is none; None for objectives without labels.
        texts: (n,) label of each row for the comparison, "" for none (default: the corpus's own labels).
        queries: rows that are queries in the comparison (default: a random sample).
        start: "current" to fine-tune the current model, "scratch", or a folder with a checkpoint to fine-tune.
        resume: continue an interrupted run with the same images and settings instead, if there is one.
        paths, corpus, device, on_training, on_comparing, stop: as for `train`.

    Raises:
        ModelError, IndexDirectoryError: as for `train`.
    """
    from imgsearch.autoencoder.checkpoint import move_checkpoint
    from imgsearch.autoencoder.training.train import train as run_training
    from imgsearch.device import pick_device
    from imgsearch.retrieval.evaluation.model_comparison import compare_models

    chosen = pick_device(device) if isinstance(device, str) else device
    before, notes = model_before(paths, chosen)
    card = run_training(
        corpus.thumbnails(),
        corpus.live_rows(),
        paths,
        config,
        labels=labels,
        init_from=before if start == CURRENT else None if start == SCRATCH else Path(start),
        resume=resume,
        into=paths.candidate,
        device=chosen,
        on_progress=on_training,
        stop=stop,
    )
    comparison = compare_models(
        before,
        paths.candidate,
        corpus,
        chosen,
        labels=texts,
        queries=queries,
        on_progress=part_of(on_comparing, 0, 1, "comparing"),
    )
    taken = accept(comparison)
    if taken:
        move_checkpoint(paths.candidate, paths.model)
    folder = paths.model if taken else paths.candidate
    return TrainingResult(card, comparison, taken, folder, (*notes, *filter(None, [card.note])))


def model_before(paths: IndexPaths, device: "DeviceChoice") -> tuple[Path, tuple[str, ...]]:
    """Return the folder of the current model, or of the shipped one where that is damaged, with a note saying so."""
    from imgsearch.autoencoder.checkpoint import load_checkpoint

    try:
        load_checkpoint(current_model(paths), device.device)
    except ModelError as error:
        return SHIPPED, (f"{error} Training starts from the model that comes with imgsearch instead.",)
    return current_model(paths), ()
