"""The write side's Kafka: commands in, messages out; the only importer of confluent-kafka here."""
