"""How a service of yours would use the client. Run by the tests; start with `python -m ops.examples.blocking`."""
