"""The tables of the frontier, as SQL, and the steps from one version of the file to the next.

url       one row per image, and one per page or sitemap and seed (so that a crawl of another seed reads the pages anew)
host      one row per scheme, host and port: its pace and its robots.txt
scope     the hosts that each seed's pages may be on: its own, and those that it was redirected to
tally     number of URLs by seed, kind and outcome; kept by triggers, so that counting a million is free
takedown  what must not be fetched
history   number of URLs by minute, kind and outcome

A URL is waiting (outcome `queued`, no owner), leased (`queued`, with an owner and a time when the lease ends) or
settled (any other outcome: kept, duplicate, skipped, failed; read for a page; moved for one that redirects).

While a refresh lasts, each image that it fetches again has a second row, of kind `check` (`checks`).
"""

_FIRST = """
CREATE TABLE url (
    number INTEGER PRIMARY KEY,
    key TEXT NOT NULL,                       -- urls.url_key(url): equal for URLs of the same resource
    url TEXT NOT NULL,                       -- as found; this is what is fetched
    kind TEXT NOT NULL,                      -- image or page, as far as is known
    seed TEXT NOT NULL,                      -- the first URL that led here
    host TEXT NOT NULL,                      -- urls.origin(url)
    depth INTEGER NOT NULL,                  -- links from the seed
    hops INTEGER NOT NULL,                   -- redirects on the way here
    parent TEXT NOT NULL,                    -- the page that links to it, "" for a seed
    alt TEXT NOT NULL,
    rank INTEGER NOT NULL,                   -- lowest first: images, then pages near the seed
    tries INTEGER NOT NULL DEFAULT 0,
    not_before REAL NOT NULL DEFAULT 0,
    owner TEXT NOT NULL DEFAULT '',          -- who holds the lease
    lease_until REAL NOT NULL DEFAULT 0,
    outcome TEXT NOT NULL DEFAULT 'queued',
    reason TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX url_image ON url (key) WHERE kind = 'image';
CREATE UNIQUE INDEX url_page ON url (key, seed) WHERE kind = 'page';
CREATE INDEX url_waiting ON url (seed, host, rank, number) WHERE outcome = 'queued' AND owner = '';
CREATE INDEX url_leased ON url (host) WHERE outcome = 'queued' AND owner <> '';

CREATE TABLE host (
    host TEXT PRIMARY KEY,
    next_at REAL NOT NULL DEFAULT 0,         -- no request before this time
    fails INTEGER NOT NULL DEFAULT 0,        -- failures to reach it in a row
    trouble TEXT NOT NULL DEFAULT '',        -- the last of them
    pages INTEGER NOT NULL DEFAULT 0,        -- page URLs ever queued
    robots TEXT NOT NULL DEFAULT '',         -- text of robots.txt
    robots_state TEXT NOT NULL DEFAULT 'unknown',
    robots_until REAL NOT NULL DEFAULT 0,    -- stale from then on
    delay REAL NOT NULL DEFAULT 0,           -- Crawl-delay
    owner TEXT NOT NULL DEFAULT '',          -- who is fetching robots.txt
    lease_until REAL NOT NULL DEFAULT 0
);

CREATE TABLE scope (seed TEXT NOT NULL, site TEXT NOT NULL, PRIMARY KEY (seed, site)) WITHOUT ROWID;

CREATE TABLE tally (
    seed TEXT NOT NULL, kind TEXT NOT NULL, outcome TEXT NOT NULL, n INTEGER NOT NULL,
    PRIMARY KEY (seed, kind, outcome)
) WITHOUT ROWID;
CREATE TRIGGER url_added AFTER INSERT ON url BEGIN
    INSERT INTO tally VALUES (new.seed, new.kind, new.outcome, 1)
    ON CONFLICT DO UPDATE SET n = n + 1;
    UPDATE host SET pages = pages + 1 WHERE new.kind = 'page' AND new.outcome = 'queued' AND host = new.host;
END;
CREATE TRIGGER url_changed AFTER UPDATE OF seed, kind, outcome ON url BEGIN
    UPDATE tally SET n = n - 1 WHERE seed = old.seed AND kind = old.kind AND outcome = old.outcome;
    INSERT INTO tally VALUES (new.seed, new.kind, new.outcome, 1)
    ON CONFLICT DO UPDATE SET n = n + 1;
END;
"""

# Sitemaps, licences, and the number of URLs of each host.
_DISCOVERY = """
ALTER TABLE url ADD COLUMN licence TEXT NOT NULL DEFAULT '';    -- the URL that its page or sitemap gives for it
CREATE UNIQUE INDEX url_sitemap ON url (key, seed) WHERE kind = 'sitemap';

ALTER TABLE host ADD COLUMN sitemaps INTEGER NOT NULL DEFAULT 0; -- ever queued
ALTER TABLE host ADD COLUMN urls INTEGER NOT NULL DEFAULT 0;     -- written down
DROP TRIGGER url_added;
CREATE TRIGGER url_added AFTER INSERT ON url BEGIN
    INSERT INTO tally VALUES (new.seed, new.kind, new.outcome, 1)
    ON CONFLICT DO UPDATE SET n = n + 1;
    UPDATE host SET urls = urls + (new.kind <> 'check'),
        pages = pages + (new.kind = 'page' AND new.outcome = 'queued'),
        sitemaps = sitemaps + (new.kind = 'sitemap' AND new.outcome = 'queued')
    WHERE host = new.host;
END;
"""

# Answer times of hosts.
_PACE = """
ALTER TABLE host ADD COLUMN answer_seconds REAL NOT NULL DEFAULT 0; -- running mean of its answer times
"""

# Answers, validators for a refresh, takedowns, outcomes over time.
_KEPT_UP = """
ALTER TABLE url ADD COLUMN fetched_at REAL NOT NULL DEFAULT 0;     -- when the image came in; 0: never, or not known
ALTER TABLE url ADD COLUMN content_type TEXT NOT NULL DEFAULT '';  -- of that answer, as are etag and last_modified
ALTER TABLE url ADD COLUMN etag TEXT NOT NULL DEFAULT '';
ALTER TABLE url ADD COLUMN last_modified TEXT NOT NULL DEFAULT '';
ALTER TABLE url ADD COLUMN robots TEXT NOT NULL DEFAULT '';        -- the permission of robots.txt then, as a phrase
ALTER TABLE url ADD COLUMN looks INTEGER NOT NULL DEFAULT 0;       -- refreshes in a row that did not find it
CREATE UNIQUE INDEX url_check ON url (key) WHERE kind = 'check';

CREATE TABLE takedown (kind TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (kind, value)) WITHOUT ROWID;

CREATE TABLE history (                       -- number of URLs by minute and outcome
    minute INTEGER NOT NULL, kind TEXT NOT NULL, outcome TEXT NOT NULL, n INTEGER NOT NULL,
    PRIMARY KEY (minute, kind, outcome)
) WITHOUT ROWID;

-- A URL that is retried has the rank -1 - rank, below all others, until it is settled.
CREATE INDEX url_retried ON url (rank) WHERE rank < 0;
CREATE TRIGGER url_retry_settled AFTER UPDATE OF outcome ON url WHEN new.rank < 0 AND new.outcome <> 'queued' BEGIN
    UPDATE url SET rank = -1 - rank WHERE number = new.number;
END;
"""

# Reasons as codes with values instead of sentences; the functions that translate are in `old_reasons`.
_REASON_CODES = """
ALTER TABLE url RENAME COLUMN reason TO reason_detail;               -- the values of the reason, see `reasons`
ALTER TABLE url ADD COLUMN reason_code TEXT NOT NULL DEFAULT '';     -- reasons.ReasonCode, '' where there is none
UPDATE url SET reason_code = old_reason_code(reason_detail), reason_detail = old_reason_detail(reason_detail)
    WHERE reason_detail <> '';
ALTER TABLE url ADD COLUMN redirect_to TEXT NOT NULL                 -- the URL that a moved one redirects to
    GENERATED ALWAYS AS (CASE reason_code WHEN 'redirected' THEN reason_detail ELSE '' END) VIRTUAL;
ALTER TABLE url RENAME COLUMN looks TO misses;

ALTER TABLE host RENAME COLUMN trouble TO trouble_detail;            -- why it could not be reached the last time
ALTER TABLE host ADD COLUMN trouble_code TEXT NOT NULL DEFAULT '';   -- likewise
UPDATE host SET trouble_code = old_reason_code(trouble_detail), trouble_detail = old_reason_detail(trouble_detail)
    WHERE trouble_detail <> '';
"""

# Step i turns version i into version i + 1; an older file is upgraded when it is opened.
STEPS = (_FIRST, _DISCOVERY, _PACE, _KEPT_UP, _REASON_CODES)
VERSION = len(STEPS)
