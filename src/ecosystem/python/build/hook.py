"""Runs the hooks of a build back end (PEP 517) for packhouse, in the environment made for them.

The order comes as a JSON file and the answer goes into one. `get_requires_for_build_wheel` runs in a process of its own,
as the PEP asks: back ends keep state.
"""

import importlib
import json
import os
import re
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    order = json.load(file)
sys.path[:1] = [os.path.join(order["source"], path) for path in order["backend_path"]]
sys.argv[:] = ["packhouse-build"]
module, _, attribute = order["backend"].partition(":")
backend = importlib.import_module(module)
for part in filter(None, attribute.split(".")):
    backend = getattr(backend, part)


def requires():
    hook = getattr(backend, "get_requires_for_build_wheel", None)
    return list(hook(None)) if hook else []


def answer(**facts):
    with open(order["answer"], "w", encoding="utf-8") as file:
        json.dump(facts, file)


def name(requirement):
    match = re.match(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)", requirement)
    return re.sub(r"[-_.]+", "-", match.group(1)).lower() if match else requirement


def file_of(module):
    """Where a module came from; lazy ones are not woken up."""
    try:
        file = object.__getattribute__(module, "__dict__").get("__file__")
    except Exception:
        return None
    return file if isinstance(file, str) else None


sys.stdout.flush()
child = os.fork()
if child == 0:
    code = 1
    try:
        answer(requires=requires(), wheel=None)
        code = 0
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
_, status = os.waitpid(child, 0)
if status:
    sys.exit(1)
with open(order["answer"], encoding="utf-8") as file:
    wanted = json.load(file)["requires"]
if not order["satisfied"] and any(name(requirement) not in order["available"] for requirement in wanted):
    sys.exit(0)
os.makedirs(order["wheels"], exist_ok=True)
wheel = backend.build_wheel(order["wheels"], None, None)
answer(requires=wanted, wheel=wheel, imported=sorted(set(filter(None, map(file_of, list(sys.modules.values()))))))
