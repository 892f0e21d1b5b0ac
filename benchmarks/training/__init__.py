"""Training: time per step, reconstruction error, fine-tuning with labels, and how a model is put into the package."""
