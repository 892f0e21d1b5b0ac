"""A polite, resumable image crawler. Knows nothing of models, codes or indexes, and imports nothing of imgsearch.

It hands every image that it fetches to a `keep` function that it was given and writes down what became of it, so it
can feed anything:

    from pathlib import Path
    from crawler.crawl import CrawlConfig, crawl

    report = crawl(CrawlConfig(seeds=("https://example.org/",), max_images=500), Path("crawl.sqlite"), keep)

What it promises:

- robots.txt is asked for first, once per scheme, host and port, and obeyed (RFC 9309); so are Crawl-delay,
  X-Robots-Tag, `<meta name=robots>` and rel=nofollow.
- One request at a time per host, half a second apart unless told otherwise, and further apart the slower it answers;
  Retry-After is honoured; failures back off.
- It says who it is (`imgsearch/<version>`, with a contact address where one is known), keeps no cookies, uses no proxy
  of the environment, and refuses private addresses unless told.
- Every URL gets one outcome with a reason. `kill -9` loses nothing: the same command goes on where it was.

From the pure parts to the loop:

    errors       the exception tree
    urls         keys, origins, hosts, traps            (text in, decision out)
    robots       robots.txt                             (text in, decision out)
    addresses    which addresses are public             (an address in, decision out)
    directives   X-Robots-Tag and meta robots           (text in, decision out)
    pace         the pause between two requests         (numbers in, number out)
    captions     the text that goes with an image       (text in, text out)
    srcset       the candidates of a srcset attribute   (text in, candidates out)
    stylesheets  the background images of CSS           (text in, references out)
    links        the images and links of a page         (text in, links out)
    sitemaps     what a sitemap names                   (bytes in, links out)
    sniff        image, page or neither                 (bytes in, decision out)
    owner        which process holds a lease, and whether it lives
    records      links, leases, hosts
    additions    how URLs are written down, and the budget of each host
    schema       the frontier's tables
    ledger       what the frontier can be asked
    leases       who holds which URL, and for how long
    frontier     one SQLite file: URLs, hosts, leases, outcomes
    deadline     a socket that keeps a total deadline
    connections  where a request goes: a guarded address, kept alive
    fetch        one bounded GET
    config       what a crawl is told and what it hands over
    work         what a worker thread does: fetch, sniff, parse
    report       progress and the final report
    outcomes     what becomes of each result
    crawl        the loop
"""
