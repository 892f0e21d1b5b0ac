"""Search by images: the methods, the query, the searcher, its result, match thresholds and the contact sheet."""
