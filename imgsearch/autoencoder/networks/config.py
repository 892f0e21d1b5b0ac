"""Configurations of the networks: plain data with checks. Imports no torch, so that the command line can list choices.

A model card stores these fields by name; a renamed field is translated where cards are read (`card.py`).
"""

from dataclasses import dataclass

from imgsearch.errors import ModelError

IMAGE_SHAPE = (3, 32, 32)  # of one thumbnail as networks see it: channels, height, width
N_IMAGE_VALUES = 3 * 32 * 32
ACTIVATIONS = ("relu", "silu", "sigmoid")  # of the hidden layers of dense networks
TRANSPOSE, REPEAT, SWITCHES = UNPOOLINGS = ("transpose", "repeat", "switches")


@dataclass(frozen=True)
class ConvConfig:
    """Sizes of the convolutional network, and how its decoder doubles maps."""

    code_size: int = 256
    invariant_size: int = 192  # dimensions at the front of the code that two views of one image must share
    channels: tuple[int, ...] = (32, 64, 128, 256, 512)  # of the five stages; each halves the side: 16, 8, 4, 2, 1
    residuals: tuple[int, ...] = (0, 2, 3, 0)  # residual 3x3 convolutions in the encoder's stages 1 to 4
    decoder_residuals: tuple[int, ...] = (0, 1, 1, 0)  # the same for the decoder, mirrored
    unpool: str = TRANSPOSE  # one of UNPOOLINGS: by deconvolution, by repeated values, or by the encoder's switches
    max_pooling: bool = False  # whether the encoder halves by max pooling; always so unless `unpool` is "transpose"

    def __post_init__(self) -> None:
        if self.unpool not in UNPOOLINGS:
            raise ModelError(f"a decoder doubles its maps by one of {', '.join(UNPOOLINGS)}, not by {self.unpool!r}.")

    @property
    def pools(self) -> bool:
        """Whether the encoder halves its maps by max pooling."""
        return self.max_pooling or self.unpool != TRANSPOSE


@dataclass(frozen=True)
class DenseConfig:
    """Sizes and kinds of fully connected layers; the decoder mirrors the encoder."""

    sizes: tuple[int, ...] = (N_IMAGE_VALUES, 8192, 4096, 2048, 1024, 512, 256)  # from the example to the code
    activation: str = "relu"  # one of ACTIVATIONS, for the hidden layers
    code: str = "linear"  # "linear", or "sigmoid" for codes between 0 and 1
    tied: bool = False  # the decoder uses the encoder's weights, transposed
    output: str = "sigmoid"  # "sigmoid" for values in 0..1, "softmax" for a distribution (over words)
    invariant_size: int = 0  # dimensions at the front of the code that two views must share; 0: all of them

    def __post_init__(self) -> None:
        if len(self.sizes) < 2 or min(self.sizes) < 1:
            raise ModelError("the sizes of a dense network go from the example to the code, such as 784-1000-30.")
        if self.activation not in ACTIVATIONS or self.code not in ("linear", "sigmoid"):
            raise ModelError("hidden layers are relu, silu or sigmoid; the code is linear or sigmoid.")
        if self.output not in ("sigmoid", "softmax"):
            raise ModelError("the output is sigmoid or softmax.")


@dataclass(frozen=True)
class LadderConfig:
    """Sizes of the ladder network, its noise, and the weight of each layer's denoising (Rasmus et al. 2015)."""

    sizes: tuple[int, ...] = (784, 1000, 500, 250, 250, 250, 10)  # from the example to the code, then the classes
    noise: float = 0.3  # standard deviation of the noise in every layer; values there have deviation 1
    costs: tuple[float, ...] = (1000.0, 10.0, 0.1)  # of the example, the first layer, ...; the last is for all above

    def __post_init__(self) -> None:
        if len(self.sizes) < 3 or min(self.sizes) < 2:
            raise ModelError("the sizes of a ladder go from the example over the code to the classes: 784-500-250-10.")
        if self.noise < 0 or not self.costs or min(self.costs) < 0:
            raise ModelError("the noise and the costs of a ladder are at least 0, and it has at least one cost.")

    def cost(self, layer: int) -> float:
        """Weight of denoising this layer; 0 is the example."""
        return self.costs[min(layer, len(self.costs) - 1)]


@dataclass(frozen=True)
class PcaConfig:
    """Sizes of the linear autoencoder."""

    code_size: int = 256
    example_shape: tuple[int, ...] = IMAGE_SHAPE


NetworkConfig = ConvConfig | DenseConfig | LadderConfig | PcaConfig
