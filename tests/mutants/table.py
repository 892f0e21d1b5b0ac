"""The mutants: ways to break the product that the tests must notice. `make mutants` tries each of them."""

from tests.mutants.runner import Mutant

MUTANTS = (
    Mutant(
        "image bytes are not synced",
        "imgsearch/corpus/bytefile.py",
        "                rest, offset = rest[written:], offset + written\n            os.fsync(descriptor)",
        "                rest, offset = rest[written:], offset + written",
        ("test_durability.py",),
    ),
)
