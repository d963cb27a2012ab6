"""The write side's stores in Cassandra; the only importer of cassandra-driver here."""
