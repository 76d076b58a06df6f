"""Runs the API under gunicorn."""

import argparse

from gunicorn.app.base import BaseApplication

from acme_api import create_app


class Server(BaseApplication):
    def __init__(self, bind):
        self.bind = bind
        super().__init__()

    def load_config(self):
        self.cfg.set("bind", self.bind)
        self.cfg.set("workers", 1)

    def load(self):
        return create_app()


def read_bind(path):
    with open(path, encoding="utf-8") as config:
        for line in config:
            key, _, value = line.partition("=")
            if key.strip() == "bind":
                return value.strip().strip('"')
    raise SystemExit(f"{path}: no `bind`")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", default="/etc/acme/acme-api.toml", help="where `bind` is set (default: %(default)s)")
    arguments = parser.parse_args()
    Server(read_bind(arguments.config)).run()
