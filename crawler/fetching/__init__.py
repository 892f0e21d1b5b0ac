"""Fetch one URL: guarded connections, deadlines, content sniffing, politeness between requests.

addresses    which addresses are public
deadline     sockets that keep a total deadline
connections  connections to checked addresses, kept alive
sniff        image, page or neither, by the first bytes
politeness   the pause between two requests to a host
fetch        one bounded GET; robots.txt of a host; one image for a query
"""
