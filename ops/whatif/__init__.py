"""Potential state: real history, changed, in memory. Pure; `ops.whatif.run` feeds it from the stores.

Either the recorded commands are decided again under other policies (`again`), or events of an account are changed and
folded anew (`edits`, `refold`). What comes of it is two histories of an account that part at some version (`parted`).
"""
