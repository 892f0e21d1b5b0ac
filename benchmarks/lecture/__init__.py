"""The experiments of `imgsearch lab` at full data, and the map from each idea of the lecture to its figure."""
