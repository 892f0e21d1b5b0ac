"""The lecture's thread: its chapters in their order, in words. Text only; must not know what an experiment found."""

from dataclasses import dataclass

TITLE = "Deep autoencoders, from principal components to pictures that find each other"
INTRODUCTION = (
    "An autoencoder is asked for what it was given, through a code that is too narrow to hold it. What it cannot "
    "keep, it must leave out; what it keeps, it has understood a little. Each chapter below is an experiment that was "
    "run on this computer: the picture, the figures and the sentence under them are its own."
)

SMALL_REMARK = (
    "These are the experiments at their small size, of seconds each, which shows that they run. What the chapters tell "
    "needs the default size: leave out --size small."
)


@dataclass(frozen=True)
class Chapter:
    """What the lecture says where it comes to an experiment."""

    name: str  # of the experiment
    heading: str  # where the experiment found nothing to give its own
    words: str


CHAPTERS = (
    Chapter(
        "digits-30",
        "Digits through a narrow code",
        "The simplest autoencoder is linear, and the best linear one is known: principal components, the directions "
        "in which the data vary most. But digits do not lie in a flat space. A network with hidden layers on either "
        "side of the code bends it, and from as many numbers brings back strokes where the linear one brings back "
        "blur.",
    ),
    Chapter(
        "digits-2d",
        "Digits in a plane",
        "With two numbers only, the code is a map. Nobody told the network what a digit is, and still it puts those "
        "that are written alike side by side, since from neighbouring places of the map it must draw alike digits.",
    ),
    Chapter(
        "pretraining",
        "How deep networks were made to learn",
        "For twenty years nobody could train such networks: from a random start the gradient dies in the layers of "
        "sigmoids. In 2006 the way in was to learn one layer at a time, each as a restricted Boltzmann machine or a "
        "small autoencoder of the layer below, and only then to turn all of them together. Labels are then needed "
        "only for the last step, and few of them.",
    ),
    Chapter(
        "denoise",
        "Noisy in, clean out",
        "A wide code can cheat: it copies its input and learns nothing. One way to forbid that is to spoil the input "
        "and ask for the clean example. Copying no longer helps; the network has to know what digits look like.",
    ),
    Chapter(
        "contract",
        "Codes that move only where digits vary",
        "The other way is to say it outright: the code shall change as little as possible when the input does. "
        "Against this pull, reconstruction keeps alive only the directions in which the data themselves differ, and "
        "they are few.",
    ),
    Chapter(
        "unpool",
        "What pooling forgets",
        "For pictures, layers share their weights over all places, and pool: they keep the maximum and forget where it "
        "was. A decoder that is told the places on the side draws sharper pictures; but then the places are not in the "
        "code, and a code is what we search by.",
    ),
    Chapter(
        "deconv",
        "Deconvolution is convolution",
        "Such a decoder goes the other way, from small maps to large ones. Its 'deconvolution' is nothing new: put "
        "zeros between and around the values, turn the kernel round, and convolve.",
    ),
    Chapter(
        "generate",
        "Pictures that nobody took",
        "A decoder draws from any code, also from one that belongs to no picture: between two pictures, around one, "
        "or along a grid. Where the codes lie densely it draws something sensible, and one sees what the code has in "
        "order.",
    ),
    Chapter(
        "text",
        "The same with words",
        "A text is a bag of words: two thousand counts instead of pixels. Through a narrow code the same network puts "
        "posts on the same matter together, where latent semantic analysis, the linear method, mixes them.",
    ),
    Chapter(
        "ladder",
        "A hundred labels",
        "The ladder network denoises at every layer, with direct lines from encoder to decoder, so that upper layers "
        "are free to keep only what matters. Beside a hundred labels, the thousands of unlabelled digits then do the "
        "rest.",
    ),
    Chapter(
        "map",
        "The map of your own pictures",
        "Last, your own corpus. Pixels put together what has the same colours; codes put together what shows the "
        "same. Both maps hold the same pictures.",
    ),
)
