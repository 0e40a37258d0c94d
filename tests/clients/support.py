"""What the client tests share: the daemon and brokers as processes, a client of paho-mqtt, and checks that are counted.

Everything is on loopback, on free ports, in folders that go with the process.
"""

import atexit
import collections
import contextlib
import json
import os
import pathlib
import queue
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

import paho.mqtt
import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
DEVICE = "oven"
BASE = f"thinkd/{DEVICE}"
QUESTION = "What is the mean of 20, 22 and 24?"
RIGHT = "22"
PATIENCE_S = 30

# An answer that takes long, whatever the model has to say: numbers are wanted, and many.
LONG = {
    "prompt": "Count.",
    "max_tokens": 1500,
    "max_think_tokens": 0,
    "response_format": {
        "type": "json_schema",
        "json_schema": {"schema": {"type": "array", "items": {"type": "integer"}, "minItems": 700}},
    },
}


PAHO = f"paho-mqtt {paho.mqtt.__version__}"


class Failed(Exception):
    """A check that did not hold."""


class Silence(Failed):
    """Nothing came."""


class Report:
    """Runs checks, prints a line for each, and says at the end how it went."""

    def __init__(self):
        self.passed, self.failed = 0, 0
        # So that what was started is ended too where we are.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))

    @contextlib.contextmanager
    def check(self, title):
        try:
            yield
        except Exception as error:  # whatever a client library throws
            self.failed += 1
            print(f"FAILED  {title}: {error}", flush=True)
            if not isinstance(error, Failed):
                traceback.print_exc()
        else:
            self.passed += 1
            print(f"ok      {title}", flush=True)

    def end(self, using):
        """Says how it went, and with what."""
        print(f"with    {using}")
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        sys.exit(1 if self.failed or not self.passed else 0)


def expect(condition, text):
    if not condition:
        raise Failed(text)


def expect_equal(found, wanted):
    expect(found == wanted, f"found {found!r}, expected {wanted!r}")


def until(what, look, patience=PATIENCE_S):
    """What `look` gives as soon as it is true; fails after `patience` seconds."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise Failed(f"waited {patience} seconds in vain for {what}")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def port_open(port):
    with socket.socket() as one:
        one.settimeout(1)
        return one.connect_ex(("127.0.0.1", port)) == 0


def temporary():
    """A folder that goes when this program ends."""
    folder = tempfile.mkdtemp(prefix="thinkd-clients-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return pathlib.Path(folder)


class Process:
    """A program in a process group of its own, which ends with ours."""

    def __init__(self, words, log, **more):
        self.log_path = pathlib.Path(log)
        with open(log, "ab") as output:
            self.child = subprocess.Popen(
                [str(word) for word in words],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                **more,
            )
        atexit.register(self.kill)

    def log(self):
        return self.log_path.read_text(errors="replace")

    def is_running(self):
        return self.child.poll() is None

    def member(self, name):
        """The process of this name in our group."""
        for entry in pathlib.Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                number, _, rest = entry.read_text().partition(" (")
                found, _, fields = rest.rpartition(") ")
                if found == name and int(fields.split()[2]) == self.child.pid:
                    return int(number)
        raise Failed(f"no {name} runs")

    def kill(self):
        """As the kernel does, the whole group."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.child.pid, signal.SIGKILL)
        self.child.wait()

    def stop(self, patience=60):
        """As a service manager does."""
        if self.is_running():
            self.child.terminate()
        status = self.child.wait(timeout=patience)
        self.kill()
        return status


class Daemon:
    """thinkd with its own model and a state that its restarts share."""

    SETTINGS = """
[templates.alarm]
prompt = "What is the mean of {{ first }}, {{ second }} and 24?"
max_tokens = 200
"""

    def __init__(self, port, settings=(), device=DEVICE, wait=True):
        self.folder = temporary()
        self.port, self.settings, self.device, self.starts = port, list(settings), device, 0
        (self.folder / "config.toml").write_text(self.SETTINGS)
        self.process = None
        self.start(wait)

    def start(self, wait=True):
        self.starts += 1
        settings = [
            f"store.directory={self.folder / 'state'}",
            "log.format=json",
            "engine.threads=1",
            "engine.temperature=0",
            "mqtt.keep_alive_seconds=5",
            *self.settings,
        ]
        words = [thinkd(), "serve", "--device", self.device, "--broker", f"mqtt://127.0.0.1:{self.port}"]
        words += ["--model", REPOSITORY / "models/thinkd-mini"]
        for setting in settings:
            words += ["--set", setting]
        environment = {"THINKD_CONFIG": str(self.folder / "config.toml"), "PATH": os.environ["PATH"]}
        self.process = Process(words, self.folder / f"log-{self.starts:05}", env=environment)
        if wait:
            self.wait_until_it_listens()

    def wait_until_it_listens(self):
        def listens():
            expect(self.process.is_running(), f"the daemon ended: {self.process.log()[-2000:]}")
            return "Listening for prompts." in self.process.log()

        until("the daemon to listen", listens, 60)

    def kill(self):
        self.process.kill()

    def stop(self):
        return self.process.stop()

    def log(self):
        """All it has logged, over all its starts."""
        lines = []
        for path in sorted(self.folder.glob("log-*")):
            for line in path.read_text(errors="replace").splitlines():
                with contextlib.suppress(ValueError):
                    lines.append(json.loads(line))
        return lines

    def inferences(self):
        """How often each id was computed to its end."""
        done = (line["job.id"] for line in self.log() if line.get("message") == "Answer finished.")
        return collections.Counter(done)


def thinkd():
    return str(pathlib.Path(os.environ.get("THINKD_PROGRAM", REPOSITORY / "target/release/thinkd")).resolve())


def version_of(*words):
    """The first number with dots that a program says of itself."""
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return re.search(r"\d+(\.\d+)+", done.stdout + done.stderr).group()


class Mosquitto:
    """mosquitto as it is to be set up where prompts count: what is queued is written at every change."""

    # Whether it keeps back what goes beyond our receive maximum, as MQTT has it, and does not drop it.
    HOLDS_BACK = True
    HAS_SHARED = True

    def __init__(self):
        self.folder, self.port = temporary(), free_port()
        self.program = shutil.which("mosquitto", path=os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin")
        (self.folder / "mosquitto.conf").write_text(
            f"listener {self.port} 127.0.0.1\nuser root\nallow_anonymous true\nset_tcp_nodelay true\n"
            f"persistence true\npersistence_location {self.folder}/\nautosave_interval 1\n"
            "autosave_on_changes true\nmax_queued_messages 0\n"
        )
        self.start()

    def name(self):
        return "mosquitto " + version_of(self.program, "-h")

    def start(self):
        self.process = Process([self.program, "-c", self.folder / "mosquitto.conf"], self.folder / "log")
        until("mosquitto's port", lambda: port_open(self.port))

    def stop(self):
        self.process.stop()

    def kill(self):
        self.process.kill()


class RabbitMq:
    """RabbitMQ with its MQTT plugin and nothing else, in the root of a system that has it."""

    # Whether it keeps back what goes beyond our receive maximum, as MQTT has it, and does not drop it.
    HOLDS_BACK = True
    HAS_SHARED = False

    def __init__(self):
        self.root = os.environ["THINKD_CLIENTS_ROOT"]
        self.folder, self.inner = folder_in_root(self.root)
        self.port, epmd_port = free_port(), free_port()
        (self.folder / "rabbitmq.conf").write_text(
            f"listeners.tcp = none\nmqtt.listeners.tcp.1 = 127.0.0.1:{self.port}\n"
            "mqtt.tcp_listen_options.nodelay = true\nlog.console = true\nlog.console.level = info\n"
        )
        (self.folder / "enabled_plugins").write_text("[rabbitmq_mqtt].")
        self.environment = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(self.inner),
            "RABBITMQ_NODENAME": "thinkd@localhost",
            "RABBITMQ_CONFIG_FILE": str(self.inner / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.inner / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(self.inner / "data"),
            "RABBITMQ_LOG_BASE": str(self.inner / "logs"),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "ERL_EPMD_PORT": str(epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        }
        # Erlang would start it itself, as a daemon that outlives us.
        words = ["epmd", "-address", "127.0.0.1", "-port", epmd_port]
        self.names = Process(in_root(self.root, words), self.folder / "epmd.log", env=self.environment)
        until("Erlang's port mapper", lambda: port_open(epmd_port))
        self.start()

    def name(self):
        return "RabbitMQ " + re.search(r"Starting RabbitMQ (\S+)", self.process.log()).group(1)

    def start(self):
        before = self.process.log().count("Server startup complete") if hasattr(self, "process") else 0
        words = in_root(self.root, ["/usr/lib/rabbitmq/bin/rabbitmq-server"])
        self.process = Process(words, self.folder / "log", env=self.environment)
        until("RabbitMQ", lambda: self.process.log().count("Server startup complete") > before, 120)

    def stop(self):
        # The script round it would only ask it over the network to do so.
        os.kill(self.process.member("beam.smp"), signal.SIGTERM)
        self.process.child.wait(timeout=60)
        self.process.kill()

    def kill(self):
        self.process.kill()


class FlashMq:
    """FlashMQ, where `THINKD_FLASHMQ` names its program."""

    # Whether it keeps back what goes beyond our receive maximum, as MQTT has it, and does not drop it.
    HOLDS_BACK = False
    HAS_SHARED = True

    def __init__(self):
        self.folder, self.port = temporary(), free_port()
        (self.folder / "flashmq.conf").write_text(
            f"allow_anonymous true\nstorage_dir {self.folder}\nlog_file {self.folder / 'flashmq.log'}\n"
            "save_state_interval 300\nmax_qos_bytes_pending_per_client 16777216\n"
            f"listen {{\n  protocol mqtt\n  port {self.port}\n  inet_protocol ip4\n"
            "  inet4_bind_address 127.0.0.1\n  tcp_nodelay true\n}\n"
        )
        self.start()

    def name(self):
        return "FlashMQ " + version_of(os.environ["THINKD_FLASHMQ"], "--version")

    def start(self):
        words = [os.environ["THINKD_FLASHMQ"], "--config-file", self.folder / "flashmq.conf"]
        self.process = Process(words, self.folder / "log")
        until("FlashMQ's port", lambda: port_open(self.port))

    def stop(self):
        self.process.stop()

    def kill(self):
        self.process.kill()


def properties(kind, **values):
    """MQTT 5 properties of a packet: `properties("PUBLISH", ResponseTopic="…")`."""
    made = Properties(getattr(PacketTypes, kind))
    for name, value in values.items():
        setattr(made, name, value)
    return made


class Client:
    """A client of paho-mqtt that keeps what comes, by topic."""

    def __init__(self, port, version, name, topics, clean=True):
        self.port, self.version, self.topics, self.clean = port, version, topics, clean
        self.heard = collections.defaultdict(queue.Queue)
        self.is_listening = False
        more = {} if version == 5 else {"clean_session": clean}
        protocol = mqtt.MQTTv5 if version == 5 else mqtt.MQTTv311
        self.paho = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=name, protocol=protocol, **more)
        self.paho.on_connect = self._connected
        self.paho.on_subscribe = self._subscribed
        self.paho.on_disconnect = self._disconnected
        self.paho.on_message = self._came
        self.paho.reconnect_delay_set(min_delay=1, max_delay=1)
        self.connect()

    def connect(self):
        more = {}
        if self.version == 5:
            # What there was before is wanted again, so it has to be kept.
            more["properties"] = properties("CONNECT", SessionExpiryInterval=0 if self.clean else 3600)
            more["clean_start"] = self.clean
        self.paho.connect("127.0.0.1", self.port, keepalive=10, **more)
        self.paho.loop_start()
        until("the subscription", lambda: self.is_listening)

    def _connected(self, client, _data, _flags, _reason, _properties):
        client.subscribe([(topic, 1) for topic in self.topics])

    def _subscribed(self, *_):
        self.is_listening = True

    def _disconnected(self, *_):
        self.is_listening = False

    def _came(self, _client, _data, message):
        self.heard[message.topic].put(message)

    def publish(self, topic, payload, qos=1, **values):
        """Publishes; where there is an acknowledgement, waits for it."""
        if not isinstance(payload, (str, bytes)):
            payload = json.dumps(payload)
        more = {"properties": properties("PUBLISH", **values)} if values else {}
        sent = self.paho.publish(topic, payload, qos, **more)
        sent.wait_for_publish(PATIENCE_S)
        expect(sent.is_published(), f"{topic} was not acknowledged")

    def message(self, topic, patience=PATIENCE_S):
        """The next message on this topic."""
        try:
            return self.heard[topic].get(timeout=patience)
        except queue.Empty:
            raise Silence(f"waited {patience} seconds in vain for a message on {topic}") from None

    def json(self, topic):
        return json.loads(self.message(topic).payload)

    def text(self, topic, wanted):
        """Waits for this text."""
        while (found := self.message(topic).payload.decode()) != wanted:
            print(f"        {topic} says {found!r}")

    def close(self):
        self.paho.disconnect()
        self.paho.loop_stop()
        self.is_listening = False


def in_root(root, words):
    """The command that runs `words` in another system's root, with a /proc of its own."""
    if str(root) == "/":
        return words
    enter = 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"'
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c", enter, root, *words]


def folder_in_root(root):
    """A new folder there: its path from here, and from there."""
    parent = pathlib.Path(root) / "tmp"
    folder = pathlib.Path(tempfile.mkdtemp(prefix="thinkd-clients-", dir=parent))
    folder.chmod(0o755)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder, pathlib.Path("/tmp") / folder.name
