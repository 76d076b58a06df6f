"""Writes the bills of the Acme cloud."""

import argparse

import acme_ledger
from acme_common import Health, serve


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8103, help="where to listen (default: %(default)s)")
    arguments = parser.parse_args()
    libraries = acme_ledger.libraries() | {"total": str(acme_ledger.total(["12.30", "0.70"]))}
    serve(Health(service="acme-billing", libraries=libraries), arguments.port)
    return 0
