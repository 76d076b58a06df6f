"""A PEP 517 back end: packs src/ into a pure wheel of the name and version in the file identity."""

import base64, hashlib, os, zipfile

def build_wheel(directory, config=None, metadata=None):
    name, version = open("identity").read().split()
    stem = "%s-%s" % (name.replace("-", "_"), version)
    info = stem + ".dist-info"
    files = {}
    for top, _, names in os.walk("src"):
        for file in names:
            path = os.path.join(top, file)
            files[os.path.relpath(path, "src")] = open(path).read()
    if os.path.exists("entry_points.txt"):
        files[info + "/entry_points.txt"] = open("entry_points.txt").read()
    files[info + "/WHEEL"] = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files[info + "/METADATA"] = "Metadata-Version: 2.1\nName: %s\nVersion: %s\nLicense-Expression: MIT\n" % (name, version)
    record = ""
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record += "%s,sha256=%s,%d\n" % (path, digest, len(text.encode()))
    files[info + "/RECORD"] = record + info + "/RECORD,,\n"
    wheel = stem + "-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(directory, wheel), "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return wheel
