"""Dead letters: what they are (`letter`), what is wrong with them now (`judge`, `anatomy`), replayed and purged.

What was replayed is remembered on a compacted topic of its own (`marks`): offsets of a consumer group would go after a
week without a member, and one offset cannot say which letters of many were meant.
"""
