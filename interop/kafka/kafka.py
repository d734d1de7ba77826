#!/usr/bin/env python3
"""Installs and runs a real Apache Kafka 4.3.0, to prove the interop tests on, and to compare with.

kafka.py install                         fetch the jars from Maven Central
kafka.py start DIR PORT [key=value...]   one node (broker and controller) on 127.0.0.1:PORT, its controller on PORT + 1,
                                         its data and log in DIR; returns once it serves
kafka.py stop DIR                        clean shutdown (SIGTERM)
kafka.py kill DIR                        SIGKILL
kafka.py tool NAME ARGS...               a command-line tool: one of the short names in TOOLS below, or a class name

Needs Python 3.9, Maven, and a JDK 17 or later (`java` of $JAVA_HOME or of the path). The jars (about 100 MB) go to
$INTEROP_KAFKA_HOME, by default thalweg-kafka-4.3.0 in the user's cache.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
JARS = Path(os.environ.get("INTEROP_KAFKA_HOME") or CACHE / "thalweg-kafka-4.3.0")
JAVA = str(Path(os.environ["JAVA_HOME"]) / "bin" / "java") if os.environ.get("JAVA_HOME") else "java"
START_SECONDS_MAX = 90

# The brokers that this process started: they are ended through their pid file, and live on without us.
STARTED = []

# One id for every cluster: a directory that one run made opens in the next.
CLUSTER_ID = "VGhhbHdlZ0ludGVyb3AwMQ"

TOOLS = {
    "topics": "org.apache.kafka.tools.TopicCommand",
    "produce": "org.apache.kafka.tools.ConsoleProducer",
    "consume": "org.apache.kafka.tools.consumer.ConsoleConsumer",
    "groups": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
    "configs": "kafka.admin.ConfigCommand",
    "dump": "org.apache.kafka.tools.DumpLogSegments",
    "offsets": "org.apache.kafka.tools.GetOffsetShell",
    "delete-records": "org.apache.kafka.tools.DeleteRecordsCommand",
    "api-versions": "org.apache.kafka.tools.BrokerApiVersionsCommand",
    "storage": "kafka.tools.StorageTool",
}


def install():
    """Fetches the jars, and marks the folder as whole at the end: a half-fetched one is fetched again."""
    whole = JARS / "whole"
    if whole.exists():
        return
    subprocess.run(
        ["mvn", "--batch-mode", "--quiet", "--file", HERE / "pom.xml", "dependency:copy-dependencies"]
        + [f"-DoutputDirectory={JARS}", "-DincludeScope=runtime"],
        check=True,
        stdin=subprocess.DEVNULL,
    )
    (JARS / "log4j2.properties").write_text(LOGGING)
    whole.touch()


LOGGING = """\
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d %p %c{1} %m%n
rootLogger.level=${sys:thalweg.level:-ERROR}
rootLogger.appenderRef.out.ref=out
"""


def java(main_class, *arguments, heap="256m", level="ERROR", classes=None):
    """The command line that runs a class on the jars, and on a folder of classes before them."""
    if not (JARS / "whole").exists():
        sys.exit(f"kafka.py: no jars in {JARS}; run `{Path(__file__).name} install` first")
    options = [f"-Xmx{heap}", f"-Dlog4j2.configurationFile={JARS / 'log4j2.properties'}", f"-Dthalweg.level={level}"]
    path = os.pathsep.join([str(classes)] * bool(classes) + [f"{JARS}/*"])
    return [JAVA, *options, "-cp", path, main_class, *map(str, arguments)]


def properties(directory, port, extra):
    """The broker's settings: one node that is everything, small enough for a test machine."""
    controller_port = port + 1
    settings = {
        "node.id": 1,
        "process.roles": "broker,controller",
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "controller.listener.names": "CONTROLLER",
        "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
        "log.dirs": directory / "logs",
        # A broker that was killed may register again once its old session ended; by default that takes 9 s.
        "broker.session.timeout.ms": 1500,
        "broker.heartbeat.interval.ms": 300,
        "group.initial.rebalance.delay.ms": 0,
        "offsets.topic.num.partitions": 3,
        "offsets.topic.replication.factor": 1,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        **dict(setting.split("=", 1) for setting in extra),
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def start(directory, port, extra=()):
    """Starts a broker and waits until it serves. Returns its process id."""
    directory = Path(directory).resolve()
    directory.mkdir(parents=True, exist_ok=True)
    config = directory / "server.properties"
    config.write_text(properties(directory, port, extra))
    if not (directory / "logs" / "meta.properties").exists():
        subprocess.run(
            java("kafka.tools.StorageTool", "format", "--cluster-id", CLUSTER_ID, "--config", config),
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
    log = directory / "server.log"
    with log.open("wb") as output:
        broker = subprocess.Popen(
            java("kafka.Kafka", config, heap="768m", level="INFO"),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    STARTED.append(broker)
    (directory / "pid").write_text(str(broker.pid))
    deadline = time.monotonic() + START_SECONDS_MAX
    while broker.poll() is None and time.monotonic() < deadline:
        if b"Kafka Server started" in log.read_bytes() and accepts(port):
            return broker.pid
        time.sleep(0.05)
    broker.kill()
    sys.exit(f"kafka.py: the broker does not serve:\n{log.read_text(errors='replace')[-2000:]}")


def accepts(port):
    """Whether somebody accepts connections there."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


def end(directory, how):
    """Ends the broker of a directory and waits until it is gone."""
    pid = int((Path(directory) / "pid").read_text())
    try:
        os.kill(pid, how)
        while not is_gone(pid):
            time.sleep(0.05)
    except ProcessLookupError:
        pass


def is_gone(pid):
    """Whether a process has ended. A child of ours is a zombie until it is waited for."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        os.kill(pid, 0)
        return False


def main(arguments):
    """The verbs of the command line."""
    verb = arguments[:1]
    if verb == ["install"] and len(arguments) == 1:
        install()
        print(JARS)
    elif verb == ["start"] and len(arguments) >= 3:
        print(start(arguments[1], int(arguments[2]), arguments[3:]))
    elif verb == ["stop"] and len(arguments) == 2:
        end(arguments[1], signal.SIGTERM)
    elif verb == ["kill"] and len(arguments) == 2:
        end(arguments[1], signal.SIGKILL)
    elif verb == ["tool"] and len(arguments) >= 2:
        command = java(TOOLS.get(arguments[1], arguments[1]), *arguments[2:])
        os.execvp(command[0], command)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
