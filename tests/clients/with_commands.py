#!/usr/bin/env python3
"""The commands of README.md and docs/mqtt.md that call mosquitto's clients, word for word, and what comes of them.

The clients read their port from files in a folder of ours (`mosquitto_pub`'s manual, "Files"), so nothing has to be
added to a command.
"""

import json
import os
import subprocess

from support import (
    BASE,
    REPOSITORY,
    RIGHT,
    Daemon,
    Mosquitto,
    Process,
    Report,
    expect,
    expect_equal,
    temporary,
    until,
    version_of,
)

PROGRAMS = ("mosquitto_pub", "mosquitto_sub", "mosquitto_rr")


def main():
    report = Report()
    broker = Mosquitto()
    daemon = Daemon(broker.port)
    folder = temporary()
    for program in PROGRAMS:
        (folder / program).write_text(f"-p {broker.port}\n")
    environment = {**os.environ, "XDG_CONFIG_HOME": str(folder)}

    def shell(line):
        return subprocess.run(["bash", "-c", line], env=environment, capture_output=True, text=True, timeout=60)

    listening, *questions = commands("README.md")
    with report.check(f"README.md: {listening}"):
        expect(listening.endswith(" &"), "it does not listen in the background")
        heard = Process(["bash", "-c", listening.removesuffix(" &")], folder / "heard", env=environment)
        until("the retained state", lambda: f"{BASE}/state online\n" in heard.log())
    for line, answer, pieces in zip(questions, ("attic", RIGHT), ("", f"{BASE}/stream/k1 "), strict=True):
        with report.check(f"README.md: {line}"):
            expect_equal(shell(line).returncode, 0)
            hears_answer(heard, answer)
            until("its pieces", lambda pieces=pieces: pieces in heard.log())

    with report.check("…and what was heard has state, info, status, questions and answers"):
        for topic in ("state", "info", "status", "ask"):
            expect(said(heard, f"{BASE}/{topic}"), f"nothing on {topic}")

    published, asked = commands("docs/mqtt.md")
    with report.check(f"docs/mqtt.md: {published}"):
        expect_equal(shell(published).returncode, 0)
        until("one more answer", lambda: len(said(heard, f"{BASE}/answer")) == 3)
    with report.check(f"docs/mqtt.md: {asked}"):
        done = shell(asked)
        expect_equal((done.returncode, done.stderr), (0, ""))
        expect(RIGHT in json.loads(done.stdout)["text"], done.stdout)

    heard.kill()
    expect_equal(daemon.stop(), 0)
    report.end(f"mosquitto-clients {version_of('mosquitto_pub', '--help')} through {broker.name()}")


def hears_answer(heard, answer):
    """Waits for an answer with this in it, as bare text and as JSON."""
    until(f"{answer} as text", lambda: any(answer in text for text in said(heard, f"{BASE}/answer/text")))
    until(
        f"{answer} as JSON", lambda: any(answer in json.loads(text)["text"] for text in said(heard, f"{BASE}/answer"))
    )


def commands(name):
    """The lines of a document's code blocks that begin with a program of mosquitto's."""
    found, inside = [], False
    for line in (REPOSITORY / name).read_text().splitlines():
        if line.startswith("```"):
            inside = not inside
        elif inside and line.split(" ")[0] in PROGRAMS:
            found.append(line)
    return found


def said(heard, topic):
    lines = (line.partition(" ") for line in heard.log().splitlines())
    return [payload for name, _, payload in lines if name == topic]


if __name__ == "__main__":
    main()
