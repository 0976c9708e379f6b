"""Fetching a published weights file, once, and only if it is what was published."""

import hashlib
import http.client
import urllib.error
import urllib.request
from pathlib import Path

from mrcnn_al.errors import UserError
from mrcnn_al.files import replacing
from mrcnn_al.progress import progress
from mrcnn_al.weights.known_files import KnownFile

TIMEOUT_SECONDS = 30.0
_BLOCK = 1 << 20
# Of a file whose size is not published; none of them has half of it.
_MOST_BYTES = 1 << 30


def find_or_download(file: KnownFile, folder: Path) -> Path:
    """The path of a published file in a folder; fetched if it is not there.

    A file that is there is taken as it is, whatever its checksum: it may be the user's own.

    Raises:
        UserError: it is not there and cannot be fetched, or what came is something else; the
            message says what to put where.
    """
    path = folder / file.name
    if path.is_file():
        return path
    try:
        _download(file, path)
    # ValueError: an address that is none; HTTPException: an answer that is not HTTP.
    except (OSError, http.client.HTTPException, ValueError) as error:
        if isinstance(error, urllib.error.HTTPError):
            error.close()
        reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise UserError(
            f"The weights file {path} does not exist, and it could not be downloaded ({reason}). "
            f"Get {file.url} by other means and put it there as {file.name}; "
            "$MRCNN_AL_WEIGHTS names another folder, and weights/README.md lists the files."
        ) from error
    return path


def _download(file, path):
    digest, received = hashlib.md5(usedforsecurity=False), 0
    request = urllib.request.Request(file.url, headers={"User-Agent": "mrcnn-al"})
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
        announced = response.headers.get("Content-Length", "")
        announced = int(announced) if announced.isdecimal() else None
        expected = file.size or announced
        most = expected or _MOST_BYTES
        total = -(-most // _BLOCK)
        with (
            replacing(path) as temporary,
            temporary.open("wb") as target,
            progress(f"download {file.name}", total, "MiB") as advance,
        ):
            while block := response.read(_BLOCK):
                received += len(block)
                if received > most:
                    raise OSError(f"more than the {most:,} bytes that it should have")
                digest.update(block)
                target.write(block)
                advance()
            if expected is not None and received != expected:
                raise OSError(f"{received:,} bytes came instead of {expected:,}")
            if file.md5 is not None and digest.hexdigest() != file.md5:
                raise OSError(f"its MD5 is {digest.hexdigest()} instead of {file.md5}")
