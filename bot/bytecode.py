"""Compiled templates, kept as Python keeps compiled modules: beside the source, in `__pycache__`.

To compile the templates takes longer than anything else at the start. What is kept counts only for the very same
template, environment, Jinja and Python, by a digest of their contents; anything else is compiled again. Where nothing
can be written (a read-only folder, PYTHONDONTWRITEBYTECODE), what is there is used and the rest compiled each time.
"""

import os
import sys
from contextlib import suppress
from hashlib import sha256
from importlib.util import cache_from_source
from pathlib import Path

import jinja2
from jinja2 import Environment
from jinja2.bccache import Bucket, BytecodeCache


class TemplateBytecode(BytecodeCache):
    """For the environments that one module makes: its text stands for their options."""

    def __init__(self, module: str) -> None:
        """`module` is the `__file__` of the module in which the environments are made."""
        versions = f"{jinja2.__version__} {sys.version} {sys.implementation.cache_tag}"
        self._seed = sha256(versions.encode() + Path(module).read_bytes())

    def get_bucket(self, environment: Environment, name: str, filename: str | None, source: str) -> Bucket:
        digest = self._seed.copy()
        digest.update(f"{name}\0{source}".encode())
        bucket = Bucket(environment, cache_from_source(filename or name), digest.hexdigest())
        self.load_bytecode(bucket)
        return bucket

    def load_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):
            content = Path(bucket.key).read_bytes()
            seal, code = content[:64], content[64:]
            # Jinja trusts what it reads. A file that was cut short, or is of another template, never reaches it.
            if seal == _seal(bucket, code):
                bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        if sys.dont_write_bytecode:
            return
        path, code = Path(bucket.key), bucket.bytecode_to_string()
        part = path.with_name(f"{path.name}.{os.getpid()}")  # renamed when whole: other processes start meanwhile
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            part.write_bytes(_seal(bucket, code) + code)
            part.replace(path)


def _seal(bucket: Bucket, code: bytes) -> bytes:
    return sha256(bucket.checksum.encode() + code).hexdigest().encode()
