"""Codes become hits: the index, the searcher, and the measurement of both."""
