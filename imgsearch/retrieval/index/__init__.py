"""Exact nearest-neighbour indexes of codes, binary codes and pixels."""
