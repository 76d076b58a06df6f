"""Does the work that the API promises."""

import argparse
from importlib.metadata import version

import httpx
import psycopg
from acme_common import Health, serve


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8102, help="where to listen (default: %(default)s)")
    arguments = parser.parse_args()
    libraries = {"psycopg": psycopg.pq.__impl__, "httpx": httpx.__version__, "acme-common": version("acme-common")}
    serve(Health(service="acme-worker", libraries=libraries), arguments.port)
    return 0
