"""Search by words: bags of words, latent semantic analysis, text codes."""
