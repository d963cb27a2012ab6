"""Apache Kafka as one KRaft node."""

import shutil
import socket
import subprocess
import uuid
from base64 import urlsafe_b64encode
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from ops.kafka import KafkaProblem
from ops.kafka.led import led
from ops.stack import java, maven
from ops.stack.errors import StackError
from ops.stack.files import Progress, quiet, write_whole
from ops.stack.servers import Place
from ops.stack.versions import fill


class Kafka:
    """The broker and its controller in one process."""

    name = "kafka"
    port_names: tuple[str, ...] = ("client", "controller")

    def install(self, progress: Progress) -> None:
        """Fetch the jars, and see that Java can run them."""
        java.find()
        maven.jars(self.name, progress)

    def command(self, place: Place) -> list[str]:
        """Write the configuration, format the log folder the first time, and return the command line."""
        folder, jars = place.folder, maven.jars(self.name, quiet)
        values = {"directory": folder, "directory_uri": folder.as_uri(), "jars": jars}
        config = folder / "kafka.properties"
        write_whole(config, fill("kafka.properties", {**values, **place.ports, "partitions": place.partitions}))
        write_whole(folder / "log4j2.properties", fill("kafka-log4j2.properties", {}))
        write_whole(folder / "java.args", fill("kafka.args", values))
        _format(folder, jars, config)
        return [java.find(), f"@{folder}/java.args"]

    def answers(self, port: int) -> bool:
        """Ask for metadata, in which a broker that is still fenced is not, and then whether it leads all partitions
        that it lists."""
        bootstrap = f"127.0.0.1:{port}"
        try:  # a closed port is asked without the client, which would log its complaint
            socket.create_connection(("127.0.0.1", port), 1).close()
            known = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0}).list_topics(timeout=10)
            counts = {name: len(topic.partitions) for name, topic in known.topics.items()}
            return bool(known.brokers) and led(bootstrap, counts)
        except (OSError, KafkaException, KafkaProblem):
            return False


def _format(folder: Path, jars: Path, config: Path) -> None:
    formatted = folder / "formatted"
    if formatted.exists():
        return
    shutil.rmtree(folder / "data", ignore_errors=True)  # of a format that was interrupted
    # The first byte is none of chance: one id in 64 would begin with "-", and be taken for an option.
    cluster = urlsafe_b64encode(b"\0" + uuid.uuid4().bytes[1:]).decode().rstrip("=")
    tool = ["kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(config)]
    result = subprocess.run(  # noqa: S603
        [java.find(), "-cp", f"{jars}/*", *tool], capture_output=True, text=True, check=False
    )
    if result.returncode:
        raise StackError(f"Kafka could not format {folder}/data: {result.stderr.strip() or result.stdout.strip()}")
    formatted.touch()
