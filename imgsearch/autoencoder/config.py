"""Settings and progress of a training, as plain data. Imports no torch, so that the command line can list defaults."""

from dataclasses import dataclass, field

from imgsearch.autoencoder.networks.config import ConvConfig, NetworkConfig
from imgsearch.errors import ModelError

DEFAULT_MINUTES = 10.0
NOISES = ("gaussian", "mask")
PRETRAININGS = ("rbm", "layerwise")

Terms = tuple[tuple[str, float], ...]  # names of loss terms and their weights


@dataclass(frozen=True)
class AugmentConfig:
    """Limits of the random changes that make a view of an image."""

    smallest_area: float = 0.25  # the crop's share of the image: between this and 1
    widest_aspect: float = 4 / 3  # the crop's width to height: between 1/this and this
    overhang_share: float = 0.3  # share of views that may reach beyond the image, whose edge is then repeated …
    overhang: float = 0.2  # … by up to this share of its side, each way
    colour_share: float = 0.8  # share of views with changed brightness, contrast, saturation and hue
    colour_strength: float = 0.4  # brightness, contrast and saturation: factors between 1 - this and 1 + this
    hue_strength: float = 0.1  # turns of the colour circle, either way
    grey_share: float = 0.2  # share of views without colour
    cover_share: float = 0.4  # share of views in which a rectangle is covered with one colour
    cover_sides: tuple[float, float] = (0.2, 0.7)  # its width and height, each as a share of the image's


@dataclass(frozen=True)
class TrainConfig:
    """Settings of a training. Give `minutes` or `epochs`; neither means ten minutes."""

    # What is trained on which objective
    network: NetworkConfig = field(default_factory=ConvConfig)  # ignored where training starts from a checkpoint
    objective: Terms = (("agree", 1.0),)  # loss terms (see `objectives`) and their weights
    augment: AugmentConfig = field(default_factory=AugmentConfig)  # random views, for the terms agree and classify
    # Budget and data
    minutes: float | None = None  # budget in time; earlier parts of an interrupted run count
    epochs: int | None = None  # budget in passes over the images; on a CPU the result follows from the seed
    batch_size: int = 256
    seed: int = 0
    validation_share: float = 0.02  # of the images: held out to choose the best checkpoint
    memory_share: float = 0.5  # of the free memory that the training set may take, else it is streamed
    # Phases and learning rates
    pretrain: str = ""  # one of PRETRAININGS, for a fresh dense network
    pretrain_share: float = 0.3  # of the budget
    decoder_phase: float = 0.1  # share of the budget, at its end: encoder frozen, only the decoder is trained
    matrix_rate: float = 0.02  # peak learning rate of the matrices (Muon); 0: Adam trains them too
    learning_rate: float = 3e-3  # peak learning rate of all other parameters (Adam)
    fine_tuning: float = 0.25  # factor on both rates where training starts from a checkpoint
    warmup: float = 0.1  # share of a phase in which the rate rises; then it falls as a cosine
    # The term agree, and the reconstruction loss of the decoder phase
    agreement_weight: float = 1.0
    temperature: float = 0.07  # of the contrastive loss; a lower one concentrates on the most similar images
    reconstruction_weight: float = 300.0
    reconstruction_share: float = 0.5  # of each batch that is decoded: pictures need fewer examples than codes
    # The term denoise
    noise: str = "gaussian"  # one of NOISES; "mask" sets values to 0
    noise_level: float = 0.3  # standard deviation, or the share of values that is masked
    # Postprocessing of the finished codes
    whitening: float = 0.25  # 0 = none, 0.5 = equal variance in all directions
    appearance_weight: float = 0.4  # RMS length of the appearance dimensions relative to the invariant ones

    def __post_init__(self) -> None:
        if self.minutes is not None and self.epochs is not None:
            raise ModelError("a training has one budget: give minutes or epochs, not both.")
        budget = self.minutes if self.epochs is None else self.epochs
        if (budget is not None and budget <= 0) or self.batch_size < 2:
            raise ModelError("minutes and epochs must be positive, the batch size at least 2.")
        if not 0 <= self.decoder_phase < 1:
            raise ModelError("the decoder phase's share of the budget must be at least 0 and below 1.")
        if not self.objective or not all(weight > 0 for _, weight in self.objective):
            raise ModelError("an objective has at least one term, and weights above 0.")
        if self.noise not in NOISES or not 0 <= self.noise_level <= 1:
            raise ModelError("noise is gaussian or mask, and its level between 0 and 1.")
        if self.pretrain not in ("", *PRETRAININGS) or not 0 < self.pretrain_share < 1:
            raise ModelError("pre-training is rbm or layerwise, and its share of the budget between 0 and 1.")


def parse_objective(text: str) -> Terms:
    """Read a sum of loss terms, such as "reconstruct+0.1*contractive", as terms and weights.

    Raises:
        ModelError: it is not such a sum.
    """
    terms = []
    for summand in text.replace(" ", "").split("+"):
        weight, _, name = summand.rpartition("*")
        try:
            terms.append((name, float(weight or 1)))
        except ValueError as error:
            raise ModelError(f"{summand!r} is no term; write them as in reconstruct+0.1*contractive") from error
    return tuple(terms)


@dataclass(frozen=True)
class TrainProgress:
    """Progress of a training."""

    doing: str  # the phase it is in, for people
    fraction: float  # of the budget, 0..1
    epoch: int  # the current pass over the images, from 1
    step: int
    loss: float  # of the last batch: the weighted sum of its terms
    parts: dict[str, float]  # values of the terms by name: reconstruction (mean squared error per value), …
    images_per_second: float
    seconds_left: float
