#!/usr/bin/env python3
"""The same contract through a broker named on the command line, and what survives kills of daemon and broker.

    with_broker.py mosquitto|rabbitmq|flashmq [--kills N] [--stops N] [--broker-kills N]

Two clients ask all the time, one by MQTT 5 and one by 3.1.1, and ask again what has no answer after a while. At the end
every question has an answer, no id has two different ones, and nothing was computed again after its answer was seen.
"""

import argparse
import collections
import datetime
import json
import random
import threading
import time

from support import (
    BASE,
    LONG,
    PAHO,
    PATIENCE_S,
    QUESTION,
    RIGHT,
    Client,
    Daemon,
    FlashMq,
    Mosquitto,
    RabbitMq,
    Report,
    Silence,
    expect,
    expect_equal,
    properties,
    until,
)

BROKERS = {"mosquitto": Mosquitto, "rabbitmq": RabbitMq, "flashmq": FlashMq}
WINDOW = 8
RETRY_S = 5
PACE_S = 0.05


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("broker", choices=BROKERS)
    parser.add_argument("--kills", type=int, default=15, help="kill -9 of the daemon")
    parser.add_argument("--stops", type=int, default=4, help="stops and starts of the broker")
    parser.add_argument("--broker-kills", type=int, default=3, help="kill -9 of the broker")
    given = parser.parse_args()
    report = Report()
    broker = BROKERS[given.broker]()
    daemon = Daemon(broker.port)
    contract(report, given.broker, broker, daemon)
    group(report, given.broker, broker)
    burst(report, given.broker, broker)
    dice = random.Random(5)
    faults(report, f"{given.kills} kills of the daemon", broker, daemon, given.kills, lambda: bounce(daemon, dice))
    faults(report, f"{given.stops} stops of {given.broker}", broker, daemon, given.stops, lambda: restart(broker, dice))
    faults(
        report,
        f"{given.broker_kills} kills of {given.broker}",
        broker,
        daemon,
        given.broker_kills,
        lambda: crash(broker, dice),
    )
    report.end(f"{broker.name()}, {PAHO}")


def contract(report, name, broker, daemon):
    reply = f"{BASE}/reply/me"
    client = Client(broker.port, 5, "me", [reply, f"{BASE}/stream/+", f"{BASE}/state", f"{BASE}/info"])
    plain = Client(broker.port, 4, "plain", ["plain/answers", f"{BASE}/answer/text"])

    with report.check(f"{name}: MQTT 5, response topic, correlation data and expiry"):
        client.publish(
            f"{BASE}/ask", QUESTION, ResponseTopic=reply, CorrelationData=b"\x00\xff", MessageExpiryInterval=60
        )
        answer = client.message(reply)
        expect(RIGHT in json.loads(answer.payload)["text"], "another answer")
        expect_equal(answer.properties.CorrelationData, b"\x00\xff")
        expect_equal(answer.properties.ContentType, "application/json")

    with report.check(f"{name}: MQTT 3.1.1, plain text and JSON"):
        plain.publish(f"{BASE}/ask", QUESTION)
        expect(RIGHT in plain.message(f"{BASE}/answer/text").payload.decode(), "another answer")
        plain.publish(f"{BASE}/ask/plain", {"id": "p1", "prompt": QUESTION, "reply_to": "plain/answers"})
        expect_equal(plain.json("plain/answers")["id"], "p1")

    with report.check(f"{name}: streaming, and cancel of what waits"):
        for number in range(12):
            client.publish(f"{BASE}/ask", {**LONG, "id": f"s{number}", "stream": True}, ResponseTopic=reply)
        client.json(f"{BASE}/stream/s0")
        client.publish(f"{BASE}/cancel", "s11")
        answers = {answer["id"]: answer for answer in (client.json(reply) for _ in range(12))}
        expect_equal(answers["s11"].get("error", {}).get("code"), "cancelled")

    with report.check(f"{name}: a question too long for the model, and one too long for thinkd, are both refused"):
        for size in (60_000, 70_000):
            client.publish(f"{BASE}/ask", {"id": f"big-{size}", "prompt": "a " * (size // 2)}, ResponseTopic=reply)
            expect_equal(client.json(reply)["error"]["code"], "too_large")

    with report.check(f"{name}: retained state and info; offline by the last will; asked while away"):
        client.text(f"{BASE}/state", "online")
        expect_equal(client.json(f"{BASE}/info")["topics"]["ask"], f"{BASE}/ask")
        daemon.kill()
        client.text(f"{BASE}/state", "offline")
        client.publish(f"{BASE}/ask", {"id": "while-away", "prompt": QUESTION}, ResponseTopic=reply)
        daemon.start()
        # What came shortly before the kill may come again.
        until("the answer", lambda: client.json(reply)["id"] == "while-away")
    client.close()
    plain.close()


def group(report, name, broker):
    """Two boards of a group."""
    if not broker.HAS_SHARED:
        with report.check(f"{name}: a board of a group says that this broker has no shared subscriptions"):
            board = Daemon(broker.port, ["mqtt.group=kitchen"], "board1", wait=False)
            until("what it says", lambda: "the broker has no shared subscriptions" in board.process.log())
            expect_equal(board.stop(), 0)
        return
    with report.check(f"{name}: two boards of a group share its questions"):
        boards = [Daemon(broker.port, ["mqtt.group=kitchen"], f"board{number}") for number in (1, 2)]
        client = Client(broker.port, 5, "cook", ["cook/answers"])
        repetitions = ask_all(
            client, "thinkd/group/kitchen/ask", "cook/answers", {"prompt": QUESTION}, 20, broker.HOLDS_BACK
        )
        computed = [sum(board.inferences().values()) for board in boards]
        print(f"        {computed} by board, {repetitions} repetitions")
        expect(20 <= sum(computed) <= 20 + repetitions, "some were computed more than once")
        expect(min(computed) > 0, "one board had all")
        client.close()
        for board in boards:
            expect_equal(board.stop(), 0)


def burst(report, name, broker):
    """More questions than there is room for."""
    with report.check(f"{name}: 150 questions at once to a board with room for 4"):
        board = Daemon(broker.port, ["limits.queue_jobs_max=4"], "small")
        client = Client(broker.port, 5, "hasty", ["hasty/answers"])
        repetitions = ask_all(
            client, "thinkd/small/ask", "hasty/answers", {**LONG, "max_tokens": 200}, 150, broker.HOLDS_BACK
        )
        print(f"        {repetitions} repetitions")
        computed = board.inferences()
        expect_equal((len(computed), set(computed.values())), (150, {1}))
        client.close()
        expect_equal(board.stop(), 0)


def ask_all(client, topic, reply, question, count, holds_back):
    """Asks so many at once, and asks again what the broker has dropped; gives how often that was."""
    waiting, repetitions = {f"{client.topics[0]}-{number}".replace("/", "-") for number in range(count)}, 0
    for ident in sorted(waiting):
        ask_once(client, topic, reply, question, ident)
    while waiting:
        try:
            answer = json.loads(client.message(reply, PATIENCE_S if holds_back else 3).payload)
            expect_equal(answer["status"], "ok")
            waiting.discard(answer["id"])
        except Silence:
            expect(not holds_back, f"{len(waiting)} have no answer")
            repetitions += len(waiting)
            for ident in sorted(waiting):
                ask_once(client, topic, reply, question, ident)
    return repetitions


def ask_once(client, topic, reply, question, ident):
    payload = json.dumps({**question, "id": ident})
    client.paho.publish(topic, payload, 1, properties=properties("PUBLISH", ResponseTopic=reply))


class Asker:
    """A client that asks until it is told to end, and keeps every answer with the time it came."""

    def __init__(self, port, version, name):
        self.name, self.version, self.reply = name, version, f"{name}/answers"
        self.client = Client(port, version, name, [self.reply], clean=False)
        self.answers, self.asked, self.repetitions = collections.defaultdict(list), {}, 0
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not (self.is_over.is_set() and all(ident in self.answers for ident in self.asked)):
            self._hear()
            now = time.monotonic()
            waiting = [ident for ident in self.asked if ident not in self.answers]
            if not self.is_over.is_set() and len(waiting) < WINDOW:
                self._ask(f"{self.name}-{len(self.asked)}")
            for ident in waiting:
                if now - self.asked[ident] > RETRY_S and self.client.is_listening:
                    self.repetitions += 1
                    self._ask(ident)
            time.sleep(PACE_S)

    def _hear(self):
        heard = self.client.heard[self.reply]
        while not heard.empty():
            message = heard.get()
            self.answers[json.loads(message.payload)["id"]].append((bytes(message.payload), time.time()))

    def _ask(self, ident):
        self.asked[ident] = time.monotonic()
        question = {"id": ident, "prompt": QUESTION, "max_tokens": 24}
        topic, more = f"{BASE}/ask", {}
        if self.version == 5:
            more["properties"] = properties("PUBLISH", ResponseTopic=self.reply)
        else:
            question["reply_to"] = self.reply
        self.client.paho.publish(topic, json.dumps(question), 1, **more)

    def end(self):
        """Waits until all is answered."""
        self.is_over.set()
        self.thread.join(60)
        time.sleep(1)
        self._hear()
        self.client.close()


def faults(report, title, broker, daemon, count, fault):
    mark = title.replace(" ", "-")
    askers = [Asker(broker.port, version, f"{mark}-{version}") for version in (5, 4)]
    with report.check(title):
        for _ in range(count):
            fault()
        for asker in askers:
            asker.end()
        computed = computations(daemon)
        figures = collections.Counter()
        for asker in askers:
            figures.update(judge(asker, computed))
        print("        " + ", ".join(f"{figures[name]} {name}" for name in NAMES))
        for name in ("lost", "ids with two answers", "computed again after the answer", "errors"):
            expect_equal((name, figures[name]), (name, 0))
        expect(figures["asked"] > count, "there was hardly anything to lose")


NAMES = (
    "asked",
    "lost",
    "ids with two answers",
    "computed again after the answer",
    "errors",
    "repetitions",
    "answers that came twice",
)


def judge(asker, computed):
    answers = asker.answers
    return {
        "asked": len(asker.asked),
        "lost": sum(ident not in answers for ident in asker.asked),
        "ids with two answers": sum(len({payload for payload, _ in came}) > 1 for came in answers.values()),
        "computed again after the answer": sum(
            any(when > came[0][1] for when in computed[ident]) for ident, came in answers.items()
        ),
        "errors": sum(json.loads(came[0][0])["status"] != "ok" for came in answers.values()),
        "repetitions": asker.repetitions,
        "answers that came twice": sum(len(came) - 1 for came in answers.values()),
    }


def computations(daemon):
    """When each id was computed to its end."""
    times = collections.defaultdict(list)
    for line in daemon.log():
        if line.get("message") == "Answer finished.":
            times[line["job.id"]].append(datetime.datetime.fromisoformat(line["time"]).timestamp())
    return times


def bounce(daemon, dice):
    time.sleep(dice.uniform(0.1, 0.8))
    daemon.kill()
    daemon.start()


def restart(broker, dice):
    time.sleep(dice.uniform(0.5, 2))
    broker.stop()
    time.sleep(dice.uniform(0, 1))
    broker.start()


def crash(broker, dice):
    time.sleep(dice.uniform(0.5, 2))
    broker.kill()
    broker.start()


if __name__ == "__main__":
    main()
