"""From a host name to a connected socket: addresses are judged before they are dialled, TLS is always verified."""

from __future__ import annotations

import ipaddress
import socket
import ssl
from collections.abc import Sequence

from autocapture.connect.failures import in_words
from autocapture.connector import Tools
from autocapture.errors import SetupError, Unreachable
from autocapture_imap.options import ImapOptions


def dial(options: ImapOptions, tools: Tools) -> socket.socket:
    """A TCP connection to the first allowed address that answers. The name is resolved once: what was judged is dialled."""
    allowed = _allowed(_resolve(options.host, options.port_number), options, tools)
    failure = "no address"
    for address in allowed:
        try:
            return socket.create_connection(
                (address, options.port_number), timeout=tools.timeout.total_seconds()
            )
        except OSError as error:
            failure = _why(error)
    raise Unreachable(f"{options.host}:{options.port_number} does not answer ({failure})")


def _resolve(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreachable(f"the name {host} cannot be resolved ({_why(error)})") from None
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _why(error: Exception) -> str:
    return ((error.strerror if isinstance(error, OSError) else None) or str(error)).lower()


def _allowed(addresses: Sequence[str], options: ImapOptions, tools: Tools) -> list[str]:
    if options.security == "none" and not all(_is_loopback(address) for address in addresses):
        raise SetupError(
            f"{options.host} is not on this machine: choose tls or starttls, never an open connection"
        )
    allowed = [address for address in addresses if tools.dial_allowed(address)]
    if addresses and not allowed:
        raise SetupError(
            f"the address of {options.host} is not public, and its network was not allowed (network.allow_networks)"
        )
    return allowed


def _is_loopback(address: str) -> bool:
    ip = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(ip, "ipv4_mapped", None)
    return bool((mapped or ip).is_loopback)


def tls_context(options: ImapOptions) -> ssl.SSLContext:
    """Certificate and host name are checked, TLS 1.2 at least; `ca_file` replaces the system's authorities."""
    try:
        context = ssl.create_default_context(cafile=str(options.ca_file) if options.ca_file else None)
    except (OSError, ssl.SSLError):
        raise SetupError(f"the certificate file {options.ca_file} cannot be read") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def wrap(sock: socket.socket, host: str, context: ssl.SSLContext) -> ssl.SSLSocket:
    """TLS over `sock`. Raises SetupError where the certificate does not prove `host`, Unreachable where TLS broke off."""
    try:
        return context.wrap_socket(sock, server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        sock.close()
        raise SetupError(f"the certificate of {host} is not trusted: {error.verify_message}") from None
    except ssl.SSLError as error:
        sock.close()
        if error.reason in ("WRONG_VERSION_NUMBER", "UNSUPPORTED_PROTOCOL", "NO_PROTOCOLS_AVAILABLE"):
            raise SetupError(
                f"{host} does not speak TLS on this port: choose another port or security"
            ) from None
        raise Unreachable(f"the TLS handshake with {host} failed") from None
    except TimeoutError:
        sock.close()
        raise Unreachable(
            f"{host} takes the connection and does not answer the TLS handshake: is tls the security of this port?"
        ) from None
    except OSError as error:
        sock.close()
        raise Unreachable(f"the TLS handshake with {host} broke off: {in_words(error)}") from None
