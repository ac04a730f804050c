"""The servers that the acceptance tests speak to."""

from tests.peers.fixtures import dovecot_server  # noqa: F401
