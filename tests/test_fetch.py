#!/usr/bin/env python3
# weir data fetch against a server on this machine. SPDX-License-Identifier: Apache-2.0
"""usage: test_fetch.py WEIR; exit status 77 (skipped) when the build has no libcurl"""
import gzip
import hashlib
import http.server
import io
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import threading
import unittest
import zipfile

WEIR = ""
CSV = "jena_climate_2009_2016.csv"
ZIP = CSV + ".zip"
REVIEWS = "aclImdb_v1.tar.gz"
HEADER = ('"Date Time","p (mbar)","T (degC)","Tpot (K)","Tdew (degC)","rh (%)","VPmax (mbar)",'
          '"VPact (mbar)","VPdef (mbar)","sh (g/kg)","H2OC (mmol/mol)","rho (g/m**3)","wv (m/s)",'
          '"max. wv (m/s)","wd (deg)"\n')
FIRST = ("01.01.2009 00:10:00,996.52,-8.02,265.40,-8.90,93.30,3.33,3.11,0.22,1.94,3.12,1307.75,"
         "1.03,1.75,152.30\n")


def archive(text, name=CSV, method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method, compresslevel=1) as z:
        z.writestr(name, text)
    return out.getvalue()


def file_of(rows, header=HEADER, first=FIRST):
    return header + first + FIRST * (rows - 1)


def reviews(count, text=b"a fine film"):
    """An archive in the layout of the reviews: count of them in each of the four folders."""
    out, member = io.BytesIO(), tarfile.TarInfo()
    member.size = len(text)
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=1) as packed:
        padded = text + bytes(-len(text) % 512)
        for folder in ("test/neg", "test/pos", "train/neg", "train/pos"):
            for i in range(count):
                member.name = f"aclImdb/{folder}/{i}_1.txt"
                packed.write(member.tobuf(tarfile.USTAR_FORMAT) + padded)
        packed.write(bytes(1024))
    return out.getvalue()


class Server(http.server.ThreadingHTTPServer):
    """Serves `body` in the way that the URL's first folder says."""
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.body, self.requests = b"", []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def url(self, way):
        return f"http://127.0.0.1:{self.server_address[1]}/{way}/{ZIP}"


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        way = self.path.split("/")[1]
        body, given = self.server.body, self.headers.get("Range")
        self.server.requests.append(given)
        if way == "missing":
            return self.send_error(404)
        if way == "moved":
            self.send_response(302)
            self.send_header("Location", self.server.url("range"))
            return self.end_headers()
        begin = 0
        if given and way != "whole":
            begin = int(re.fullmatch(r"bytes=(\d+)-", given).group(1))
            if begin >= len(body):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(body)}")
                return self.end_headers()
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {begin}-{len(body) - 1}/{len(body)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(body) - begin))
        self.end_headers()
        rest = body[begin:]
        # Breaks off: always after 1,000 bytes, or only at the first request.
        if way == "breaks" or (way == "breaks-once" and begin == 0):
            rest = rest[:1000]
        self.wfile.write(rest)


class Case(unittest.TestCase):
    """Fetches SET from a server of its own into a folder of its own."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server()

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.dir = os.path.join(self.folder.name, "data")
        self.server.body, self.server.requests = b"", []

    def path(self, name):
        return os.path.join(self.dir, name)

    def put(self, name, content):
        os.makedirs(self.dir, exist_ok=True)
        with open(self.path(name), "wb") as f:
            f.write(content)

    def fetch(self, way, expected=0, url=None, options=()):
        p = subprocess.run([WEIR, "data", "fetch", self.SET, "--dir", self.dir, "--url",
                            url or self.server.url(way), *options], capture_output=True, text=True,
                           timeout=60, env={**os.environ, "no_proxy": "127.0.0.1"})
        self.assertEqual(p.returncode, expected, p.stderr + p.stdout)
        return p.stderr if expected else p.stdout

    def there(self):
        return sorted(os.listdir(self.dir))


class Jena(Case):
    SET = "jena"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.good = archive(file_of(420551))
        cls.short = archive(file_of(2000), method=zipfile.ZIP_STORED)

    def setUp(self):
        super().setUp()
        self.server.body = self.short

    def arrives(self, way):
        """The archive comes through whole: it is unpacked, and found to be short only then."""
        self.assertIn("2000 rows, not 420551", self.fetch(way, 1))

    def test_downloads_checks_and_records(self):
        self.server.body = self.good
        out = self.fetch("range")
        digest = hashlib.sha256(self.good).hexdigest()
        self.assertIn(digest + " (recorded)", out)
        self.assertIn("420551 rows", out)
        self.assertEqual(self.there(), [CSV, ZIP, ZIP + ".sha256"])
        with open(self.path(ZIP + ".sha256")) as f:
            self.assertEqual(f.read(), f"{digest}  {ZIP}\n")
        self.assertEqual(self.server.requests, [None])
        self.assertIn("was there already", self.fetch("missing"))
        os.remove(self.path(CSV))
        self.assertIn("as recorded at the first download", self.fetch("missing"))

    def test_follows_a_redirection(self):
        self.arrives("moved")

    def test_goes_on_when_the_connection_breaks(self):
        self.arrives("breaks-once")
        self.assertEqual(self.server.requests, [None, "bytes=1000-"])

    def test_goes_on_with_the_part_of_an_earlier_run(self):
        self.put(ZIP + ".part", self.short[:1234])
        self.arrives("range")
        self.assertEqual(self.server.requests, ["bytes=1234-"])

    def test_keeps_the_part_when_the_connection_keeps_breaking(self):
        err = self.fetch("breaks", 1)
        self.assertIn("run this again to go on", err)
        self.assertEqual(self.there(), [ZIP + ".part"])
        size = os.path.getsize(self.path(ZIP + ".part"))
        self.assertIn(f"{size} bytes are in", err)
        self.assertEqual(size, 5000)
        self.arrives("range")

    def test_starts_again_where_the_server_knows_no_range(self):
        self.put(ZIP + ".part", b"x" * 1234)
        self.arrives("whole")
        self.assertEqual(self.server.requests, ["bytes=1234-"])

    def test_starts_again_when_the_part_is_longer_than_the_file(self):
        self.put(ZIP + ".part", b"x" * (len(self.short) + 5))
        self.arrives("range")
        self.assertEqual(self.server.requests[-1], None)

    def test_404(self):
        err = self.fetch("missing", 1)
        self.assertIn("the server answered 404", err)
        self.assertEqual(self.there(), [])

    def test_no_network(self):
        free = Server()
        url = free.url("range")
        free.shutdown()
        free.server_close()
        err = self.fetch("", 1, url)
        self.assertIn("Without a network", err)
        self.assertIn(self.path(ZIP), err)

    def test_other_protocols_are_refused(self):
        self.assertIn("Protocol", self.fetch("", 1, "file:///etc/hostname"))

    def test_archive_put_there_by_hand(self):
        self.put(ZIP, self.good)
        self.fetch("missing")
        self.assertEqual(self.server.requests, [])
        self.assertIn(CSV, self.there())

    def test_wrong_number_of_rows(self):
        self.arrives("range")
        self.assertEqual(self.there(), [])

    def refused(self, body, message):
        self.server.body = body
        self.assertIn(message, self.fetch("range", 1))
        self.assertEqual(self.there(), [])

    def test_damaged_archive(self):
        bad = bytearray(self.short)
        bad[len(bad) // 2] ^= 0x55
        self.refused(bytes(bad), "damaged")

    def test_no_archive(self):
        self.refused(b"<html>not here</html>" * 100, "damaged or no archive")

    def test_empty_answer(self):
        self.refused(b"", "can't download")

    def test_archive_without_the_file(self):
        self.refused(archive("x", "other.csv"), f"no {CSV} in it")

    def test_wrong_header(self):
        header = HEADER.replace("rho (g/m**3)", "rho")
        self.refused(archive(file_of(10, header=header)), 'column 12 is "rho"')

    def test_wrong_first_row(self):
        first = FIRST.replace("-8.02", "-8.03")
        self.refused(archive(file_of(10, first=first)), '"T (degC)" is -8.03')
        first = FIRST.replace("2009", "2010")
        self.refused(archive(file_of(10, first=first)), "begins at 01.01.2010")

    def test_bad_row(self):
        text = file_of(1000)
        at = text.rindex("1307.75")
        text = text[:at] + "x" + text[at + 7:]
        self.refused(archive(text), ':1001:78: "x" in column "rho (g/m**3)" is not a number')

    def test_too_large(self):
        self.refused(archive("x" * 100_000_001), "unpacks to more than")

    def test_another_archive_than_the_first_time(self):
        self.put(ZIP + ".sha256", b"0" * 64 + b"  " + ZIP.encode() + b"\n")
        err = self.fetch("range", 1)
        self.assertIn("recorded " + "0" * 64, err)
        self.assertIn(f"kept as {self.path(ZIP)}.bad", err)
        self.assertEqual(self.there(), [ZIP + ".bad", ZIP + ".sha256"])

    def on_terminal(self, **variables):
        """What a fetch writes to a terminal: a bar, and then that the file is too short."""
        control, terminal = os.openpty()
        environment = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
        run = subprocess.run([WEIR, "data", "fetch", "jena", "--dir", self.dir, "--url",
                              self.server.url("range")], stdout=subprocess.DEVNULL, stderr=terminal,
                             env={**environment, "TERM": "xterm", **variables}, timeout=60)
        os.close(terminal)
        self.assertEqual(run.returncode, 1)
        with open(control, "rb", buffering=0) as shown:
            return shown.read(65536).decode()

    def test_progress(self):
        self.assertRegex(self.on_terminal(), r"\r\x1b\[K\x1b\[36m.*\[=*>? *\] .* MB .*\x1b\[0m"
                         r"\r\x1b\[Kweir data fetch: ")

    def test_progress_without_color(self):
        shown = self.on_terminal(NO_COLOR="1")
        self.assertIn(ZIP + " [", shown)
        self.assertNotIn("\x1b[36m", shown)

    def test_progress_on_a_terminal_that_cannot_move(self):
        self.assertRegex(self.on_terminal(TERM="dumb"), "^weir data fetch: ")

    def test_md5_is_of_the_reviews(self):
        self.assertIn("--md5 is an option of imdb", self.fetch("range", 2, options=["--md5", "none"]))

    def test_folder_that_cannot_be_made(self):
        self.dir = os.path.join(self.folder.name, "no", "such", "folder")
        self.assertIn("making the folder", self.fetch("range", 1))


class Imdb(Case):
    SET = "imdb"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.good, cls.short = reviews(12500), reviews(20)

    def take(self, body, way="range", expected=0, md5=None):
        """Fetches body, whose MD5 it expects unless another one is given."""
        self.server.body = body
        md5 = md5 or hashlib.md5(body).hexdigest()
        return self.fetch(way, expected, options=["--md5", md5])

    def test_downloads_and_checks(self):
        out = self.take(self.good)
        self.assertIn(REVIEWS + ": 25000 reviews to train on, 25000 for the test\n", out)
        self.assertIn("MD5: " + hashlib.md5(self.good).hexdigest(), out)
        self.assertEqual(self.there(), [REVIEWS])
        with open(self.path(REVIEWS), "rb") as file:
            self.assertEqual(file.read(), self.good)
        self.assertIn("(was there already)", self.take(self.good, "missing"))
        self.assertEqual(self.server.requests, [None])

    def test_goes_on_when_the_connection_breaks(self):
        self.assertIn("25000 reviews", self.take(self.good, "breaks-once"))
        self.assertEqual(self.server.requests, [None, "bytes=1000-"])

    def test_goes_on_with_the_part_of_an_earlier_run(self):
        self.put(REVIEWS + ".part", self.good[:12345])
        self.take(self.good)
        self.assertEqual(self.server.requests, ["bytes=12345-"])

    def test_the_original_is_expected(self):
        self.server.body = self.short
        err = self.fetch("range", 1)
        self.assertIn(hashlib.md5(self.short).hexdigest(), err)
        self.assertIn("not 7c2ac02c03563afcf9b574c7e56c153a: it is another file, or damaged, kept as ", err)
        self.assertEqual(self.there(), [REVIEWS + ".bad"])

    def test_damaged_on_its_way(self):
        damaged = bytearray(self.good)
        damaged[len(damaged) // 2] ^= 1
        err = self.take(bytes(damaged), expected=1, md5=hashlib.md5(self.good).hexdigest())
        self.assertIn("damaged", err)
        self.assertEqual(self.there(), [REVIEWS + ".bad"])

    def test_forms_of_md5(self):
        self.assertIn("25000 reviews", self.take(self.good, md5=hashlib.md5(self.good).hexdigest().upper()))
        for wrong in ("7c2ac02c", "x" * 32, ""):
            self.assertIn(f'--md5 is "{wrong}", accepted: 32 hexadecimal digits, none',
                          self.fetch("range", 2, options=["--md5", wrong]))

    def test_any_md5(self):
        self.assertIn("25000 reviews", self.take(self.good, md5="none"))

    def refused(self, body, message):
        self.assertIn(message, self.take(body, expected=1))
        self.assertEqual(self.there(), [])

    def test_too_few_reviews(self):
        self.refused(self.short, "has 40 reviews to train on and 40 for the test, not 25000 each")

    def test_cut_off(self):
        self.refused(self.good[:len(self.good) // 2], "is damaged or no archive: ")

    def test_no_archive(self):
        self.refused(b"<html>not here</html>" * 100, "is damaged or no archive: ")

    def test_other_archive(self):
        self.refused(reviews(0), "there is no review in it")

    def test_file_put_there_by_hand_stays(self):
        self.put(REVIEWS, self.short)
        self.assertIn("not 25000 each", self.take(self.short, expected=1))
        self.assertIn("not 7c2ac02c", self.fetch("range", 1))
        self.assertEqual(self.server.requests, [])
        self.assertEqual(self.there(), [REVIEWS])

    def test_404(self):
        self.assertIn("the server answered 404", self.take(b"", "missing", 1))
        self.assertEqual(self.there(), [])

    def test_unknown_set(self):
        self.SET = "mnist"
        self.assertIn('data set is "mnist", accepted: jena, imdb', self.fetch("range", 2))



if __name__ == "__main__":
    WEIR = sys.argv.pop(1)
    probe = subprocess.run([WEIR, "data", "fetch", "jena", "--dir", "/dev/null/none"],
                           capture_output=True, text=True)
    if "this build has no libcurl" in probe.stderr:
        sys.exit(77)
    unittest.main()
