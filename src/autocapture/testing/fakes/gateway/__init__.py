"""A gateway on loopback before any provider's server, fake or real: it tells which call sites there are, and breaks one of them.

wire = Wire()
with Gateway(wire, "graph", graph.root, route_of) as gateway:     # connect the account at gateway.url
    wire.moment = "import"
    ...                                                           # wire.met: every site that was asked
    wire.break_at({site: [KINDS["reset after"]]})                 # when it is asked next, once
    wire.heal()                                                   # before each further try: what was away is back
"""

from autocapture.testing.fakes.gateway.kinds import KINDS, Kind, Meaning
from autocapture.testing.fakes.gateway.server import Gateway
from autocapture.testing.fakes.gateway.wire import Reply, Site, Wire

__all__ = ["KINDS", "Gateway", "Kind", "Meaning", "Reply", "Site", "Wire"]
