#!/usr/bin/env python3
"""small-packages.py COUNT DIRECTORY: writes the smallest debs that there are, `pkg-many-0000` and so on."""

import io
import pathlib
import sys
import tarfile


def member(name, content):
    """An entry of the ar archive (deb(5))."""
    header = f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(content):<10}`\n".encode()
    return header + content + b"\n" * (len(content) % 2)


def archive(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz", format=tarfile.GNU_FORMAT) as tar:
        for path, content in files:
            entry = tarfile.TarInfo(f"./{path}")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return out.getvalue()


count, directory = int(sys.argv[1]), pathlib.Path(sys.argv[2])
directory.mkdir(parents=True, exist_ok=True)
for number in range(count):
    name = f"pkg-many-{number:04}"
    control = f"Package: {name}\nVersion: 1.{number}\nArchitecture: all\nMaintainer: A <a@acme.example>\nDescription: number {number} of many\n"
    data = archive([(f"usr/share/{name}/file", b"content\n")])
    deb = b"!<arch>\n" + member("debian-binary", b"2.0\n")
    deb += member("control.tar.gz", archive([("control", control.encode())])) + member("data.tar.gz", data)
    (directory / f"{name}_1.{number}_all.deb").write_bytes(deb)
