"""Pages in a real browser: what it measures, how they look, how they print."""

import contextlib
import functools
import html
import http.server
import json
import os
import re
import shutil
import signal
import subprocess
import threading

NAMES = ("chromium", "chromium-browser", "google-chrome")
# Width between the margins of A4, and height, in CSS pixels: (210 - 28) mm and (297 - 28) mm.
PRINTED_WIDTH, PRINTED_HEIGHT = 688, 1016
TIMEOUT = 300
COPY = "measured.html"

# Runs when all is loaded and leaves its findings in the page, which --dump-dom prints.
SCRIPT = """
<pre id="findings"></pre>
<script>
addEventListener("load", () => {
  const box = (e) => e.getBoundingClientRect();
  const all = (selector) => [...document.querySelectorAll(selector)];
  const within = (e) => e.closest(".scroll") === null;
  document.getElementById("findings").textContent = JSON.stringify({
    width: innerWidth,
    needed: document.documentElement.scrollWidth,
    outside: all("body *").filter((e) => within(e) && box(e).right > innerWidth + 1)
      .map((e) => e.outerHTML.slice(0, 80)),
    scrolled: all(".scroll").filter((e) => e.scrollWidth > e.clientWidth).length,
    images: all("img").map((e) => [e.alt, e.complete ? e.naturalWidth : 0]),
    figures: all("figure").map((e) => box(e).height),
    requested: performance.getEntriesByType("resource").map((e) => e.name)
      .filter((name) => !name.startsWith("data:") && !name.startsWith(origin)),
  });
});
</script>
"""


def find():
    """The browser's program, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def run(folder, *arguments, width=1280, height=900):
    """Standard output of a browser that begins with nothing and talks to nobody.

    Args:
        folder: to which its profile and its caches go.
        *arguments: options, and the page.
        width: of the window, pixels.
        height: of the window, pixels.
    """
    profile = folder / "profile"
    shutil.rmtree(profile, ignore_errors=True)
    command = [
        *(find(), "--headless", "--disable-gpu", "--disable-quic", "--no-first-run"),
        *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
        *("--disable-dev-shm-usage", "--hide-scrollbars", "--force-device-scale-factor=1"),
        *(f"--user-data-dir={profile}", f"--window-size={width},{height}", *arguments),
    ]
    if os.geteuid() == 0:
        # Its sandbox refuses to work for root, whose containers these are as a rule.
        command.insert(1, "--no-sandbox")
    environment = {**os.environ, "HOME": str(folder), "XDG_CACHE_HOME": str(folder / "cache")}
    # A group of its own, so that a time-out ends its helpers, too; it chatters on stderr.
    with (folder / "stderr.txt").open("w") as errors:
        browser = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, env=environment, start_new_session=True
        )
        try:
            output, _ = browser.communicate(timeout=TIMEOUT)
        finally:
            if browser.poll() is None:
                os.killpg(browser.pid, signal.SIGKILL)
    assert browser.returncode == 0, (folder / "stderr.txt").read_text()[-2000:]
    return output.decode("utf-8", "replace")


def measure(page, folder, width, printed=False):
    """What SCRIPT finds on a page in a window of some width.

    Args:
        page: the HTML file.
        folder: for the copy with the script, and for the browser.
        width: of the window.
        printed: whether the rules for print apply.
    """
    text = page.read_text(encoding="utf-8")
    # The page's own policy forbids every script.
    text, policies = re.subn('<meta http-equiv="Content-Security-Policy"[^>]*>', "", text)
    assert policies == 1
    if printed:
        text = text.replace("@media print", "@media all")
    (folder / COPY).write_text(text.replace("</body>", SCRIPT + "</body>"), encoding="utf-8")
    with serving(folder) as (address, paths):
        dumped = run(folder, "--dump-dom", f"{address}/{COPY}", width=width)
    (findings,) = re.findall('<pre id="findings">(.+?)</pre>', dumped, re.DOTALL)
    findings = json.loads(html.unescape(findings))
    # Browsers ask for the icon of any site.
    findings["requested"] += [p for p in paths if p not in (f"/{COPY}", "/favicon.ico")]
    return findings


@contextlib.contextmanager
def serving(folder):
    """Serves a folder to this machine alone; yields the address, and the paths asked for."""
    paths = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, form, *values):
            pass

        def do_GET(self):
            paths.append(self.path)
            super().do_GET()

    handler = functools.partial(Handler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", paths
        finally:
            server.shutdown()
            thread.join()


def screenshot(page, folder, width, height):
    """The path of a picture of the page's top."""
    path = folder / "screenshot.png"
    run(folder, f"--screenshot={path}", page.as_uri(), width=width, height=height)
    return path


def print_pdf(page, folder):
    """The path of the printed page."""
    path = folder / "printed.pdf"
    run(folder, "--no-pdf-header-footer", f"--print-to-pdf={path}", page.as_uri())
    return path
