"""The text autoencoder: which network it is and how it is trained. Knows no texts, no vocabulary and no files.

Source: Hinton & Salakhutdinov (2006): 2000-500-250-125-10, a distribution over words as its output, cross-entropy as
its loss. Two things are of our time: words are weighted by rarity on both sides, and most of them are withheld from
the encoder (Vincent et al. 2008), which a query of two words comes near to and which keeps 11,000 posts from being
learned by heart.
"""

from imgsearch.autoencoder.config import TrainConfig
from imgsearch.autoencoder.networks.dense import DenseConfig
from imgsearch.corpus.words import MOST_WORDS

HIDDEN = (500, 250, 125)
CODE_SIZE = 128
SIZES = (MOST_WORDS, *HIDDEN, CODE_SIZE)
WITHHELD = 0.7  # share of a text's words that the encoder does not see in training


def text_config(
    n_words: int,
    code_size: int = CODE_SIZE,
    *,
    minutes: float | None = None,
    epochs: int | None = None,
    seed: int = 0,
    hidden: tuple[int, ...] = HIDDEN,
    batch_size: int = 256,
) -> TrainConfig:
    """How to train on word vectors (n, n_words)."""
    return TrainConfig(
        minutes=minutes,
        epochs=epochs,
        batch_size=batch_size,
        seed=seed,
        objective=(("denoise", 1.0),),
        noise="mask",
        noise_level=WITHHELD,
        whitening=0.0,  # which makes codes of 128 numbers find less, and of 10 no more
        network=DenseConfig((n_words, *hidden, code_size), output="softmax"),
    )
