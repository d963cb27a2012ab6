import os
import subprocess
from pathlib import Path
from uuid import UUID

import pytest

from ops.stack import StackError, java, redis
from ops.stack.kafka import _format
from ops.stack.maven import jars


@pytest.mark.parametrize(
    ("output", "major"),
    [
        ('openjdk version "17.0.15" 2025-04-15\nOpenJDK Runtime Environment', 17),
        ('java version "1.8.0_402"', 8),
        ('openjdk version "21" 2023-09-19', 21),
        ("The operation couldn't be completed. Unable to locate a Java Runtime.", None),
    ],
)
def test_java_says_its_version(output: str, major: int | None) -> None:
    assert java.major(output) == major


def test_redis_says_its_version() -> None:
    assert redis.version("Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.2.1 bits=64") == (7, 0)
    assert redis.version("Valkey?") is None


def a_java(folder: Path, version: str) -> None:
    program = folder / "bin" / "java"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
    program.chmod(0o755)


@pytest.mark.parametrize(("version", "why"), [("1.8.0_402", "too old"), ("11.0.2", "too old"), ("25", "newer than")])
def test_a_java_that_does_not_fit_is_one_sentence(
    version: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_java(tmp_path, version)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(StackError, match=rf"{why}.*install Java 17.*docker compose up") as refusal:
        java.find()
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("version", ["17.0.15", "21.0.8"])
def test_a_java_that_fits_is_found(version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_java(tmp_path, version)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert java.find() == str(tmp_path / "bin" / "java")


def test_no_java_and_no_maven_are_one_sentence_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("ops.stack.maven.runtime", lambda: tmp_path)
    with pytest.raises(StackError, match=r"no java in PATH: install Java 17 .*docker compose up"):
        java.find()
    with pytest.raises(StackError, match=r"no mvn in PATH: install Maven .*docker compose up"):
        jars("kafka", lambda text: None)
    assert os.listdir(tmp_path / "lib" / "kafka") == ["lock"], "a failed fetch leaves nothing half-done"


def test_a_cluster_id_is_never_taken_for_an_option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it was for one stack in 64, which did not start."""
    asked = list[list[str]]()

    def run(command: list[str], **_: object) -> "subprocess.CompletedProcess[str]":
        asked.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr("ops.stack.java.find", lambda: "java")
    monkeypatch.setattr("ops.stack.kafka.subprocess.run", run)
    monkeypatch.setattr("ops.stack.kafka.uuid.uuid4", lambda: UUID(bytes=b"\xfb" * 16))
    _format(tmp_path, tmp_path / "jars", tmp_path / "kafka.properties")
    (command,) = asked
    cluster = command[command.index("-t") + 1]
    assert (len(cluster), cluster[0]) == (22, "A")
