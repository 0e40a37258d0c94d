#!/usr/bin/env python3
"""The contract as a client of paho-mqtt meets it, by MQTT 5 and by 3.1.1, through mosquitto."""

import json

from support import BASE, LONG, PAHO, QUESTION, RIGHT, Client, Daemon, Mosquitto, Report, expect, expect_equal, until

CONTENT_TYPE = "application/json"


def main():
    report = Report()
    broker = Mosquitto()
    daemon = Daemon(broker.port, ["engine.streams=1"])
    for play in [properties_of_mqtt_5, everything_in_json]:
        play(report, broker.port)
    for version in (5, 4):
        either_version(report, broker.port, version)
    comings_and_goings(report, broker.port, daemon)
    report.end(f"{PAHO} through {broker.name()}")


def properties_of_mqtt_5(report, port):
    reply = f"{BASE}/reply/panel"
    client = Client(port, 5, "panel", [reply, f"{BASE}/answer", f"{BASE}/pong"])
    ask = f"{BASE}/ask"

    with report.check("MQTT 5: response topic, correlation data, expiry and user properties with plain text"):
        correlation = bytes([0, 255, 1, 254])
        client.publish(
            ask,
            QUESTION,
            ResponseTopic=reply,
            CorrelationData=correlation,
            MessageExpiryInterval=120,
            UserProperty=[("room", "kitchen"), ("room", "hall")],
            ContentType="text/plain",
            PayloadFormatIndicator=1,
        )
        answer = client.message(reply)
        expect(RIGHT in json.loads(answer.payload)["text"], f"no {RIGHT} in {answer.payload}")
        expect_equal(answer.properties.CorrelationData, correlation)
        expect_equal(answer.properties.UserProperty, [("room", "kitchen"), ("room", "hall")])
        expect_equal(answer.properties.ContentType, CONTENT_TYPE)
        expect_equal(answer.properties.PayloadFormatIndicator, 1)
        expect(client.heard[f"{BASE}/answer"].empty(), "it came on the answer topic too")

    with report.check("MQTT 5: correlation data is the id where there is none"):
        client.publish(ask, {"prompt": QUESTION}, ResponseTopic=reply, CorrelationData=b"k-77")
        expect_equal(client.json(reply)["id"], "k-77")

    with report.check("MQTT 5: a question whose message expired before its turn is answered expired"):
        for number in range(12):
            client.publish(ask, {**LONG, "id": f"long-{number}"}, ResponseTopic=reply)
        client.publish(ask, {"id": "late", "prompt": QUESTION}, ResponseTopic=reply, MessageExpiryInterval=1)
        codes = {}
        while "late" not in codes:
            answer = client.json(reply)
            codes[answer["id"]] = answer.get("error", {}).get("code")
        expect_equal(codes.pop("late"), "expired")
        client.publish(f"{BASE}/cancel", "all")
        for _ in range(12 - len(codes)):
            client.json(reply)

    with report.check("MQTT 5: a response topic that is not allowed is refused on the answer topic"):
        client.publish(ask, {"id": "bad", "prompt": QUESTION}, ResponseTopic=f"{BASE}/ask")
        expect_equal(client.json(f"{BASE}/answer")["error"]["code"], "bad_request")

    with report.check("MQTT 5: a ping comes back with its bytes and its correlation data"):
        client.publish(f"{BASE}/ping", b"\x00\xff", ResponseTopic=reply, CorrelationData=b"p")
        pong = client.message(reply)
        expect_equal((pong.payload, pong.properties.CorrelationData), (b"\x00\xff", b"p"))
    client.close()


def everything_in_json(report, port):
    mine = "hall/answers"
    client = Client(
        port, 4, "hall", [mine, f"{BASE}/answer", f"{BASE}/answer/text", f"{BASE}/pong", f"{BASE}/position/+"]
    )
    ask = f"{BASE}/ask"

    with report.check("MQTT 3.1.1: plain text, answered as JSON and as bare text"):
        client.publish(ask, QUESTION)
        text = client.json(f"{BASE}/answer")["text"]
        expect(RIGHT in text, text)
        expect_equal(client.message(f"{BASE}/answer/text").payload.decode(), text)

    with report.check("MQTT 3.1.1: plain text of quality of service 0, without an id, asked twice is answered twice"):
        for _ in range(2):
            client.publish(ask, QUESTION, qos=0)
        ids = {client.json(f"{BASE}/answer")["id"] for _ in range(2)}
        expect_equal(len(ids), 2)

    with report.check("MQTT 3.1.1: quality of service 2 is taken too"):
        client.publish(ask, {"id": "two", "prompt": QUESTION, "reply_to": mine}, qos=2)
        expect_equal(client.json(mine)["id"], "two")

    with report.check("MQTT 3.1.1: reply_to, on the topic of a client with a name"):
        client.publish(f"{ask}/hall", {"id": "h1", "prompt": QUESTION, "reply_to": mine})
        answer = client.json(mine)
        expect_equal((answer["id"], answer["finish"]), ("h1", "stop"))

    with report.check("MQTT 3.1.1: the body of OpenAI's chat completions"):
        body = {
            "model": "gpt-4o-mini",
            "reply_to": mine,
            "max_completion_tokens": 300,
            "temperature": 0,
            "top_p": 1,
            "n": 1,
            "seed": 1,
            "stop": ["\n\n"],
            "stream": False,
            "messages": [{"role": "system", "content": "Be short."}, {"role": "user", "content": QUESTION}],
        }
        client.publish(ask, body)
        expect_equal(client.json(mine)["status"], "ok")

    with report.check("MQTT 3.1.1: an answer that follows a schema"):
        schema = {
            "properties": {"mean": {"type": "integer"}},
            "required": ["mean"],
            "additionalProperties": False,
            "type": "object",
        }
        form = {"type": "json_schema", "json_schema": {"schema": schema}}
        client.publish(ask, {"prompt": QUESTION, "response_format": form, "reply_to": mine})
        expect_equal(list(json.loads(client.json(mine)["text"])), ["mean"])

    with report.check("MQTT 3.1.1: mistakes are refused with a code, and where the answer would have gone"):
        client.publish(ask, {"prompt": QUESTION, "colour": 1, "reply_to": mine})
        refusal = client.json(mine)
        expect_equal((refusal["status"], refusal["error"]["code"]), ("error", "bad_request"))
        client.publish(ask, b'{"prompt": "\xff"}')
        expect_equal(client.json(f"{BASE}/answer")["error"]["code"], "bad_request")

    with report.check("MQTT 3.1.1: ping and position"):
        client.publish(f"{BASE}/ping", "there?")
        expect_equal(client.message(f"{BASE}/pong").payload, b"there?")
        client.publish(f"{BASE}/position", "h1")
        expect_equal(client.json(f"{BASE}/position/h1")["state"], "answered")
    client.close()


def either_version(report, port, version):
    name = f"client{version}"
    title = "MQTT 5" if version == 5 else "MQTT 3.1.1"
    mine = f"{name}/answers"
    client = Client(port, version, name, [mine, f"{BASE}/stream/+", f"{BASE}/status"])
    ask, to_me = f"{BASE}/ask", {"reply_to": mine}

    with report.check(f"{title}: pieces are counted without gaps, and make up thought and answer"):
        client.publish(ask, {"id": f"{name}-s", "prompt": QUESTION, "stream": True, **to_me})
        answer = client.json(mine)
        pieces = pieces_of(client, f"{name}-s")
        expect_equal([piece["i"] for piece in pieces], list(range(len(pieces))))
        for kind, field in (("thought", "thought"), ("answer", "text")):
            said = "".join(piece["t"] for piece in pieces if piece.get("kind") == kind)
            expect_equal(said.strip(), answer[field].strip())

    with report.check(f"{title}: pieces come while a long answer is made"):
        client.publish(ask, {**LONG, "id": f"{name}-l", "stream": True, **to_me})
        first = client.message(f"{BASE}/stream/{name}-l")
        expect_equal(json.loads(first.payload)["i"], 0)
        pieces = pieces_of(client, f"{name}-l")
        answer = client.message(mine)
        expect_equal([piece["i"] for piece in pieces], list(range(1, len(pieces) + 1)))
        expect(first.timestamp < answer.timestamp, "the first piece came after the answer")

    with report.check(f"{title}: what is answered and what waits can be cancelled, by id and all"):
        for number in range(6):
            client.publish(ask, {**LONG, "id": f"{name}-c{number}", **to_me})
        client.publish(f"{BASE}/cancel", f"{name}-c4")
        client.publish(f"{BASE}/cancel", "all")
        answers = {answer["id"]: answer for answer in (client.json(mine) for _ in range(6))}
        how = [answer.get("finish") or answer["error"]["code"] for _, answer in sorted(answers.items())]
        expect_equal(how[4], "cancelled")
        expect_equal(how[5], "cancelled")
        for answer in answers.values():
            expect(answer["status"] == "error" or json.loads(answer["text"]), "an answer does not parse")

    with report.check(f"{title}: a session remembers its turns"):
        turns = []
        for number in range(3):
            client.publish(f"{ask}/{name}", {"session": "talk", "id": f"{name}-t{number}", "prompt": QUESTION, **to_me})
            turns.append(client.json(mine)["usage"]["prompt"])
        expect(turns[0] < turns[1] < turns[2], f"prompts of {turns} tokens")

    with report.check(f"{title}: a template with its variables, and without one of them"):
        client.publish(ask, {"template": "alarm", "vars": {"first": 20, "second": 22}, **to_me})
        expect(RIGHT in client.json(mine)["text"], "the variables were not put in")
        client.publish(ask, {"template": "alarm", "vars": {"first": 20}, **to_me})
        refusal = client.json(mine)["error"]
        expect_equal(refusal["code"], "bad_request")
        expect("second" in refusal["detail"], f"which one is missing is not said: {refusal['detail']}")

    with report.check(f"{title}: the same id again is answered from the store, with other words it is a conflict"):
        question = {"id": f"{name}-d", "prompt": QUESTION, **to_me}
        answers = []
        for _ in range(3):
            client.publish(ask, question)
            answers.append(client.message(mine).payload)
        expect_equal(len(set(answers)), 1)
        client.publish(ask, {**question, "prompt": "What is the mean of 1 and 3?"})
        expect_equal(client.json(mine)["error"]["code"], "conflict")

    client.close()
    with report.check(
        f"{title}: an answer waits at the broker for a client that went away, and comes once more if asked"
    ):
        stays = Client(port, version, f"{name}-stays", [mine], clean=False)
        question = {**LONG, "id": f"{name}-away", **to_me}
        stays.publish(ask, question)
        stays.close()
        observer = Client(port, version, f"{name}-observer", [mine])
        observer.message(mine)
        observer.close()
        stays.connect()
        first = stays.message(mine).payload
        stays.publish(ask, question)
        expect_equal(stays.message(mine).payload, first)
        stays.close()


def pieces_of(client, ident):
    """All pieces of the answer to `ident`, without the last, which holds nothing."""
    pieces = []
    while not (piece := client.json(f"{BASE}/stream/{ident}")).get("final"):
        expect_equal(piece["id"], ident)
        pieces.append(piece)
    return pieces


def comings_and_goings(report, port, daemon):
    mine = "watcher/answers"
    client = Client(port, 4, "watcher", [mine, f"{BASE}/state", f"{BASE}/status", f"{BASE}/info"])
    state = f"{BASE}/state"

    with report.check("State, info and status are there for who comes later"):
        client.text(state, "online")
        features = client.json(f"{BASE}/info")["features"]
        expect("home_assistant" in features and "stream" in features, f"features {features}")
        # The one that was kept may be of a moment when it was busy; the next follows within a second.
        while client.json(f"{BASE}/status")["state"] != "idle":
            pass

    with report.check("Killed, it is offline by its last will; a question asked meanwhile is answered after its start"):
        daemon.kill()
        client.text(state, "offline")
        client.publish(f"{BASE}/ask", {"id": "meanwhile", "prompt": QUESTION, "reply_to": mine})
        daemon.start()
        client.text(state, "online")
        expect(RIGHT in client.json(mine)["text"], "another answer")

    with report.check("An answer is the same, and not computed again, after a kill"):
        question = {"id": "kept", "prompt": QUESTION, "reply_to": mine}
        client.publish(f"{BASE}/ask", question)
        first = client.message(mine).payload
        daemon.kill()
        daemon.start()
        client.publish(f"{BASE}/ask", question)
        expect_equal(client.message(mine).payload, first)
        expect_equal(daemon.inferences()["kept"], 1)

    with report.check("Stopped, it says offline and ends with status 0"):
        expect_equal(daemon.stop(), 0)
        until("offline", lambda: not client.heard[state].empty())
        client.text(state, "offline")
    client.close()


if __name__ == "__main__":
    main()
