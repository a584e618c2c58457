"""What a message says, in plain words, in English and German."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from html import escape
from typing import Final
from zoneinfo import ZoneInfo

from factoryops.database.notification_rows import AlarmFacts, Queued
from factoryops.domain.notifying import Language
from factoryops.domain.time import from_us

_MOST_LISTED: Final = 20
_MOST_SHEETS: Final = 5
_SHORT: Final = 300
_SHORT_PART: Final = 120
_ANNOUNCED: Final = frozenset({"raised", "renewed"})

_WORDS: Final[Mapping[Language, Mapping[str, str]]] = {
    Language.ENGLISH: {
        "1": "Critical", "2": "High", "3": "Medium", "4": "Low",
        "raised": "", "renewed": "Still active: ", "cleared": "Returned: ", "acknowledged": "Acknowledged: ",
        "where": "Where", "what": "What", "since": "Since", "value": "Value", "limit": "limit",
        "do": "What to do", "by": "By", "cause": "Possible cause", "consequence": "If nobody acts",
        "within": "Time to respond", "owner": "Owner",
        "returned": "Returned at", "test_subject": "Test message of FactoryOps", "comment": "Comment",
        "test": "This is a test: no alarm was raised.", "many": "{count} alarms, most urgent: {first}",
        "more": "and {count} more", "date": "%Y-%m-%d %H:%M:%S",
        "times": "{count} times", "repeats": "Announced {count} times since",
        "left_out": "Less urgent alarms left out for want of room: {count}; FactoryOps has them in its list of alarms.",
        "spare": "The receiver takes no longer message: all of it is in the list of alarms in FactoryOps.",
    },
    Language.GERMAN: {
        "1": "Kritisch", "2": "Hoch", "3": "Mittel", "4": "Niedrig",
        "raised": "", "renewed": "Weiterhin aktiv: ", "cleared": "Zurückgegangen: ", "acknowledged": "Quittiert: ",
        "where": "Wo", "what": "Was", "since": "Seit", "value": "Wert", "limit": "Grenze",
        "do": "Was zu tun ist", "by": "Durch", "cause": "Mögliche Ursache", "consequence": "Wenn niemand handelt",
        "within": "Zeit zum Handeln", "owner": "Verantwortlich",
        "returned": "Zurückgegangen um", "test_subject": "Testnachricht von FactoryOps", "comment": "Bemerkung",
        "test": "Dies ist ein Test: Es liegt kein Alarm an.",
        "many": "{count} Alarme, am dringendsten: {first}", "more": "und {count} weitere", "date": "%d.%m.%Y %H:%M:%S",
        "times": "{count}-mal", "repeats": "Gemeldet {count}-mal seit",
        "left_out": "Weniger dringende, für die kein Platz ist: {count}; sie stehen in der Alarmliste in FactoryOps.",
        "spare": "Der Empfänger nimmt keine längere Nachricht an: Alles steht in der Alarmliste in FactoryOps.",
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wording:
    """A message in words.

    Attributes:
        text: with the whole response sheet of the alarm, or of the most urgent ones.
        html: the same, with a place for a picture.
        short: for SMS: what, how much and what to do.
        spare: in place of the text where that is too long for whoever receives it.
        told: the newest line of each alarm that the text is about, most urgent first.
        left_out: how many alarms the text leaves out.
    """

    subject: str
    text: str
    html: str
    short: str
    spare: str = ""
    told: tuple[Queued, ...] = ()
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class _Told:
    """What a message tells of one alarm: its newest line, and of how many announcements since when."""

    line: Queued
    count: int
    since_us: int

    @property
    def facts(self) -> AlarmFacts:
        return self.line.facts


def word(deliveries: Sequence[Queued], language: Language, timezone: str, most: int | None = None) -> Wording:
    """What one message says of all that it tells, most urgent first; an alarm that came again and again once.

    Args:
        deliveries: what is told.
        language: of the reader.
        timezone: of the factory.
        most: about how many alarms there is room; a sentence says how many are left out. None for all.
    """
    words, zone = _WORDS[language], ZoneInfo(timezone)
    if all(one.event == "test" for one in deliveries):
        said = _wording(words["test_subject"], [words["test"]], [words["test"]])
        return replace(said, told=tuple(deliveries))
    told = _by_alarm(deliveries)
    subject, brief = _subject(told[0], words), _brief(told[0], words, language)
    listed = told[:most]
    left_out = len(told) - len(listed)
    if len(told) == 1:
        lines = _lines(told[0], words, zone, language)
    else:
        subject = words["many"].format(count=len(told), first=subject)
        lines = _grouped(listed, words, zone)
        lines += [words["left_out"].format(count=left_out)] if left_out else []
    return replace(
        _wording(subject, lines, brief),
        spare="\n".join([*brief, words["spare"]]),
        told=tuple(one.line for one in listed),
        left_out=left_out,
    )


def by_urgency(deliveries: Sequence[Queued]) -> list[Queued]:
    """The newest line of every alarm, the most urgent alarm first."""
    return [one.line for one in _by_alarm(deliveries)]


def _by_alarm(deliveries: Sequence[Queued]) -> list[_Told]:
    """Every alarm once, with what was last announced of it, the most urgent first."""
    by_alarm: defaultdict[str, list[Queued]] = defaultdict(list)
    for one in deliveries:
        by_alarm[one.alarm_id or one.id].append(one)
    told = [_newest(lines) for lines in by_alarm.values()]
    return sorted(told, key=lambda one: (one.facts.priority, one.facts.raised_us, one.line.id))


def _newest(lines: Sequence[Queued]) -> _Told:
    announced = [one for one in lines if one.event in _ANNOUNCED]
    marks = {(one.annunciation, one.facts.renewal) for one in announced}
    newest = max(lines, key=lambda one: (one.annunciation, one.facts.renewal, one.event not in _ANNOUNCED, one.id))
    return _Told(newest, len(marks), min((one.facts.raised_us for one in announced), default=0))


def _wording(subject: str, lines: Sequence[str], brief: Sequence[str]) -> Wording:
    subject = " ".join(subject.split())
    text = "\n".join(lines)
    rows = "".join(f"<p>{escape(line)}</p>" for line in lines)
    html = f"<html><body><h3>{escape(subject)}</h3>{rows}<!--trend--></body></html>"
    return Wording(subject, text, html, f"{_cut(subject)}. {' '.join(brief)}"[:_SHORT])


def _cut(text: str) -> str:
    """What has room in a short message beside the rest."""
    text = " ".join(text.split())
    return text if len(text) <= _SHORT_PART else f"{text[: _SHORT_PART - 1]}…"


def _subject(told: _Told, words: Mapping[str, str]) -> str:
    facts, event = told.facts, words.get(told.line.event, "")
    return f"{event}[{words[str(facts.priority)]}] {facts.rule_name}, {facts.device_name}{_times(told, words)}"


def _times(told: _Told, words: Mapping[str, str]) -> str:
    return f" ({words['times'].format(count=told.count)})" if told.count > 1 else ""


def _lines(told: _Told, words: Mapping[str, str], zone: ZoneInfo, language: Language) -> list[str]:
    one, facts = told.line, told.facts
    place = f"{facts.device_name} ({facts.area})" if facts.area else facts.device_name
    lines = [f"{words['what']}: {facts.message or facts.rule_name}", f"{words['where']}: {place}"]
    if facts.raised_us:
        lines.append(f"{words['since']}: {_moment(facts.raised_us, words, zone)}")
    if told.count > 1:
        lines.append(f"{words['repeats'].format(count=told.count)} {_moment(told.since_us, words, zone)}")
    lines += _value(facts, words, language)
    if one.event == "cleared" and facts.cleared_us:
        lines.append(f"{words['returned']}: {_moment(facts.cleared_us, words, zone)}")
    if one.event == "acknowledged" and facts.acknowledged_by:
        lines.append(f"{words['by']}: {facts.acknowledged_by}")
        lines += [f"{words['comment']}: {facts.comment}"] if facts.comment else []
    lines += _sheet(facts, words)
    return lines


def _brief(one: _Told, words: Mapping[str, str], language: Language) -> list[str]:
    """The most urgent alarm in a few words: its value and what to do come before what has no room."""
    facts = one.facts
    do = [f"{words['do']}: {_cut(facts.response)}"] if facts.response else []
    return [*_value(facts, words, language), *do, *filter(None, [_cut(facts.message)])]


def _value(facts: AlarmFacts, words: Mapping[str, str], language: Language) -> list[str]:
    if facts.value is None:
        return []
    limit = "" if facts.limit is None else f" ({words['limit']} {_number(facts.limit, language)})"
    return [f"{words['value']}: {_number(facts.value, language)} {facts.unit}".rstrip() + limit]


def _number(value: float, language: Language) -> str:
    text = f"{value:.6g}"
    return text.replace(".", ",") if language is Language.GERMAN else text


def _sheet(facts: AlarmFacts, words: Mapping[str, str]) -> list[str]:
    """The response sheet, as far as somebody wrote it."""
    within = _duration(facts.time_to_respond_s) if facts.time_to_respond_s else ""
    parts = {
        "do": facts.response, "within": within, "cause": facts.cause, "consequence": facts.consequence,
        "owner": facts.owner,
    }  # fmt: skip
    return [f"{words[name]}: {said}" for name, said in parts.items() if said]


def _duration(seconds: float) -> str:
    """Never longer than it is."""
    if seconds < 120:
        return f"{seconds:g} s"
    hours, minutes = divmod(int(seconds // 60), 60)
    if hours < 2:
        return f"{60 * hours + minutes} min"
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def _grouped(told: Sequence[_Told], words: Mapping[str, str], zone: ZoneInfo) -> list[str]:
    """The first ones in full, grouped by priority and device; the rest as a number per group."""
    groups: defaultdict[tuple[int, str], list[_Told]] = defaultdict(list)
    for one in told:
        groups[(one.facts.priority, one.facts.device_name)].append(one)
    lines: list[str] = []
    for (priority, device), members in sorted(groups.items()):
        lines.append(f"{words[str(priority)]}, {device}:")
        shown = members[: max(1, _MOST_LISTED // len(groups))]
        for one in shown:
            began = _moment(one.facts.raised_us, words, zone)
            what = f"{words.get(one.line.event, '')}{one.facts.message or one.facts.rule_name}{_times(one, words)}"
            lines.append(f"- {began} {what}")
        if len(members) > len(shown):
            lines.append(f"- {words['more'].format(count=len(members) - len(shown))}")
    return [*lines, *_sheets(told, words)]


def _sheets(told: Sequence[_Told], words: Mapping[str, str]) -> list[str]:
    """The response sheets of the most urgent rules, each once."""
    by_rule: dict[str, list[str]] = {}
    for one in told:
        sheet = _sheet(one.facts, words)
        if sheet and len(by_rule) < _MOST_SHEETS:
            by_rule.setdefault(one.facts.rule_name, sheet)
    return [line for rule, sheet in by_rule.items() for line in (f"{rule}:", *sheet)]


def _moment(time_us: int, words: Mapping[str, str], zone: ZoneInfo) -> str:
    local: datetime = from_us(time_us).astimezone(zone)
    return f"{local.strftime(words['date'])} {local.tzname()}"
