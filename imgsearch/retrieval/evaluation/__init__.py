"""Quality of search: by labels, by distorted copies, and between two models; and the thresholds of a good match."""
