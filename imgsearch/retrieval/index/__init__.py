"""Exact nearest neighbours of codes, pixels and binary codes, and the index files on disk."""
