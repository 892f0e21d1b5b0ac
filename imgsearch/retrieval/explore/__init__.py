"""Maps of the corpus and directions in code space."""
