"""The write side: the pure domain, the journal and event store in Cassandra, and the handler process."""
