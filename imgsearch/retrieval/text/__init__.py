"""Search by words: bags of words, latent semantic analysis, the index of words and its searcher."""
