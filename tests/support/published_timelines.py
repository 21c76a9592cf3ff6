"""Timelines in the shapes in which teams publish theirs, with other words; and when each of their entries was."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

INCIDENTS = Path(__file__).resolve().parents[2] / ".." / "shared" / "incidents"
"""The shared collection of published incidents; elsewhere it may be missing."""


def moment_of(entry: Mapping[str, Any]) -> datetime:
    """When an entry of a published incident was; on a day in February if only its time of day is known."""
    if entry["time_utc"]:
        return datetime.fromisoformat(entry["time_utc"]).astimezone(UTC)
    return datetime.combine(date(2020, 2, 29), time.fromisoformat(entry["time_of_day_utc"]), UTC)


class Timeline(NamedTuple):
    """`moments` are those of its entries in UTC, in their order; `*` marks one that must be asked."""

    name: str
    text: str
    now: datetime
    zone: str
    moments: str
    language: str = "en"

    @property
    def home(self) -> ZoneInfo:
        """The zone of whoever pastes it."""
        return ZoneInfo(self.zone)

    @property
    def dated_moments(self) -> list[str]:
        """The moments as they are written."""
        day, found = "", []
        for word in self.moments.split():
            if "-" in word:
                day = word
            else:
                found.append("*" if word == "*" else f"{day} {word}")
        return found


def _at(written: str, zone: str = "UTC") -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


TIMELINES = (
    Timeline(
        "days as headings over a list with wrapped lines",
        """## Timeline of events

It took 40 minutes from the first report to the fix.

### 2024-03-07

- **22:17 UTC: the authors of `teapot`, `kettle-core`
  and `kettle-lid` publish them**
- 22:28 UTC: the author of `teapot` writes
  to the list
- **22:31 UTC: the provider updates its page**

### 2024-03-08

- 09:27 UTC: another author reports the same
- 12:55 UTC: Ana removes the broken version
  and answers

## Action items

- [#12]: log more
""",
        _at("2024-03-20T12:00"),
        "Europe/Rome",
        "2024-03-07 22:17 22:28 22:31 2024-03-08 09:27 12:55",
    ),
    Timeline(
        "days as headings over a list with links and dashes",
        """### 2024-05-19

- 12:32 UTC – <https://example.com/pull/68> (move code) was opened
- 17:41 UTC – <https://example.com/pull/68> (move code) was merged

### 2024-05-20

- 10:00 UTC – the staging deployment was promoted
- 12:28 UTC – a [member](https://example.com/1) told the team
""",
        _at("2024-05-21T12:00"),
        "Europe/Berlin",
        "2024-05-19 12:32 17:41 2024-05-20 10:00 12:28",
    ),
    Timeline(
        "short American dates in italics, twelve hours, indented lines, a zone in the title",
        """## Timeline (PST) 4/21/23-4/25/23. All times approximations
_4/21/23_

11:12 AM: An email about a login came in.

12:27 PM: The user had followed a link, which prompted for
           a second login.
1:31 PM: The laptop stays off.
           The passwords are changed.

_4/24/23_

~9:00 AM: The laptop was erased.

-4/25/23_

9:41 AM: A full scan was completed.
""",
        _at("2023-04-25T23:59", "America/Los_Angeles"),
        "America/Los_Angeles",
        "2023-04-21 18:12 19:27 20:31 2023-04-24 16:00 2023-04-25 16:41",
    ),
    Timeline(
        "a table with full dates, and minutes that nobody remembers",
        """All times in UTC.

| Time             | Event                     |
| :--------------- | ------------------------- |
| 2024-04-13 HH:mm | Short description.        |
| 2024-04-13 10:01 | The node stopped.         |
| 2024-04-13 10:03 | An alert fired.           |
| 2024-04-13 14:?? | Scaled down.              |
| 2024-04-13 15:03 | The next node stopped.    |
| 2024-04-14 09:20 | Closed.                   |
""",
        _at("2024-04-15T19:00"),
        "Europe/Copenhagen",
        "2024-04-13 * 10:01 10:03 * 15:03 2024-04-14 09:20",
    ),
    Timeline(
        "bold times on the evening of the same day",
        """## Timeline

All times in UTC.

- **10:45** - The release goes out
- **14:59** - [Two reports](https://example.com/2) look alike
- **22:28** - Closed

**Total impact:** 5 hours 26 minutes (10:45 - 16:11 UTC)
""",
        _at("2024-06-03T23:59"),
        "Europe/London",
        "2024-06-03 10:45 14:59 22:28 *",
    ),
    Timeline(
        "month and day before a bold time, and hours without minutes",
        """# Timeline

All events are documented in [UTC](https://example.com/utc) time.

 - Dec 16th **12:43** `@ana` First report
 - Dec 17th **21:44** `@bo` A wrong turn
 - Dec 17th **22:XX** More reports
 - Dec 17th **24:XX** Still the same
 - Dec 18th **14:45** `@cleo` Rewrites the rule

![img.png](img.png)

 - Dec 18th **20:45** `@ana` Reloads the services
""",
        _at("2024-12-19T12:00"),
        "America/New_York",
        "2024-12-16 12:43 2024-12-17 21:44 * * 2024-12-18 14:45 * 20:45",
    ),
    Timeline(
        "a table with a month, a day and twelve hours",
        """| Time (UTC) | Event |
|------------|-------|
| Jan 14, 10:18 AM | A customer wrote. |
| Jan 15, 5:33 PM | A new version (1.323.0) went out. |
| Jan 17, 7:38 PM | More reports. |
""",
        _at("2026-01-20T12:00"),
        "Europe/Paris",
        "2026-01-14 10:18 2026-01-15 17:33 2026-01-17 19:38",
    ),
    Timeline(
        "times in italics with line breaks, that evening",
        """## Timeline


*06:00*: the site being down was detected\\
*06:46*: the provider was told\\
*12:02*: the change was taken back
""",
        _at("2024-05-23T23:59", "Europe/Berlin"),
        "Europe/Berlin",
        "2024-05-23 04:00 04:46 10:02",
    ),
    Timeline(
        "date and time over a paragraph",
        """## Timeline (all times UTC) 1/29/24, 2/15/24 - 2/16/24 All times approximations

January 29, 2024
The team had set up a connector.

February 15, 2024: 7:56am UTC
Ana received a mail that said there was a login at 2:56am EST.

February 15, 2024: 1:15pm UTC
Ana saw the mail. She changed the passwords.

February 16, 2024: 3:44pm UTC
Bo told Ana.
""",
        _at("2024-02-20T12:00"),
        "America/New_York",
        "2024-02-15 * 07:56 13:15 2024-02-16 15:44",
    ),
    Timeline(
        "a weekday behind the date, and two clocks in each line",
        """## Timeline of events
Times are in both Eastern Daylight Time (EDT) and UTC.

_Keep in mind: the weekend is Saturday and Sunday._

### 2024-07-27 Saturday
- 13:14 EDT (17:14 UTC): A user writes about a mail,
  which seems to be from us.
- 20:07 EDT (00:07 UTC): Ana shares what she found.

### 2024-07-28 Sunday
- 06:34 EDT (10:34 UTC): Bo fills in another form.

### 2024-07-29 Monday
- 08:57 EDT (12:57 UTC): Cleo sees the comments
""",
        _at("2024-08-05T12:00"),
        "America/New_York",
        "2024-07-27 17:14 2024-07-28 00:07 10:34 2024-07-29 12:57",
    ),
    Timeline(
        "day first with dashes, and the zone in the heading",
        """## Timeline

#### 29-09-2021 (All times CEST)

- 15:46 **ROOT CAUSE** — **the driver was switched**.

### 03-10-2021 (All times CEST)

- 02:17 **OUTAGE BEGINS** — a message about timeouts
- 19:16 **OUTAGE BEGINS** — the same by hand

### 06-10-2021 (All times CEST)

- 14:36 **MITIGATED**, deployed a new machine.
""",
        _at("2021-11-15T12:00"),
        "UTC",
        "2021-09-29 13:46 2021-10-03 00:17 17:16 2021-10-06 12:36",
    ),
    Timeline(
        "a note on the day of all that is not dated",
        """Unless otherwise noted all events happened on 2024-10-21, and all times are in
UTC.

- **2024-10-20 00:55: builds started failing**
- **01:38: alerts fired for the site, [ana]
  (backup contact) got paged**
- 01:39: [bo] joins
- **19:27: the builds are finished**

[ana]: https://example.com/ana
""",
        _at("2024-10-24T12:00"),
        "Europe/Rome",
        "2024-10-20 00:55 2024-10-21 01:38 01:39 19:27",
    ),
    Timeline(
        "times as headings over paragraphs, under days without a year",
        """# Incident report May 12 2025 - the lake is slow

## Timeline

_All times in EEST_

## May 12

### 20:15

A ticket says that servers take >15min to start

### 22:00
Ana reports that the issue still persists:

```
tornado.web.HTTPError: HTTP 404: Not Found
```

### 23:00

Bo starts looking.

## 13 May

### 14:30

The issue is found.

However, a page showed a high load.

### 11:39AM

Said late.
""",
        _at("2025-05-20T12:00"),
        "America/New_York",
        "2025-05-12 17:15 19:00 20:00 2025-05-13 11:30 08:39",
    ),
    Timeline(
        "updates with date and time as headings, the latest first",
        """## Aktualisierungen

Durch eine Störung ist die Anmeldung nicht möglich.

### Update 27.08.2022 10:00 Uhr:

Die Tests waren erfolgreich.

### Update 26.08.2022 18:00 Uhr:

Heute wurden **zwei Wege** probiert.
Zuerst wurden Teile geprüft.

1. Es läuft ein Check.
2. Danach folgt die Freigabe.

### Update 25.08.2022 07:00 Uhr:

Der Dienst ist nicht verfügbar.
""",
        _at("2022-08-28T12:00", "Europe/Berlin"),
        "Europe/Berlin",
        "2022-08-27 08:00 2022-08-26 16:00 2022-08-25 05:00",
        "de-DE",
    ),
    Timeline(
        "a table with a column of weekdays",
        """## Timeline (all times PT )

| Day | Date (2021) | Time (PT) | Event |
|-----|-------------|-----------|-------|
| Sun | Oct 31 | 21:33 | A user asks in the forum.
| Sun | Oct 31 | 21:34 | Ana looks into it |
| Mon | Nov 1 | 17:00 | Bo sets up a new machine |
""",
        _at("2022-03-02T20:00"),
        "UTC",
        "2021-11-01 04:33 04:34 2021-11-02 00:00",
    ),
    Timeline(
        "zone, weekday and date behind the time, in summer with the winter's name",
        """## Timeline (all times PST ) Saturday Oct 30th 2021 - Monday Nov 1st, 2021. All times approximations

12:45 PM PST Saturday Oct 30th: The first wave begins

23:00 AM MST Saturday Oct 30th: The pool is empty again.
""",
        _at("2021-11-05T12:00", "America/Los_Angeles"),
        "America/Los_Angeles",
        "2021-10-30 * *",
    ),
    Timeline(
        "a chat as it is copied in Japanese",
        """3月4日(水)
監視アプリ  14:05
接続数が上限に達しました
佐藤  14:07
再起動します
14:09
再起動しました
監視アプリ  14:12
回復しました
""",
        _at("2026-03-05T12:00", "Asia/Tokyo"),
        "Asia/Tokyo",
        "2026-03-04 05:05 05:07 05:09 05:12",
        "ja-JP",
    ),
)
