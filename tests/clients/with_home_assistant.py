#!/usr/bin/env python3
"""A real Home Assistant beside thinkd: the device appears by itself, its states follow, it asks, hears and cancels.

Home Assistant is set up as a person would: first user, MQTT integration by its dialogue, then its REST API. The
automations of docs/home-assistant.md are loaded as they stand there, but for the loudspeaker. `THINKD_CLIENTS_ROOT` is
the root of the system that has it, `THINKD_HOME_ASSISTANT` the path of `hass` in there.
"""

import json
import os
import re
import time
import urllib.error
import urllib.parse
import urllib.request

from support import (
    BASE,
    DEVICE,
    LONG,
    QUESTION,
    REPOSITORY,
    RIGHT,
    Client,
    Daemon,
    Mosquitto,
    Process,
    Report,
    expect,
    expect_equal,
    folder_in_root,
    free_port,
    in_root,
    until,
)

DOCUMENT = (REPOSITORY / "docs/home-assistant.md").read_text()
CONFIG_TOPIC = f"homeassistant/device/thinkd_{DEVICE}/config"
UNKNOWN = ("unknown", "unavailable")

CONFIGURATION = """
homeassistant:
  name: Test
http:
  server_host: 127.0.0.1
  server_port: {port}
api:
config:
logger:
  default: warning
input_text:
  spoken:
    max: 255
  bare:
    max: 255
"""

# What the document says in words about longer answers.
BARE_TEXT = """
  - alias: Take the bare text
    triggers:
      - trigger: mqtt
        topic: thinkd/oven/answer/text
    actions:
      - action: input_text.set_value
        target:
          entity_id: input_text.bare
        data:
          value: "{{ trigger.payload }}"
"""


class HomeAssistant:
    def __init__(self):
        self.port, self.token = free_port(), None
        self.root = os.environ["THINKD_CLIENTS_ROOT"]
        self.folder, self.inner = folder_in_root(self.root)
        (self.folder / "configuration.yaml").write_text(CONFIGURATION.format(port=self.port) + automations())
        self.client_id = f"http://127.0.0.1:{self.port}/"
        self.start()

    def start(self):
        words = [os.environ["THINKD_HOME_ASSISTANT"], "--config", self.inner, "--skip-pip"]
        self.process = Process(in_root(self.root, words), self.folder / "log")
        until("Home Assistant to listen", self.is_up, 300)

    def is_up(self):
        expect(self.process.is_running(), f"Home Assistant ended: {self.process.log()[-2000:]}")
        try:
            self.call("/api/onboarding")
        except (OSError, urllib.error.URLError):
            return False
        return True

    def call(self, path, body=None, form=None):
        data = None if body is None else json.dumps(body).encode()
        kind = "application/json"
        if form is not None:
            data, kind = urllib.parse.urlencode(form).encode(), "application/x-www-form-urlencoded"
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data=data)
        request.add_header("Content-Type", kind)
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        with urllib.request.urlopen(request, timeout=60) as response:
            text = response.read().decode()
        try:
            return json.loads(text)
        except ValueError:
            return text

    def make_first_user(self):
        user = {
            "name": "A",
            "username": "a",
            "password": "only for this test",
            "language": "en",
            "client_id": self.client_id,
        }
        code = self.call("/api/onboarding/users", user)["auth_code"]
        form = {"grant_type": "authorization_code", "code": code, "client_id": self.client_id}
        self.token = self.call("/auth/token", form=form)["access_token"]

    def add_mqtt(self, port):
        step = self.call("/api/config/config_entries/flow", {"handler": "mqtt"})
        expect_equal(step["step_id"], "broker")
        done = self.call(f"/api/config/config_entries/flow/{step['flow_id']}", {"broker": "127.0.0.1", "port": port})
        expect_equal(done["type"], "create_entry")

    def entities(self):
        """Ids and states of the board's entities."""
        states = {state["entity_id"]: state for state in self.call("/api/states")}
        return {name: state for name, state in states.items() if name.split(".")[1].startswith(f"thinkd_{DEVICE}_")}

    def state(self, entity):
        return self.call(f"/api/states/{entity}")

    def set_state(self, entity, value):
        self.call(f"/api/states/{entity}", {"state": value})

    def act(self, action, entity, **data):
        self.call(f"/api/services/{action.replace('.', '/')}", {"entity_id": entity, **data})

    def template(self, text):
        return self.call("/api/template", {"template": text})

    def complaints(self):
        """Warnings and errors about MQTT in its log, but for what the test itself has brought about."""
        lines = self.process.log().splitlines()
        complaints = [line for line in lines if re.search(r"(WARNING|ERROR).*(mqtt|thinkd|automation)", line)]
        caused = ("Error returned from MQTT server: The connection was lost.", "make sure MQTT is set up correctly")
        return [line for line in complaints if not any(text in line for text in caused)]


def automations():
    """Those of the document; what would be spoken goes into a text."""
    block = re.search(r"```yaml\n(automation:.*?)```", DOCUMENT, re.DOTALL).group(1)
    block = block.replace("tts.speak", "input_text.set_value").replace("tts.piper", "input_text.spoken")
    block = block.replace("          media_player_entity_id: media_player.kitchen\n", "")
    return block.replace('message: "{{ trigger', 'value: "{{ trigger') + BARE_TEXT


class House:
    """All that takes part."""

    def __init__(self):
        self.broker = Mosquitto()
        self.daemon = Daemon(self.broker.port, ["engine.streams=1"])
        self.home = HomeAssistant()
        self.observer = Client(self.broker.port, 4, "observer", [f"{BASE}/answer", CONFIG_TOPIC])

    def event_after(self, act):
        """The attributes of the event that comes of `act`."""
        before = self.home.state("event.thinkd_oven_answer")["state"]
        act()

        def next_one():
            state = self.home.state("event.thinkd_oven_answer")
            return state["state"] not in (before, *UNKNOWN) and state["attributes"]

        return until("an event", next_one)

    def ask(self, message):
        text = message if isinstance(message, str) else json.dumps(message)
        return self.event_after(lambda: self.home.act("notify.send_message", "notify.thinkd_oven_ask", message=text))

    def all_unavailable(self):
        return {state["state"] for state in self.home.entities().values()} == {"unavailable"}

    def none_unavailable(self):
        states = [state["state"] for state in self.home.entities().values()]
        return states and "unavailable" not in states


def main():
    report = Report()
    house = House()
    with report.check("Home Assistant: a first user, and the MQTT integration by its dialogue"):
        house.home.make_first_user()
        house.home.add_mqtt(house.broker.port)
    version = house.home.call("/api/config")["version"]
    for play in (appears, asks, automates, cancels, goes_and_comes, is_taken_back):
        play(report, house)
    with report.check("Home Assistant has no complaint about MQTT in its log"):
        expect_equal(house.home.complaints(), [])
    report.end(f"Home Assistant {version} through {house.broker.name()}")


def appears(report, house):
    with report.check("The device appears by itself, with the entities of docs/home-assistant.md"):
        until("its entities", lambda: len(house.home.entities()) >= 8)
        time.sleep(1)
        found = set(house.home.entities())
        documented = set(re.findall(r"`([a-z_]+\.thinkd_oven_[a-z_]+)`", DOCUMENT.split("\n## ")[0]))
        # What this machine does not tell has no entity.
        of_boards = {
            "sensor.thinkd_oven_temperature",
            "sensor.thinkd_oven_power",
            "binary_sensor.thinkd_oven_throttled",
        }
        expect(found <= documented, f"not in the document: {found - documented}")
        expect(documented - found <= of_boards, f"missing: {documented - found - of_boards}")

    with report.check("They are one device, with name, maker, model and version"):
        of_device = "device_attr(device_id('sensor.thinkd_oven_activity'), '{}')"
        told = "|".join(
            "{{ " + of_device.format(name) + " }}" for name in ("name", "manufacturer", "model", "sw_version")
        )
        name, maker, model, version = house.home.template(told).split("|")
        expect_equal((name, maker, model), ("thinkd oven", "thinkd", "thinkd-mini"))
        expect(re.fullmatch(r"\d+\.\d+\.\d+", version), f"version {version}")
        ids = house.home.template("{{ device_entities(device_id('sensor.thinkd_oven_activity')) | sort | join(' ') }}")
        expect_equal(ids.split(), sorted(house.home.entities()))

    with report.check("Sensors have their values and units"):
        until("idle", lambda: house.home.state("sensor.thinkd_oven_activity")["state"] == "idle")
        expect_equal(house.home.state("sensor.thinkd_oven_waiting_prompts")["state"], "0")
        expect_equal(house.home.state("sensor.thinkd_oven_speed")["attributes"]["unit_of_measurement"], "tokens/s")
        expect(house.none_unavailable(), "some are unavailable")


def asks(report, house):
    with report.check("notify.send_message asks, the event has the answer"):
        event = house.ask({"id": "n1", "prompt": QUESTION})
        expect_equal((event["event_type"], event["id"], event["finish"]), ("answer", "n1", "stop"))
        expect(RIGHT in event["text"], event["text"])

    with report.check("A notify message may be plain text, and longer than 255 characters"):
        event = house.ask("kitchen=21.5 attic=24.3 " + "The house is old. " * 20 + "Which room is the warmest?")
        expect_equal(event["event_type"], "answer")

    with report.check("What is typed into the text entity is asked"):
        expect(RIGHT in house.event_after(lambda: type_question(house))["text"], "another answer")

    with report.check("The same text typed again is asked again"):
        expect(RIGHT in house.event_after(lambda: type_question(house))["text"], "another answer")

    with report.check("A refusal is an event of type error, with code and detail"):
        event = house.ask({"id": "n2", "prompt": QUESTION, "colour": 1})
        expect_equal((event["event_type"], event["id"], event["code"]), ("error", "n2", "bad_request"))
        expect("colour" in event["detail"], event["detail"])

    with report.check("An answer of many kilobytes is an event too, shortened"):
        event = house.ask({**LONG, "id": "n3"})
        expect_equal(event["id"], "n3")
        whole = answer_to(house, "n3")["text"]
        expect(len(whole) > 1000 and whole.startswith(event["text"][:1000]), "it begins differently")

    with report.check("Speed and time to first token are there after an answer"):
        for name in ("speed", "time_to_first_token"):
            until(
                name, lambda name=name: house.home.state(f"sensor.thinkd_oven_{name}")["state"] not in ("0.0", *UNKNOWN)
            )


def type_question(house):
    house.home.act("text.set_value", "text.thinkd_oven_question", value=QUESTION)


def answer_to(house, ident):
    while (answer := house.observer.json(f"{BASE}/answer"))["id"] != ident:
        pass
    return answer


def automates(report, house):
    with report.check(
        "The document's automations ask, and speak the answer; a trigger on the topic gets the bare text"
    ):
        # It could not listen before there was an integration.
        for turn in ("turn_off", "turn_on"):
            house.home.act(f"automation.{turn}", "automation.take_the_bare_text")
        # It gathers subscriptions for a while before it sends them.
        time.sleep(2)
        house.home.set_state("sensor.inside", "26.5")
        house.home.set_state("sensor.outside", "19.0")
        house.home.act("automation.trigger", "automation.ask_whether_the_windows_should_be_opened")
        spoken = until("what is spoken", lambda: heard(house, "spoken"))
        expect_equal(until("the bare text", lambda: heard(house, "bare")), spoken)


def heard(house, name):
    text = house.home.state(f"input_text.{name}")["state"]
    return text if text not in ("", *UNKNOWN) else None


def cancels(report, house):
    with report.check("Activity and queue follow; the button cancels what is answered and what waits"):
        for number in range(12):
            message = json.dumps({**LONG, "id": f"c{number}"})
            house.home.act("notify.send_message", "notify.thinkd_oven_ask", message=message)
        until("busy", lambda: house.home.state("sensor.thinkd_oven_activity")["state"] == "busy")
        until("a queue", lambda: int(house.home.state("sensor.thinkd_oven_waiting_prompts")["state"]) > 0)
        house.home.act("button.press", "button.thinkd_oven_cancel_all")
        last = answer_to(house, "c11")
        expect_equal(last.get("error", {}).get("code"), "cancelled")
        until("idle", lambda: house.home.state("sensor.thinkd_oven_activity")["state"] == "idle")
        until("no queue", lambda: house.home.state("sensor.thinkd_oven_waiting_prompts")["state"] == "0")


def goes_and_comes(report, house):
    with report.check("Stopped, all are unavailable; started, they are back"):
        expect_equal(house.daemon.stop(), 0)
        until("unavailable", house.all_unavailable)
        house.daemon.start()
        until("available", house.none_unavailable)

    with report.check("Killed, all are unavailable by the last will; started, they are back and it answers"):
        house.daemon.kill()
        until("unavailable", house.all_unavailable)
        house.daemon.start()
        until("available", house.none_unavailable)
        expect_equal(house.ask({"id": "after", "prompt": QUESTION})["id"], "after")

    with report.check("Home Assistant restarts, and has the device again"):
        expect_equal(house.home.process.stop(120), 0)
        house.home.start()
        until("its entities", house.none_unavailable, 120)
        expect_equal(house.ask({"id": "restarted", "prompt": QUESTION})["id"], "restarted")

    with report.check("The broker restarts, and all are back"):
        house.broker.stop()
        house.broker.start()
        until("available", house.none_unavailable, 60)
        expect_equal(house.ask({"id": "again", "prompt": QUESTION})["id"], "again")


def is_taken_back(report, house):
    publish = house.observer.paho.publish
    with report.check(
        "The introduction taken back, the device is gone; Home Assistant's birth message brings it again"
    ):
        publish(CONFIG_TOPIC, b"", 1, retain=True).wait_for_publish(10)
        until("no entity", lambda: not house.home.entities())
        publish("homeassistant/status", "online", 1).wait_for_publish(10)
        until("its entities", house.none_unavailable)


if __name__ == "__main__":
    main()
