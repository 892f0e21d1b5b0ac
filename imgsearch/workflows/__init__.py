"""Work that spans several wings, as typed functions without printing: reindexing, removal, explanation, status."""
