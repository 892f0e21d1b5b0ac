"""Greedy layer-wise pre-training by restricted Boltzmann machines or small autoencoders."""
