"""Trust in the proxies before Orthanc.

They say who signed in there, from where, and whether by HTTPS.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address


@dataclass(frozen=True)
class Proxies:
    """The trusted proxies.

    user_header: the header, in lower case, in which they name the user; empty if they do not.
    networks: the networks from which they are believed; headers of anybody else mean nothing. tls:
    Orthanc itself answers by HTTPS.
    """

    user_header: str = ""
    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    tls: bool = False

    def are(self, peer: str) -> bool:
        """Return whether this address is one of a proxy."""
        address = _address(peer)
        return address is not None and any(address in network for network in self.networks)

    def user(self, headers: dict[str, str], peer: str) -> str | None:
        """Return who signed in at a proxy; None if nobody did, or if the peer is no proxy."""
        name = headers.get(self.user_header, "").strip() if self.user_header else ""
        return name[:200] if name and self.are(peer) else None

    def address(self, headers: dict[str, str], peer: str) -> str:
        """Return the address that the request comes from.

        It is the last address in X-Forwarded-For that is not a proxy's own, or else the peer's.
        """
        if self.are(peer):
            for told in reversed(headers.get("x-forwarded-for", "").split(",")):
                address = _address(told.strip())
                if address is None:
                    break  # anything before it may be made up
                if not self.are(str(address)):
                    return str(address)
        return str(_address(peer) or "")

    def https(self, headers: dict[str, str], peer: str) -> bool:
        """Return whether the browser used HTTPS."""
        return self.tls or (
            self.are(peer) and headers.get("x-forwarded-proto", "").strip().lower() == "https"
        )


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped if isinstance(address, IPv6Address) else None) or address
