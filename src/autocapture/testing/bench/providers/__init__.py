"""How capture from Google, Microsoft and calendars behaves at scale, in simulated time.

    python -m autocapture.testing.bench providers [--part import ...] [--minutes 20] [--format table|json]

The engine, its schedule, its tasks, its queue and the connectors are the real ones, over HTTP, against the shipped fakes. Time is
simulated: a request is taken to last as long as it does at a provider, and a pass as long as its requests and its processor time.
"""
