"""The commands, one module each: options, examples and body side by side."""
