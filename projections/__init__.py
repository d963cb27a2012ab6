"""The read side: pure views of the events, the worker that keeps them in Redis, and their queries."""
