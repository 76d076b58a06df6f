"""The API of the Acme cloud."""

from importlib.metadata import version

from acme_common import Health
from cryptography.fernet import Fernet
from flask import Flask, jsonify

__version__ = "1.4.2"


def health():
    """What runs here."""
    names = ["acme-common", "cryptography", "flask", "gunicorn", "pydantic", "requests", "sqlalchemy"]
    return Health(service="acme-api", libraries={name: version(name) for name in names})


def create_app():
    """The WSGI application."""
    app = Flask("acme_api")

    @app.get("/")
    def index():
        return jsonify(health().model_dump())

    @app.get("/seal/<text>")
    def seal(text):
        key = Fernet.generate_key()
        return jsonify(opened=Fernet(key).decrypt(Fernet(key).encrypt(text.encode())).decode())

    return app
