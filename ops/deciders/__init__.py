"""Processes that decide recorded commands again: a shard each, as many at once as there are cores.

The parent reads the stores and gives them the journal's rows; they answer with what differs. They have no store, no
settings and nothing to write to.
"""
