"""Where a browser is sent back to by a provider, for a command that waits for it on the same machine.

    Google      a client of type Web application takes addresses of the machine itself over http, to the letter: scheme, port, no
                slash at the end (developers.google.com/identity/protocols/oauth2/web-server, "Redirect URI validation rules")
    Microsoft   the port of such an address does not count (learn.microsoft.com/entra/identity-platform/reply-url, "Localhost
                exceptions")

So one port, the same each time, serves with the one client that the pages use too.
"""

PORT = 8619
"""Of no registered service, and below those that the system gives out for a while."""


def loopback_address(port: int = PORT) -> str:
    """The redirect address that is registered for the command line."""
    return f"http://127.0.0.1:{port}"
