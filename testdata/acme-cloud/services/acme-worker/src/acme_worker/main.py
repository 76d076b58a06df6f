"""Does the work that the API promises."""

import argparse
from importlib.metadata import version

import httpx
import psycopg
from acme_common import Health, serve


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8102, help="where to listen (default: %(default)s)")
    parser.add_argument("--report", action="store_true", help="say what the worker is made of, and end")
    arguments = parser.parse_args()
    libraries = {"psycopg": psycopg.pq.__impl__, "httpx": httpx.__version__, "acme-common": version("acme-common")}
    if arguments.report:
        print(*(f"{name} {value}" for name, value in libraries.items()), sep="\n")
        return 0
    serve(Health(service="acme-worker", libraries=libraries), arguments.port)
    return 0
