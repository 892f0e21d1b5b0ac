"""Quality and speed of retrieval by the shipped model."""
