"""The experiments of the lecture: each computes something small and returns a picture, a table and a conclusion."""
