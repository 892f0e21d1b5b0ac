"""Work that spans several wings, as typed functions that print nothing, for the command line and Python callers."""
