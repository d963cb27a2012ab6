import os
import signal
from pathlib import Path

import pytest
import yaml

from ops import stack
from ops.stack import process
from ops.stack.address import Record, address_of, publish
from ops.stack.versions import fill

PORTS = {
    "kafka": {"client": 1, "controller": 2},
    "cassandra": {"native": 3, "storage": 4, "jmx": 5},
    "redis": {"client": 6},
}
ADDRESS = stack.StackAddress("127.0.0.1:1", "127.0.0.1:3", "redis://127.0.0.1:6/0")


def test_the_environment_names_the_client_ports() -> None:
    assert address_of(PORTS) == ADDRESS
    assert ADDRESS.environment() == {
        "LICENSING_KAFKA": "127.0.0.1:1",
        "LICENSING_CASSANDRA": "127.0.0.1:3",
        "LICENSING_REDIS": "redis://127.0.0.1:6/0",
    }


def test_the_published_address_is_read_back(tmp_path: Path) -> None:
    publish(tmp_path, ADDRESS)
    assert stack.address(tmp_path) == ADDRESS
    assert (tmp_path / "stack.env").read_text().startswith("LICENSING_KAFKA=127.0.0.1:1\n")


def test_a_home_without_a_stack_says_so(tmp_path: Path) -> None:
    with pytest.raises(stack.StackError, match="make up"):
        stack.address(tmp_path)
    with pytest.raises(stack.StackError, match="No stack was started"):
        stack.start_one(tmp_path, "redis")
    assert [(server.running, server.port) for server in stack.status(tmp_path)] == [(False, None)] * 3


def test_the_record_keeps_ports_between_runs(tmp_path: Path) -> None:
    Record(7, PORTS).save(tmp_path)
    record = Record.load(tmp_path, partitions=4)
    assert record == Record(7, PORTS)
    assert record.taken(but="kafka") == {3, 4, 5, 6}
    assert {server.name: server.port for server in stack.status(tmp_path)} == {"kafka": 1, "cassandra": 3, "redis": 6}


def test_a_pid_that_another_process_got_is_never_signalled(tmp_path: Path) -> None:
    folder = tmp_path / "redis"
    folder.mkdir()
    (folder / "pid").write_text(f"{os.getpid()}\n")
    assert stack.pid(tmp_path, "redis") is None
    with pytest.raises(stack.StackError, match="redis does not run"):
        stack.kill(tmp_path, "redis", signal.SIGKILL)
    stack.stop(tmp_path)


def test_a_server_is_known_by_its_folder_until_it_ends(tmp_path: Path) -> None:
    process.spawn(["/bin/sh", "-c", "echo begun; sleep 60", f"{tmp_path}/its.conf"], tmp_path)
    pid = process.pid_of(tmp_path)
    assert pid is not None
    assert os.getsid(pid) != os.getsid(0), "Ctrl-C in our terminal would reach it"
    process.end([tmp_path])
    assert process.pid_of(tmp_path) is None


def test_templates_have_a_value_for_every_name() -> None:
    values = {"directory": "/a b", "directory_uri": "file:///a%20b", "jars": "/lib", "partitions": 4}
    for template in ("kafka.properties", "kafka.args", "kafka-log4j2.properties"):
        assert "$" not in fill(template, {**values, **PORTS["kafka"]})
    for template in ("cassandra.args", "cassandra-logback.xml"):
        assert "$" not in fill(template, {**values, **PORTS["cassandra"]})
    assert "port 6\n" in fill("redis.conf", {**values, **PORTS["redis"]})
    node = yaml.safe_load(fill("cassandra.yaml", {**values, **PORTS["cassandra"]}))
    assert (node["native_transport_port"], node["storage_port"], node["paxos_variant"]) == (3, 4, "v2")
    assert node["data_file_directories"] == ["/a b/data"]
