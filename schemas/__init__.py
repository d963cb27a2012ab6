"""The contract of both sides: messages, their Avro schemas, the codec and the names of the topics."""
