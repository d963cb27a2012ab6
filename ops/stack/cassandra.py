"""Apache Cassandra as one node."""

import socket

from ops.stack import java, maven
from ops.stack.files import Progress, quiet, write_whole
from ops.stack.servers import Place
from ops.stack.versions import fill

_OPTIONS = bytes([0x04, 0, 0, 0, 0x05, 0, 0, 0, 0])  # a frame of the native protocol: version 4, OPTIONS, no body
_SUPPORTED = 0x06


class Cassandra:
    """The node; its storage and JMX ports are its own too, so that two stacks never meet."""

    name = "cassandra"
    port_names: tuple[str, ...] = ("native", "storage", "jmx")

    def install(self, progress: Progress) -> None:
        """Fetch the jars, and see that Java can run them."""
        java.find()
        maven.jars(self.name, progress)

    def command(self, place: Place) -> list[str]:
        """Write the configuration and return the command line."""
        folder = place.folder
        values = {"directory": folder, "directory_uri": folder.as_uri(), **place.ports}
        write_whole(folder / "cassandra.yaml", fill("cassandra.yaml", values))
        write_whole(folder / "logback.xml", fill("cassandra-logback.xml", {}))
        arguments = fill("cassandra.args", {**values, "jars": maven.jars(self.name, quiet)})
        write_whole(folder / "java.args", arguments)
        return [java.find(), f"@{folder}/java.args"]

    def answers(self, port: int) -> bool:
        """Shake hands in the native protocol, whose port opens when the node has joined."""
        try:
            with socket.create_connection(("127.0.0.1", port), 1) as connection:
                connection.sendall(_OPTIONS)
                answer = connection.recv(9)
        except OSError:
            return False
        return len(answer) == 9 and answer[4] == _SUPPORTED
