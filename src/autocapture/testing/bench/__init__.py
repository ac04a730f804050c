"""How fast a mailbox is captured, beside other programs that read the same mailbox on the same machine.

    python -m autocapture.testing.bench [--messages 20000] [--rounds 5] [--format table|json]

Absolute rates say little about another machine; ratios taken in one run do. Every round runs every program once, so that a
noisy neighbour hits all of them alike, and the medians are compared.
"""
