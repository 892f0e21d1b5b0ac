"""Loss terms, with and without labels."""
