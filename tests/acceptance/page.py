#!/usr/bin/env python3
"""Looks at a repository's site in Chromium, by chromedriver's own protocol (W3C WebDriver), and at its HTML with html5lib.

page.py URL ROOT SCREENSHOTS: the site at URL, which lies in ROOT, must have a package `acme-api` and more names than one list
takes. Prints PASSED when everything is as it should be.
"""

import base64
import json
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

import html5lib

URL, ROOT, SCREENSHOTS = sys.argv[1].rstrip("/"), pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
FLAGS = """--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
--disable-component-update --disable-sync --hide-scrollbars --force-device-scale-factor=1""".split()
# Every text against what is behind it (WCAG 2.2, 1.4.3), and what sticks out of the page.
LOOK = """
const channel = (value) => { value /= 255; return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4; };
const parse = (text) => { const found = text.match(/[\\d.]+/g).map(Number); return found.length < 4 ? [...found, 1] : found; };
const light = ([red, green, blue]) => 0.2126 * channel(red) + 0.7152 * channel(green) + 0.0722 * channel(blue);
const behind = (element) => {
  for (let here = element; here; here = here.parentElement) {
    const color = parse(getComputedStyle(here).backgroundColor);
    if (color[3] > 0.99) return color;
  }
  return [255, 255, 255, 1];
};
const problems = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
for (let node = walker.nextNode(); node; node = walker.nextNode()) {
  const element = node.parentElement;
  if (!node.data.trim() || !element.checkVisibility() || element.closest("script, style, .hidden, .skip")) continue;
  const [one, other] = [light(parse(getComputedStyle(element).color)), light(behind(element))].sort((a, b) => b - a);
  const contrast = (one + 0.05) / (other + 0.05);
  if (contrast < 4.5) problems.push(`contrast ${contrast.toFixed(2)}: ${node.data.trim().slice(0, 40)}`);
}
for (const element of document.querySelectorAll("body *")) {
  const { left, right } = element.getBoundingClientRect();
  if (element.checkVisibility() && right > innerWidth + 0.5 && !element.closest(".hidden, .skip")) {
    problems.push(`sticks out: <${element.tagName.toLowerCase()} class="${element.className}"> to ${right} of ${innerWidth}`);
  }
}
if (document.documentElement.scrollWidth > innerWidth) problems.push(`scrolls to ${document.documentElement.scrollWidth} of ${innerWidth}`);
const ids = [...document.querySelectorAll("[id]")].map(({ id }) => id);
if (new Set(ids).size !== ids.length) problems.push("an id is given twice");
for (const link of document.querySelectorAll("a[href]")) {
  if (!link.textContent.trim()) problems.push(`a link without text: ${link.href}`);
}
return problems;
"""


class Browser:
    """One session of Chromium."""

    def __init__(self, driver, profile, preferences=None):
        options = {"args": [*FLAGS, f"--user-data-dir={profile}"], "prefs": preferences or {}}
        wanted = {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        self.driver = driver
        self.session = self.call("POST", "/session", {"capabilities": {"alwaysMatch": wanted}}, plain=True)["sessionId"]

    def call(self, method, path, body=None, plain=False):
        address = self.driver + path if plain else f"{self.driver}/session/{self.session}{path}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(address, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            sys.exit(f"{method} {path}: {error.read().decode()[:500]}")

    def cdp(self, command, **parameters):
        return self.call("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def run(self, script, *arguments):
        return self.call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def open(self, path, width=1280, scheme="light"):
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 500)
        self.cdp("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.call("POST", "/url", {"url": f"{URL}/{path}"})

    def screenshot(self, name):
        height = min(self.run("return document.documentElement.scrollHeight"), 4000)
        width = self.run("return innerWidth")
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        picture = self.cdp("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)["data"]
        (SCREENSHOTS / f"{name}.png").write_bytes(base64.b64decode(picture))

    def find(self, selector):
        [element] = self.call("POST", "/element", {"using": "css selector", "value": selector}).values()
        return element

    def press(self, keys):
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self.call("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def errors(self):
        return [entry["message"] for entry in self.call("POST", "/se/log", {"type": "browser"}) if entry["level"] != "DEBUG"]

    def wait(self, script, what):
        for _ in range(100):
            value = self.run(script)
            if value:
                return value
            time.sleep(0.05)
        sys.exit(f"never came: {what}; the page has: {self.run('return document.body.innerText')[:500]}")


def expect(good, what):
    if not good:
        sys.exit(f"not so: {what}")


def look(browser, deep):
    """Every kind of page at both widths in both schemes."""
    pages = {"index": "index.html", "packages": "packages.html", "package": "packages/acme-api.html", "list": deep}
    for name, path in pages.items():
        for width in (360, 1280):
            for scheme in ("light", "dark"):
                browser.open(path, width, scheme)
                browser.run("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
                problems = browser.run(LOOK)
                browser.screenshot(f"{name}-{width}-{scheme}")
                expect(not problems, f"{path} at {width} px, {scheme}: {problems[:5]}")
    for path in pages.values():
        browser.open(path)
        expect(browser.errors() == [], f"{path} has no errors in the console")


def search(browser):
    """What is typed is found, with the keyboard alone, in whichever file it is."""
    results = "return [...document.querySelectorAll('#found .name')].map((one) => one.textContent)"
    browser.open("index.html")
    browser.press("/")
    browser.press("acme-a")
    found = browser.wait(f"const all = (() => {{ {results} }})(); return all.includes('acme-api') && all", "acme-api")
    expect(found[0].startswith("acme-a"), f"what begins so comes first: {found}")
    browser.screenshot("search")
    browser.press("\ue015\ue007")  # arrow down, enter
    browser.wait("return location.pathname.startsWith('/packages/acme-a')", "the page of what was found")
    browser.open("packages/acme-api.html")
    browser.press("/")
    browser.press("many 0421")
    browser.wait(f"return (() => {{ {results} }})().includes('pkg-many-0421')", "a package by two of its words")
    browser.press("\ue00c")  # escape
    browser.press("nothing-has-this-name")
    browser.wait("return document.getElementById('found').textContent.includes('Nothing begins with')", "an answer to nothing")
    browser.open("packages.html?q=acme-api")
    browser.wait(f"return (() => {{ {results} }})().includes('acme-api')", "a search in an address")
    expect(browser.errors() == [], f"searching makes no errors: {browser.errors()}")


def scriptless(browser):
    """Without JavaScript lists lead everywhere, and no control is shown that does nothing."""
    browser.open("index.html")
    expect(browser.run("return document.querySelector('form.search').hidden"), "the search is not shown without JavaScript")
    expect(browser.run("return document.querySelectorAll('pre.copy button').length") == 0, "no buttons that cannot copy")
    address = browser.run("return document.querySelector('.bar nav a').href")
    expect(address.endswith("/packages.html"), address)
    path, wanted = "packages.html", "pkg-many-0421"
    for _ in range(10):
        browser.open(path)
        links = browser.run("return [...document.querySelectorAll('main li a')].map((a) => [a.textContent.replace('…', ''), a.href])")
        exact = [href for text, href in links if text == wanted]
        if exact:
            browser.open(exact[0][len(URL) + 1 :])
            expect(browser.run("return document.querySelector('h1').textContent") == wanted, "the page of the package")
            return
        [path] = [href[len(URL) + 1 :] for text, href in links if wanted.startswith(text)]
    sys.exit("the lists lead nowhere")


def links(browser, pages):
    """Every link leads to something that is there."""
    seen = set()
    for page in pages:
        browser.open(page)
        for address in browser.run("return [...document.querySelectorAll('a[href], link[href], script[src]')].map((one) => one.href || one.src)"):
            address = address.split("#")[0]
            if address.startswith(URL) and address not in seen:
                seen.add(address)
                with urllib.request.urlopen(urllib.request.Request(address, method="HEAD")) as answer:
                    expect(answer.status == 200, address)
    expect(len(seen) > 20, f"there are links: {len(seen)}")


def valid():
    """html5lib finds no fault."""
    pages = [ROOT / "index.html", ROOT / "packages.html", *ROOT.glob("packages/acme*.html"), *ROOT.glob("lists/*.html")]
    expect(len(pages) >= 6, f"there are pages: {len(pages)}")
    for page in pages:
        parser = html5lib.HTMLParser(strict=False)
        parser.parse(page.read_bytes(), transport_encoding="utf-8")
        expect(not parser.errors, f"{page}: {parser.errors[:3]}")


def main():
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    valid()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    driver = subprocess.Popen(["chromedriver", f"--port={port}"], stdout=subprocess.DEVNULL)
    try:
        address = f"http://127.0.0.1:{port}"
        for _ in range(200):
            try:
                urllib.request.urlopen(f"{address}/status", timeout=5).close()
                break
            except OSError:
                time.sleep(0.05)
        deep = max(ROOT.glob("lists/*.html"), key=lambda page: page.stat().st_size).relative_to(ROOT).as_posix()
        with tempfile.TemporaryDirectory() as profile:
            browser = Browser(address, f"{profile}/with")
            look(browser, deep)
            search(browser)
            links(browser, ["index.html", "packages.html", "packages/acme-api.html", deep])
            browser.call("DELETE", "")
            off = {"profile.managed_default_content_settings.javascript": 2}
            browser = Browser(address, f"{profile}/without", off)
            scriptless(browser)
            browser.call("DELETE", "")
    finally:
        driver.terminate()
        driver.wait()
    print("PASSED")


main()
