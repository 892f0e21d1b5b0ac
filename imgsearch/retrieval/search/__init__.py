"""Answer a query: searcher, results, thresholds, contact sheets."""
