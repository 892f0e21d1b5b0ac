"""Fetch one URL: guarded connections, deadlines, content sniffing, politeness between requests."""
