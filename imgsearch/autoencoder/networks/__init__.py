"""Network architectures, and the registry that lists them."""
