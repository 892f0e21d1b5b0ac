"""How good search is: by labels, by distorted copies, and between two models; and the thresholds of a good match."""
