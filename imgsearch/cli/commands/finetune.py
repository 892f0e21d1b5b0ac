"""The command `finetune`."""

from pathlib import Path
from typing import Annotated

import typer

from imgsearch.autoencoder.config import TrainConfig
from imgsearch.autoencoder.recipes import FINETUNE_MINUTES, Settings, finetune_recipe
from imgsearch.cli.grammar import examples
from imgsearch.cli.options import (
    BatchSizeOption,
    DeviceOption,
    EpochsOption,
    IndexOption,
    JsonOption,
    KeepOption,
    SeedOption,
    as_usage_error,
    chosen_device,
    positive_minutes,
    share,
)
from imgsearch.cli.output import note, readable_seconds, say, say_json, tracking
from imgsearch.cli.signals import stopping
from imgsearch.cli.training_output import say_comparison, training_progress
from imgsearch.workflows.training import HELD_OUT


@examples("imgsearch finetune", "imgsearch finetune --labels labels.csv --minutes 10")
def finetune(
    labels: Annotated[
        Path | None,
        typer.Option(
            "--labels",
            metavar="FILE",
            help="A CSV file with the columns label and row or url (default: the labels stored in the corpus).",
        ),
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(
            "--minutes",
            parser=positive_minutes,
            metavar="M",
            help=f"Time to train (default: {FINETUNE_MINUTES:g}).",
        ),
    ] = None,
    epochs: EpochsOption = None,
    objective: Annotated[
        str, typer.Option("--objective", metavar="SUM", help="What is learned: classify, or agree+classify.")
    ] = "classify",
    held_out: Annotated[
        float,
        typer.Option(
            "--held-out",
            parser=share,
            metavar="X",
            help="Share of the labels that is not learned: its images are the queries that compare the two models.",
        ),
    ] = HELD_OUT,
    keep: KeepOption = "better",
    batch_size: BatchSizeOption = TrainConfig.batch_size,
    seed: SeedOption = TrainConfig.seed,
    index: IndexOption = None,
    json: JsonOption = False,
    device: DeviceOption = "auto",
) -> None:
    """Teach the current model the labels of some images.

    A softmax layer on the code is trained together with the whole network. The new model is used if images that were
    held out find more of their label than before; then reindex.
    """
    from imgsearch.autoencoder.objectives.registry import Objective
    from imgsearch.workflows import training

    settings: Settings = {"minutes": minutes, "epochs": epochs, "batch_size": batch_size, "seed": seed}
    with as_usage_error():
        Objective(finetune_recipe(objective=objective, **settings))
    split = training.split_labels(index, labels=labels, held_out=held_out, seed=seed)
    for sentence in split.labels.notes:
        note(sentence)
    chosen = chosen_device(device)
    names, n, n_held_out = split.labels.names, len(split.labels.rows), len(split.held_out)
    note(f"{len(names)} labels on {n:,} images: {n - n_held_out:,} are learned, {n_held_out:,} are queries")
    with stopping() as stop, tracking("fine-tuning") as tracker:
        result = training.finetune(
            split,
            index,
            objective=objective,
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
        say_json(result.to_json() | {"notes": split.labels.notes})
        return
    card = result.card
    say(f"model {card.digest[:12]}: {len(names)} labels learned in {readable_seconds(card.seconds)}")
    say_comparison(result.comparison)
    if result.taken:
        note("next: imgsearch reindex, then imgsearch evaluate")
    else:
        say("Held-out images find no more of their label than before, so the model before stays in use;")
        say(f"the new one is in {result.folder}. More labels or more --minutes may help.")
        note("To use the new one all the same: --keep new.")
