"""Demo data: a gallery of images drawn by this package, the web site that serves it, and CIFAR-10."""
