"""Prints what Home Assistant's integrations want beside its own packages: those it always has, and MQTT.

Home Assistant would install these itself at its first start, each alone. Runs with the Python that has its files, of
which none is imported.
"""

import ast
import json
import pathlib
import site

HOME_ASSISTANT = pathlib.Path(site.getsitepackages()[0]) / "homeassistant"
WANTED = ["api", "config", "mqtt", "onboarding"]


def main():
    seen, requirements = set(), set()
    waiting = [*WANTED, *always()]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            manifest = json.loads((HOME_ASSISTANT / "components" / name / "manifest.json").read_text())
            requirements.update(manifest.get("requirements", []))
            waiting += manifest.get("dependencies", [])
    print("\n".join(sorted(requirements)))


def always():
    """The integrations that are set up whatever the configuration says."""
    for statement in ast.parse((HOME_ASSISTANT / "bootstrap.py").read_text()).body:
        if isinstance(statement, ast.Assign) and statement.targets[0].id == "DEFAULT_INTEGRATIONS":
            return ast.literal_eval(statement.value)
    raise SystemExit("bootstrap.py has no DEFAULT_INTEGRATIONS any more")


if __name__ == "__main__":
    main()
