"""Which addresses belong to the public internet. Pure: an address in, decision out.

requests-hardened refuses private, loopback, link-local, multicast and translated addresses. This refuses what it lets
through and no public server has: IPv6 outside the space that is assigned, and cloud services behind addresses that look
public.
"""

from ipaddress import ip_address, ip_network

# RFC 4291 2.4: all public IPv6 servers are in here. Outside are the deprecated site-local addresses (fec0::/10), IPv4
# addresses in IPv6 notation (::127.0.0.1, ::ffff:0:127.0.0.1) and reserved ones.
_PUBLIC_IPV6 = ip_network("2000::/3")
_CLOUD_SERVICES = frozenset({ip_address("168.63.129.16")})  # Azure's host agent, the same for every virtual machine


def is_public(address: str) -> bool:
    """Return whether a numeric IPv4 or IPv6 address, as a resolver returns it, may be that of a public server."""
    ip = ip_address(address)
    if ip.version == 6 and ip not in _PUBLIC_IPV6:
        return False
    return ip not in _CLOUD_SERVICES
