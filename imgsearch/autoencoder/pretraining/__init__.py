"""Layer-wise pre-training of dense networks, by restricted Boltzmann machines or small autoencoders."""
