"""The image map and the geometry of codes, which the Explore page shows."""
