"""The lecture's experiments: each trains or computes something small, draws it, and says what one sees."""
