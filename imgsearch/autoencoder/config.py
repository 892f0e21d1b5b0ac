"""How to train, and where a training stands. Plain data; knows no tensors and no files."""

from dataclasses import dataclass, field

from imgsearch.autoencoder.data.augment import AugmentConfig
from imgsearch.autoencoder.networks.conv import ConvConfig
from imgsearch.autoencoder.networks.registry import NetworkConfig
from imgsearch.errors import ModelError


@dataclass(frozen=True)
class TrainConfig:
    """How to train. Give `minutes` or `epochs`; neither means ten minutes."""

    minutes: float | None = None  # budget in time; earlier parts of an interrupted run count
    epochs: int | None = None  # budget in passes over the images; on a CPU the result follows from the seed
    batch_size: int = 256
    matrix_rate: float = 0.02  # learning rate of the matrices (Muon), at its peak; 0: Adam moves them with all else
    learning_rate: float = 3e-3  # of all else (Adam), at its peak
    fine_tuning: float = 0.25  # of both rates, where training starts from a checkpoint
    warmup: float = 0.1  # share of a stage in which the rate rises; then it falls as a cosine
    last_stage: float = 0.1  # share of the budget, at its end: the decoder learns codes that stand still
    reconstruction_weight: float = 300.0
    reconstruction_share: float = 0.5  # of each batch that is decoded: pictures need fewer examples than codes
    agreement_weight: float = 1.0
    temperature: float = 0.07  # of the agreement: lower looks harder at the most similar images
    whitening: float = 0.25  # of the finished codes: 0 = none, 0.5 = all directions count alike
    looks: float = 0.4  # length of the rest of the code beside that of its first numbers: how loud it is in a distance
    validation_share: float = 0.02  # of the images: held out to choose the best checkpoint
    memory_share: float = 0.5  # of the free memory that the training set may take, else it is streamed
    seed: int = 0
    objective: tuple[tuple[str, float], ...] = (("agree", 1.0),)  # terms (see `objectives`) and their weights
    noise: str = "gaussian"  # of the term denoise: "gaussian", or "mask" for values that are lost
    noise_level: float = 0.3  # its deviation, or the share that is lost
    pretrain: str = ""  # of a fresh dense network: "rbm" or "layerwise"
    pretrain_share: float = 0.3  # of the budget
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    network: NetworkConfig = field(default_factory=ConvConfig)  # not asked where training starts from a checkpoint

    def __post_init__(self) -> None:
        if self.minutes is not None and self.epochs is not None:
            raise ModelError("a training has one budget: give minutes or epochs, not both.")
        budget = self.minutes if self.epochs is None else self.epochs
        if (budget is not None and budget <= 0) or self.batch_size < 2:
            raise ModelError("minutes and epochs must be positive, the batch size at least 2.")
        if not 0 <= self.last_stage < 1:
            raise ModelError("the last stage's share of the budget must be at least 0 and below 1.")
        if not self.objective or not all(weight > 0 for _, weight in self.objective):
            raise ModelError("an objective has at least one term, and weights above 0.")
        if self.noise not in ("gaussian", "mask") or not 0 <= self.noise_level <= 1:
            raise ModelError("noise is gaussian or mask, and its level between 0 and 1.")
        if self.pretrain not in ("", "rbm", "layerwise") or not 0 < self.pretrain_share < 1:
            raise ModelError("pre-training is rbm or layerwise, and its share of the budget between 0 and 1.")

    @property
    def decoder_share(self) -> float:
        """The share of the budget, at its end, in which the decoder alone learns: of terms that do not teach it all."""
        return self.last_stage if {"agree", "ladder", "classify"} & dict(self.objective).keys() else 0.0


def parse_objective(text: str) -> tuple[tuple[str, float], ...]:
    """What was typed, such as "reconstruct+0.1*contractive", as terms and weights.

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
    """Where a training stands."""

    doing: str  # which stage it is, for people
    fraction: float  # of the budget, 0..1
    epoch: int  # passes begun, from 1
    step: int
    loss: float  # of the last batch: the weighted sum of its terms
    parts: dict[str, float]  # what the terms give, by name: reconstruction (mean squared error per value), …
    images_per_second: float
    seconds_left: float
