"""A polite, resumable image crawler. Imports nothing of imgsearch, models or indexes.

It passes every image that it fetches to a `keep` function given by the caller, and stores the outcome of every URL:

    from pathlib import Path
    from crawler.crawl import CrawlConfig, crawl

    report = crawl(CrawlConfig(seeds=("https://example.org/",), max_images=500), Path("crawl.sqlite"), keep)

What it guarantees:

- robots.txt is fetched first, once per scheme, host and port, and obeyed (RFC 9309); so are Crawl-delay,
  X-Robots-Tag, `<meta name=robots>` and rel=nofollow.
- One request at a time per host, half a second apart by default, and further apart the slower it answers; Retry-After
  is honoured; failures back off.
- It identifies itself (`imgsearch/<version>`, with a contact address where one is configured), keeps no cookies, uses
  no proxy of the environment, and refuses private addresses unless they are allowed.
- Every URL gets one outcome with a reason code. `kill -9` loses nothing: the next crawl of the same seeds continues.

From the pure parts to the loop:

    reasons      reason codes and their sentences
    errors       the exception tree
    parsing      text in, links and decisions out: URLs, robots.txt, directives, pages, sitemaps
    takedown     what must not be fetched
    records      links, leases, hosts
    fetching     one bounded GET to a public address
    config       configuration of a crawl, and the interface of `keep`
    frontier     one SQLite file: URLs, hosts, leases, outcomes
    workers      threads that fetch and parse
    report       progress and the final report
    url_lists    seeds from text, CSV and Parquet files
    offers       images among the results, for `keep`
    outcomes     the outcome of each result, and the links it adds
    crawl        the loop
    refresh      the loop over images that were kept before
"""
