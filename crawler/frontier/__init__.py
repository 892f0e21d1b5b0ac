"""The frontier database: URLs to fetch, leases, outcomes and takedowns."""
