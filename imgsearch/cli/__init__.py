"""The command line: `commands` has one module per command, `main` runs them; the rest is what they share."""
