"""The command that teaches the current model labels. Knows no algorithm; torch is loaded when it runs.

Some labels are held out: their images ask both models for images of their label, and decide which one stays.
"""

from argparse import Namespace
from dataclasses import asdict

from imgsearch.cli.output import note, readable_seconds, say, say_json, tracking
from imgsearch.cli.signals import stopping
from imgsearch.cli.train import model_before, take_candidate, training_progress
from imgsearch.corpus.labels import own_labels, read_labels
from imgsearch.corpus.store import Corpus
from imgsearch.paths import index_paths


def finetune(arguments: Namespace) -> None:
    """Learn the labels of some images; take the new model if held-out images find more of their label by it."""
    from imgsearch.autoencoder.recipes import finetune_recipe
    from imgsearch.autoencoder.training.train import train
    from imgsearch.device import pick_device
    from imgsearch.retrieval.evaluation.model_comparison import compare_models

    paths = index_paths(arguments.index)
    config = finetune_recipe(
        objective=arguments.objective,
        minutes=arguments.minutes,
        epochs=arguments.epochs,
        batch_size=arguments.batch_size,
        seed=arguments.seed,
    )
    with Corpus.open(paths) as corpus:
        labels = read_labels(arguments.labels, corpus) if arguments.labels else own_labels(corpus)
        held_out = labels.held_out(arguments.held_out, arguments.seed)
        for sentence in labels.notes:
            note(sentence)
        device = pick_device(arguments.device)
        note(device.reason)
        n = len(labels.rows)
        note(f"{len(labels.names)} labels on {n:,} images: {n - len(held_out):,} are learned, {len(held_out):,} ask.")
        before = model_before(paths, device)
        with stopping() as stop, tracking("fine-tuning") as tracker:
            card = train(
                corpus.thumbnails(),
                corpus.live_rows(),
                paths,
                config,
                labels=labels.without(held_out),
                init_from=before,
                into=paths.candidate,
                device=device,
                on_progress=training_progress(tracker),
                stop=stop,
            )
        with tracking("comparing") as tracker:
            comparison = compare_models(
                before,
                paths.candidate,
                corpus,
                device,
                texts=labels.texts(),
                asking=held_out,
                on_progress=tracker,
            )
    taken = take_candidate(paths, arguments, is_better=comparison.is_better)
    if arguments.json:
        say_json(asdict(card) | {"comparison": comparison.to_json(), "taken": taken, "notes": labels.notes})
        return
    say(f"model {card.digest[:12]}: {len(labels.names)} labels learned in {readable_seconds(card.seconds)}")
    for line in comparison.lines():
        say(line)
    if taken:
        note("next: imgsearch reindex, then imgsearch evaluate")
    else:
        say(f"Held-out images find no more of their label than before, so the model before stays; {paths.candidate}")
        say("holds the new one. More labels or more --minutes may help.")
        note("To take the new one all the same: --keep new.")
