"""Training data: batches, random views of images, and labelled examples."""
