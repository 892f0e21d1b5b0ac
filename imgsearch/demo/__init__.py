"""Things to look at: a gallery that the project draws itself, and the site that serves it."""
