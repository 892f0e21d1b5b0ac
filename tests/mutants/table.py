"""All mutants: ways to break the product that the tests must notice. `make mutants` tries each of them."""

from tests.mutants.autoencoder import AUTOENCODER
from tests.mutants.corpus import CORPUS
from tests.mutants.crawler import CRAWLER
from tests.mutants.faces import FACES
from tests.mutants.retrieval import RETRIEVAL

MUTANTS = (*CORPUS, *CRAWLER, *AUTOENCODER, *RETRIEVAL, *FACES)
