"""Throughput and memory of the crawler."""
