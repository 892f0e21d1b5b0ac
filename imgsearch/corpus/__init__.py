"""Bytes become rows: images, the store that keeps them, and the ways in."""
