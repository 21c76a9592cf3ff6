"""What is logged: ids and lengths, never words that somebody wrote, never a token."""

import logging
import re
import sys

_SECRETS = re.compile(r"xox[a-z](?:\.xox[a-z])?-[\w-]+|xapp-[\w-]+|xwfp-[\w-]+|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)")


class _WithoutSecrets(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return _SECRETS.sub("***", super().format(record))


def set_up(level: str) -> None:
    """Log to standard error; libraries only warn, for at finer levels Bolt and slack_sdk log whole bodies."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_WithoutSecrets("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for name in ("bot", "handlers", "storage"):
        logging.getLogger(name).setLevel(level)
    for name in ("slack_bolt", "slack_sdk", "aiohttp", "apscheduler", "stamina"):
        logging.getLogger(name).setLevel(logging.ERROR)
