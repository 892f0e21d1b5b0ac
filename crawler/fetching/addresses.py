"""Which addresses belong to the public internet. Pure: an address in, decision out.

requests-hardened refuses private, loopback, link-local, multicast and translated addresses. This refuses what it lets
through and what no public server has: IPv6 outside the space that is given out, and a cloud's own machinery behind an
address that looks public. Knows nothing of names or requests.
"""

from ipaddress import ip_address, ip_network

# RFC 4291 2.4: all public IPv6 servers live here. Outside lie the deprecated site-local addresses (fec0::/10), IPv4 in
# IPv6 clothes (::127.0.0.1, ::ffff:0:127.0.0.1) and what is reserved.
_PUBLIC_IPV6 = ip_network("2000::/3")
_CLOUD_MACHINERY = frozenset({ip_address("168.63.129.16")})  # Azure's host agent, the same for every virtual machine


def is_public(address: str) -> bool:
    """Whether a numeric IPv4 or IPv6 address, as a resolver gives it, may be that of a public server."""
    ip = ip_address(address)
    if ip.version == 6 and ip not in _PUBLIC_IPV6:
        return False
    return ip not in _CLOUD_MACHINERY
