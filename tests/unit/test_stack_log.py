from pathlib import Path

import pytest

from ops.stack import log


@pytest.mark.parametrize(
    "line",
    [
        "Could not create server TCP listening socket 127.0.0.1:6379: bind: Address already in use",
        "KafkaException: Socket server failed to bind to 127.0.0.1:9092: Address already in use.",
        "/127.0.0.1:27000 is in use by another process.  Change listen_address:storage_port in cassandra.yaml",
        "java.lang.IllegalStateException: Failed to bind port 9042 on 127.0.0.1.",
        "java.rmi.server.ExportException: Port already in use: 7199; nested exception is:",
    ],
)
def test_each_server_says_in_its_own_words_that_a_port_was_taken(line: str) -> None:
    assert log.port_was_taken(f"begin\n{line}\n" + "INFO shutting down\n" * 100)
    assert log.excerpt(f"INFO begin\n{line}\n" + "INFO shutting down\n" * 100).startswith(line[:20])


def test_the_excerpt_is_the_trouble_else_the_end() -> None:
    lines = [f"INFO line {number}" for number in range(100)]
    assert log.excerpt("\n".join(lines)).splitlines() == lines[-12:]
    assert log.excerpt("INFO only\nERROR no disk\nINFO end") == "ERROR no disk\nINFO end"
    assert log.excerpt("") == ""


def test_an_earlier_run_is_not_blamed(tmp_path: Path) -> None:
    file = tmp_path / "server.log"
    assert log.size(file) == 0
    file.write_text("ERROR before\n")
    start = log.size(file)
    file.write_text("ERROR before\nINFO now\n")
    assert log.since(file, start) == "INFO now\n"
