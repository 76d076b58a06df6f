from setuptools import find_packages, setup

setup(
    name="acme-common",
    version="2.3.0",
    description="What all services of the Acme cloud share",
    license="Apache-2.0",
    python_requires=">=3.9",
    packages=find_packages(),
    install_requires=open("requirements.txt").read().splitlines(),
)
