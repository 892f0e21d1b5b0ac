"""What the commands do with words: train on them, index them, search by them. Each one library call, then the answer.

Knows no algorithm; torch is loaded by what needs it.
"""

from argparse import Namespace
from dataclasses import asdict
from typing import TYPE_CHECKING

from imgsearch.cli.hits import say_hits
from imgsearch.cli.output import note, readable_seconds, say, say_json, tracking
from imgsearch.cli.signals import stopping
from imgsearch.corpus.store import Corpus
from imgsearch.errors import CorpusError, ModelError
from imgsearch.paths import IndexPaths, index_paths, replacing

if TYPE_CHECKING:
    from imgsearch.autoencoder.card import ModelCard
    from imgsearch.autoencoder.config import TrainConfig, TrainProgress
    from imgsearch.corpus.words import Vocabulary
    from imgsearch.device import DeviceChoice
    from imgsearch.retrieval.text.bags import Bags

FEWEST_TEXTS = 16


def train_text(arguments: Namespace, sizes: tuple[int, ...] | None) -> None:
    """Train the text autoencoder on what is written of the images, and index their words by it.

    `sizes` go from the most words over the hidden layers to the code (default: 2000-500-250-125-128).
    """
    from imgsearch.autoencoder.checkpoint import move_checkpoint
    from imgsearch.autoencoder.recipes import TEXT_SIZES
    from imgsearch.device import pick_device
    from imgsearch.retrieval.text.bags import rows_with_words
    from imgsearch.retrieval.text.text_index import write_vocabulary

    _refuse_other_networks(arguments, sizes)
    paths = index_paths(arguments.index)
    device = pick_device(arguments.device)
    note(device.reason)
    with Corpus.open(paths) as corpus:
        vocabulary, bags = _read_texts(corpus, (sizes or TEXT_SIZES)[0])
        config = _config(arguments, len(vocabulary), sizes or TEXT_SIZES)
        card = _trained(paths, vocabulary, bags, config, device)
        write_vocabulary(paths, vocabulary, card.digest)
        move_checkpoint(paths.text.candidate, paths.text.model)
        index_words(paths, corpus, device)
    if arguments.json:
        say_json(asdict(card) | {"words": len(vocabulary)})
        return
    say(
        f"model of words {card.digest[:12]}: {len(vocabulary):,} words of {len(rows_with_words(bags)):,} images, "
        f"{readable_seconds(card.seconds)}"
    )
    note(f'next: imgsearch search --text "{vocabulary.words[0]}"')


def _read_texts(corpus: Corpus, most_words: int) -> "tuple[Vocabulary, Bags]":
    from imgsearch.corpus.texts import row_texts
    from imgsearch.corpus.words import Vocabulary
    from imgsearch.retrieval.text.bags import count_words, rows_with_words
    from imgsearch.retrieval.text.text_index import counted

    texts = row_texts(corpus)
    with tracking("reading texts") as tracker:
        vocabulary = Vocabulary.of(counted(texts, tracker), most_words)
        bags = count_words(counted(texts, tracker), vocabulary)
    n_described = len(rows_with_words(bags))
    if n_described < FEWEST_TEXTS:
        raise CorpusError(
            f"something is written of {n_described:,} images here, and {FEWEST_TEXTS} are needed. Crawl pages, whose "
            "alt texts are kept, or add folders with --labels-from-folders."
        )
    return vocabulary, bags


def _trained(
    paths: IndexPaths, vocabulary: "Vocabulary", bags: "Bags", config: "TrainConfig", device: "DeviceChoice"
) -> "ModelCard":
    """Train on the bags and leave the model in `paths.text.candidate`."""
    from imgsearch.autoencoder.training.train import train as run_training
    from imgsearch.retrieval.text.bags import DenseRows, rows_with_words, tf_idf

    with stopping() as stop, tracking("training") as tracker:

        def show(progress: "TrainProgress") -> None:
            tracker(
                progress.fraction,
                1,
                f"epoch {progress.epoch}  loss {progress.loss:.3f}  {progress.images_per_second:,.0f} texts/s  "
                f"{readable_seconds(progress.seconds_left)} left",
            )

        return run_training(
            DenseRows(tf_idf(bags, vocabulary)),
            rows_with_words(bags),
            paths.text,
            config,
            resume=False,
            into=paths.text.candidate,
            device=device,
            on_progress=show,
            stop=stop,
        )


def index_words(paths: IndexPaths, corpus: Corpus, device: "DeviceChoice", *, full: bool = False) -> None:
    """Bring the index of words up to date."""
    from imgsearch.retrieval.text.text_index import update_text_index

    with tracking("indexing words") as tracker:
        n_rows = update_text_index(paths, corpus, device, full=full, on_progress=tracker)
    note(f"indexed the words of {n_rows:,} images")


def search_text(arguments: Namespace) -> None:
    """Show the images whose words are nearest, by three methods side by side."""
    from imgsearch.retrieval.text.text_search import TextSearcher

    with TextSearcher.open(index_paths(arguments.index), device=arguments.device) as searcher:
        result = searcher.search(arguments.text, k=arguments.k)
        if arguments.save:
            from imgsearch.retrieval.search.contact_sheet import draw_text_contact_sheet

            with replacing(arguments.save) as temporary:
                temporary.write_bytes(draw_text_contact_sheet(searcher, result))
            note(f"drawn into {arguments.save}")
    if arguments.json:
        say_json(result.to_json())
    else:
        say_hits(result)
        if result.words is not None and result.words.note:
            say(result.words.note)


def _config(arguments: Namespace, n_words: int, sizes: tuple[int, ...]) -> "TrainConfig":
    from imgsearch.autoencoder.recipes import NetworkOptions, text_recipe

    return text_recipe(
        n_words,
        sizes[1:],
        options=NetworkOptions(activation=arguments.activation, tied=arguments.tied, pretrain=arguments.pretrain),
        objective=arguments.objective,
        minutes=arguments.minutes,
        epochs=arguments.epochs,
        seed=arguments.seed,
        batch_size=arguments.batch_size,
        noise=arguments.noise if arguments.objective else None,
        noise_level=arguments.noise_level if arguments.objective else None,
    )


def _refuse_other_networks(arguments: Namespace, sizes: tuple[int, ...] | None) -> None:
    if sizes is not None and (len(sizes) < 2 or min(sizes) < 1):
        raise ModelError("the sizes of a text network go from the most words to the code, such as 2000-500-250-125-10.")
    if arguments.network not in (None, "dense") or arguments.unpool or arguments.start not in (None, "scratch"):
        raise ModelError(
            "words are learned from scratch by the network dense: leave out --network, --unpool and --from."
        )
