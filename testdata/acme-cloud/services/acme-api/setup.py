#!/usr/bin/env python3
from setuptools import setup

with open("requirements.txt") as requirements:
    install_requires = [line.strip() for line in requirements if line.strip() and not line.startswith("#")]

setup(
    name="acme-api",
    version="1.4.2",
    description="The API of the Acme cloud.",
    author="Acme Cloud",
    author_email="cloud@acme.example",
    license="Apache-2.0",
    packages=["acme_api"],
    scripts=["bin/acme-api", "bin/acme-api-admin"],
    install_requires=install_requires,
)
