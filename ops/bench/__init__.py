"""The benchmark: every figure is a ratio to a peer, taken in one run on the same servers, because machines differ."""
