"""Decode untrusted image bytes in worker processes with limits."""
