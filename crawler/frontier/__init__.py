"""The frontier database: URLs to fetch, leases, outcomes and takedowns.

One SQLite file, which several processes may share:

schema       the tables, and the steps from one version to the next
old_reasons  reasons of files up to version 4, translated into codes
database     connection, transactions, upgrade
insert       SQL that adds URLs, and the budget of each host
lease_owner  which process holds a lease, and whether it lives
hosts        pace, robots.txt and failures of each host
leases       URLs and hosts that are due, and who holds them
takedowns    what must not be fetched
checks       the images that a refresh fetches again
inspection   queries for reports and explanations
frontier     all of it behind one class
"""
