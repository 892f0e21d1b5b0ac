"""What the Explore page is made of: the image map and the geometry of codes."""
