"""Pure parsers of URLs, robots.txt, directives, links, srcset, stylesheets and sitemaps."""
