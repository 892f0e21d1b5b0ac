"""Pure parsers of URLs, robots.txt, directives, links, srcset, stylesheets and sitemaps.

No network, no files, and no input makes them raise:

urls         keys, origins, hosts, traps
robots       robots.txt
directives   X-Robots-Tag and meta robots
captions     the text that belongs to an image
srcset       candidates of a srcset attribute
stylesheets  background images of CSS
links        images and links of a page
sitemaps     pages, images and sitemaps that a sitemap names
"""
