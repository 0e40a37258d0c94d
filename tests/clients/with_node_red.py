#!/usr/bin/env python3
"""The flow of docs/node-red-flow.json in a real Node-RED: deployed through its admin API, set off, and what comes out.

Only what a user has to change is changed, the broker's port; and the debug nodes write to Node-RED's log too, where
what came out of them is read. `THINKD_NODE_RED` is the folder into which npm has installed it.
"""

import json
import os
import pathlib
import time
import urllib.request

from support import (
    BASE,
    LONG,
    REPOSITORY,
    Client,
    Daemon,
    Mosquitto,
    Process,
    Report,
    expect,
    expect_equal,
    free_port,
    temporary,
    until,
)

SETTINGS = """module.exports = {
    uiHost: "127.0.0.1", uiPort: %d, flowFile: "flows.json", credentialSecret: false, disableEditor: true,
    telemetry: { enabled: false }, logging: { console: { level: "info" } },
};
"""
FLOW = REPOSITORY / "docs/node-red-flow.json"


class NodeRed:
    def __init__(self):
        self.folder, self.port, self.read = temporary(), free_port(), 0
        (self.folder / "settings.js").write_text(SETTINGS % self.port)
        self.start()

    def start(self):
        program = pathlib.Path(os.environ["THINKD_NODE_RED"]) / "node_modules/node-red/red.js"
        words = ["node", program, "--userDir", self.folder, "--settings", self.folder / "settings.js"]
        self.process = Process(words, self.folder / "log")
        until("Node-RED to start", lambda: "Started flows" in self.process.log()[self.read :], 120)

    def call(self, path, body=None, **headers):
        data = None if body is None else json.dumps(body).encode()
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", data=data, method="GET" if data is None else "POST"
        )
        for name, value in {"Content-Type": "application/json", **headers}.items():
            request.add_header(name, value)
        with urllib.request.urlopen(request, timeout=30) as response:
            text = response.read().decode()
            return json.loads(text) if text.startswith(("{", "[")) else text

    def deploy(self, port, protocol):
        """Deploys the flow as it stands in the file; waits until it is connected."""
        flow = json.loads(FLOW.read_text())
        for node in flow:
            if node["type"] == "mqtt-broker":
                node.update(broker="127.0.0.1", port=str(port), protocolVersion=protocol)
            if node["type"] == "debug":
                node["console"] = True
        self.read = len(self.process.log())
        self.call("/flows", flow, Node_RED_Deployment_Type="full")
        self.nodes = {node.get("name"): node for node in flow}
        until("the connection", lambda: "Connected to broker" in self.process.log()[self.read :])

    def set_off(self, name, payload=None):
        """As the button of an inject node does, or with another payload."""
        node = self.nodes[name]["id"]
        body = {}
        if payload is not None:
            body = {"__user_inject_props__": [{"p": "payload", "v": payload, "vt": "str"}]}
        self.call(f"/inject/{node}", body)

    def comes_out_of(self, name, patience=60):
        """What the debug node of this name wrote next."""
        mark = f"[debug:{name}]"

        def written():
            """All lines up to the next that begins with a date."""
            _, found, after = self.process.log()[self.read :].partition(mark)
            lines = after.split("\n")
            return found and len(lines) > 1 and after

        text = until(f"something out of {name}", written, patience)
        line = text.split("\n")[0].strip()
        self.read += self.process.log()[self.read :].index(mark) + len(mark)
        return line or "\n".join(text.split("\n")[1:8])


def main():
    report = Report()
    broker = Mosquitto()
    daemon = Daemon(broker.port)
    node_red = NodeRed()
    version = node_red.call("/settings")["version"]
    for protocol, title in (("4", "MQTT 3.1.1"), ("5", "MQTT 5")):
        play(report, node_red, broker, daemon, protocol, title)
    report.end(f"Node-RED {version} through {broker.name()}")


def play(report, node_red, broker, daemon, protocol, title):
    with report.check(f"{title}: the flow is taken, connects, and sees the board's state"):
        node_red.deploy(broker.port, protocol)
        expect_equal(node_red.comes_out_of("State"), "online")

    with report.check(f"{title}: a question by a click, the answer out of the debug node"):
        node_red.set_off("Ask")
        expect("attic" in node_red.comes_out_of("Answer"), "another answer")

    with report.check(f"{title}: an answer that follows a schema is parsed, and a switch acts on it"):
        node_red.set_off("Ask for a choice")
        expect_equal(node_red.comes_out_of("Open the hatch"), "attic")

    with report.check(f"{title}: a refusal comes out where it should"):
        node_red.set_off("Ask", " ")
        text = node_red.comes_out_of("Refusal")
        expect("bad_request" in text, text)

    with report.check(f"{title}: cancel by a click"):
        mine = f"canceller{protocol}/answers"
        client = Client(broker.port, 4, f"canceller{protocol}", [mine])
        for number in range(10):
            client.publish(f"{BASE}/ask", {**LONG, "id": f"{protocol}-{number}", "reply_to": mine})
        node_red.set_off("Cancel all")
        answers = {answer["id"]: answer for answer in (client.json(mine) for _ in range(10))}
        expect_equal(answers[f"{protocol}-9"].get("error", {}).get("code"), "cancelled")
        client.close()

    with report.check(f"{title}: killed, the board is offline; what is asked meanwhile is answered after its start"):
        daemon.kill()
        expect_equal(node_red.comes_out_of("State"), "offline")
        node_red.set_off("Ask")
        daemon.start()
        expect_equal(node_red.comes_out_of("State"), "online")
        expect("attic" in node_red.comes_out_of("Answer"), "another answer")

    with report.check(f"{title}: what is answered while Node-RED is away comes when it is back"):
        daemon.kill()
        node_red.set_off("Ask")
        time.sleep(1)
        node_red.process.stop()
        daemon.start()
        until("the answer", lambda: "Answer finished." in daemon.process.log())
        node_red.read = len(node_red.process.log())
        node_red.start()
        expect("attic" in node_red.comes_out_of("Answer"), "another answer")

    with report.check(f"{title}: the broker restarts, and the next question is answered"):
        node_red.read = len(node_red.process.log())
        broker.stop()
        broker.start()
        until("the daemon to be back", lambda: daemon.process.log().count("Listening for prompts.") == 2, 60)
        until("Node-RED to be back", lambda: "Connected to broker" in node_red.process.log()[node_red.read :], 60)
        node_red.set_off("Ask")
        expect("attic" in node_red.comes_out_of("Answer"), "another answer")


if __name__ == "__main__":
    main()
