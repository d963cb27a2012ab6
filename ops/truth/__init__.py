"""Whether the stores say the same: a generation before it goes live, everything at any time; and how to mend it."""
