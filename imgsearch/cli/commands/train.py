"""The command `train`: models of images, and with `--text` of words."""

from pathlib import Path
from typing import Annotated

import typer

from imgsearch.autoencoder.config import NOISES, PRETRAININGS, TrainConfig
from imgsearch.autoencoder.networks.config import ACTIVATIONS, UNPOOLINGS, DenseConfig
from imgsearch.autoencoder.networks.registry import NETWORKS
from imgsearch.autoencoder.recipes import (
    FEWEST_CLASSES,
    LADDER_SIZES,
    TEXT_MINUTES,
    TEXT_SIZES,
    TRAIN_MINUTES,
    NetworkOptions,
    Settings,
    recipe,
    text_recipe,
)
from imgsearch.cli.grammar import UsageError, examples
from imgsearch.cli.options import (
    BatchSizeOption,
    DeviceOption,
    EpochsOption,
    IndexOption,
    JsonOption,
    KeepOption,
    SeedOption,
    as_usage_error,
    choice,
    chosen_device,
    positive_minutes,
    share,
)
from imgsearch.cli.output import note, readable_seconds, say, say_json, tracking
from imgsearch.cli.signals import stopping
from imgsearch.cli.training_output import say_comparison, training_progress
from imgsearch.workflows.training import SCRATCH, Keep


def sizes(text: str) -> tuple[int, ...]:
    """Parse layer sizes such as 3072-1024-256."""
    try:
        return tuple(int(size) for size in text.split("-"))
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} are not sizes such as 3072-1024-256, from the image to the code") from error


def joined(numbers: tuple[int, ...]) -> str:
    return "-".join(map(str, numbers))


@examples(
    "imgsearch train",
    "imgsearch train --minutes 30 --seed 7",
    "imgsearch train --from scratch --epochs 20 --batch-size 512 --device cpu",
    "imgsearch train --network dense --sizes 3072-1024-256 --tied --objective reconstruct+0.1*contractive",
    "imgsearch train --sizes 3072-1024-256 --pretrain rbm --objective reconstruct",
    "imgsearch train --network pca",
    "imgsearch train --text",
)
def train(
    text: Annotated[
        bool,
        typer.Option(
            "--text",
            help="Learn from the alt texts and labels of the images instead: the most frequent words to a code, with "
            f"sizes {joined(TEXT_SIZES)} (Hinton & Salakhutdinov 2006), in {TEXT_MINUTES:g} minutes by default.",
        ),
    ] = False,
    minutes: Annotated[
        float | None,
        typer.Option(
            "--minutes", parser=positive_minutes, metavar="M", help=f"Time to train (default: {TRAIN_MINUTES:g})."
        ),
    ] = None,
    epochs: EpochsOption = None,
    start: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="scratch|FOLDER",
            help="Start from scratch, or from the checkpoint in a folder (default: continue an interrupted run, or "
            "else start from the current model).",
        ),
    ] = None,
    batch_size: BatchSizeOption = TrainConfig.batch_size,
    keep: KeepOption = "better",
    seed: SeedOption = TrainConfig.seed,
    network: Annotated[
        str | None,
        typer.Option(
            "--network",
            parser=choice(*NETWORKS),
            metavar="|".join(NETWORKS),
            help="; ".join(f"{name}: {kind.help}" for name, kind in NETWORKS.items()) + ".",
        ),
    ] = None,
    layer_sizes: Annotated[
        str | None,
        typer.Option(
            "--sizes",
            metavar="N-N-N",
            help=f"Layer sizes: of a dense network (default: {joined(DenseConfig.sizes)}), of a ladder up to its code "
            f"(default: {joined(LADDER_SIZES)}), or the two of pca.",
        ),
    ] = None,
    activation: Annotated[
        str | None,
        typer.Option(
            "--activation",
            parser=choice(*ACTIVATIONS),
            metavar="|".join(ACTIVATIONS),
            help=f"Of the hidden layers of a dense network (default: {DenseConfig.activation}; sigmoid with "
            "--pretrain rbm, as Boltzmann machines have).",
        ),
    ] = None,
    tied: Annotated[
        bool, typer.Option("--tied", help="The decoder of a dense network uses the encoder's weights, transposed.")
    ] = False,
    unpool: Annotated[
        str | None,
        typer.Option(
            "--unpool",
            parser=choice(*UNPOOLINGS),
            metavar="|".join(UNPOOLINGS),
            help="How the decoder of a conv network doubles the side of its maps: by deconvolution (the default), by "
            "repeated values, or by the places of the maxima (Zeiler et al. 2011). The last pass the image around the "
            "code, which then holds less, so it is refused for a model to search with.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Accept --unpool switches all the same.")] = False,
    pretrain: Annotated[
        str | None,
        typer.Option(
            "--pretrain",
            parser=choice(*PRETRAININGS),
            metavar="|".join(PRETRAININGS),
            help=f"Train the layers of a dense network one after another in the first "
            f"{TrainConfig.pretrain_share:.0%} of the budget: as restricted Boltzmann machines (Hinton & "
            "Salakhutdinov 2006) or as autoencoders of one layer (Bengio et al. 2007).",
        ),
    ] = None,
    objective: Annotated[
        str | None,
        typer.Option(
            "--objective",
            metavar="SUM",
            help="A sum of terms, such as reconstruct+0.1*contractive. agree: two views of an image have the same "
            "code, and are reconstructed (Chen et al. 2020; the default); reconstruct: the output equals the input; "
            "denoise: noisy input, clean output (Vincent et al. 2008); contractive: codes change little when images "
            "do (Rifai et al. 2011); classify: codes predict the labels of the corpus, as in finetune; ladder: the "
            "objective of the network ladder.",
        ),
    ] = None,
    noise: Annotated[
        str | None,
        typer.Option(
            "--noise",
            parser=choice(*NOISES),
            metavar="|".join(NOISES),
            help=f"Kind of noise for denoise (default: {TrainConfig.noise}).",
        ),
    ] = None,
    noise_level: Annotated[
        float | None,
        typer.Option(
            "--noise-level",
            parser=share,
            metavar="X",
            help=f"Its standard deviation, or the share of values that is masked (default: {TrainConfig.noise_level}).",
        ),
    ] = None,
    index: IndexOption = None,
    json: JsonOption = False,
    device: DeviceOption = "auto",
) -> None:
    """Fine-tune the autoencoder on the corpus.

    The new model is used unless it finds less than the one before; then reindex. Ctrl-C keeps the best model so far,
    and the next train continues the run.
    """
    layers = None if layer_sizes is None else sizes(layer_sizes)
    options = NetworkOptions(network, layers, activation, tied, pretrain, unpool, allow_switches=force)
    settings: Settings = {
        "minutes": minutes,
        "epochs": epochs,
        "batch_size": batch_size,
        "seed": seed,
        "noise": noise,
        "noise_level": noise_level,
    }
    if text:
        _train_text(options, start, objective, settings, index, json=json, device=device)
    else:
        _train_images(options, start, objective, settings, index, keep=keep, json=json, device=device)


def _train_images(
    options: NetworkOptions,
    start: str | None,
    objective: str | None,
    settings: Settings,
    index: Path | None,
    *,
    keep: Keep,
    json: bool,
    device: str,
) -> None:
    from imgsearch.autoencoder.objectives.registry import Objective
    from imgsearch.workflows import training

    if options.describes_network and start not in (None, SCRATCH):
        raise UsageError("a checkpoint brings its network along: leave out --from, or the options of the network")
    with as_usage_error():
        Objective(recipe(options, objective=objective, n_classes=FEWEST_CLASSES, **settings))
    chosen = chosen_device(device)
    with stopping() as stop, tracking("training") as tracker:
        result = training.train(
            index,
            network=options,
            objective=objective,
            start=start,
            keep=keep,
            device=chosen,
            on_training=training_progress(tracker),
            on_comparing=tracker,
            stop=stop,
            **settings,
        )
    for sentence in result.notes:
        note(sentence)
    if json:
        say_json(result.to_json())
        return
    card = result.card
    say(f"model {card.digest[:12]}: {card.images_seen:,} images seen in {readable_seconds(card.seconds)}")
    say_comparison(result.comparison)
    if result.taken:
        note("next: imgsearch reindex")
    else:
        say(f"It finds less than the model before, which stays in use. The new one is in {result.folder}.")
        note("To use the new one all the same, train with --keep new.")


def _train_text(
    options: NetworkOptions,
    start: str | None,
    objective: str | None,
    settings: Settings,
    index: Path | None,
    *,
    json: bool,
    device: str,
) -> None:
    from imgsearch.autoencoder.objectives.registry import Objective
    from imgsearch.workflows import text_training

    layers = options.sizes
    if layers is not None and (len(layers) < 2 or min(layers) < 1):
        raise UsageError("the sizes of a text network go from the most words to the code, such as 2000-500-250-125-10")
    if options.kind not in (None, "dense") or options.unpool or start not in (None, SCRATCH):
        raise UsageError("words are learned from scratch by the network dense: leave out --network, --unpool, --from")
    if objective is None:  # the recipe's own objective has its own noise
        settings = {**settings, "noise": None, "noise_level": None}
    with as_usage_error():
        most_words, *hidden = layers or TEXT_SIZES
        Objective(text_recipe(most_words, tuple(hidden), options=options, objective=objective, **settings))
    chosen = chosen_device(device)
    with stopping() as stop, tracking("training") as tracker:
        result = text_training.train_text(
            index,
            sizes=layers,
            options=options,
            objective=objective,
            device=chosen,
            on_reading=tracker,
            on_training=training_progress(tracker, unit="texts"),
            on_indexing=tracker,
            stop=stop,
            **settings,
        )
    note(f"indexed the words of {result.described:,} images")
    if json:
        say_json(result.to_json())
        return
    say(
        f"text model {result.card.digest[:12]}: {len(result.words):,} words of {result.described:,} images, "
        f"{readable_seconds(result.card.seconds)}"
    )
    note(f'next: imgsearch search --text "{result.words[0]}"')
