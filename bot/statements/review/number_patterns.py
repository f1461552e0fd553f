"""The patterns by which numbers, dates and times are found, in the order in which they are tried.

All are bounded and run on folded text. ``named()`` gives ``(name, pattern)``; ``numbers`` reads what each one found.
"""

import re
from collections.abc import Iterable
from functools import cache

from bot.statements.review.rules import data

CJK = "零〇一二两三四五六七八九十百千万亿"
_DIGITS_AND_TENS = CJK[:-4]
_SMALL = rf"(?:\d{{1,2}}|[{_DIGITS_AND_TENS}]{{1,3}})"
_YEAR = r"(?:19|20|21)\d\d"
_CIRCLED = "①②③④⑤⑥⑦⑧⑨⑩"
_HALF = (
    r"(?:(凌晨|清晨|早上|早晨|早|上午|中午|午间|下午|午后|傍晚|晚上|晚间|今晚|当晚|昨晚|明晚|晚|夜间|夜里|深夜)\s?)?"
)
_NUMBER = r"(?<![\d.])(\d{1,3}(?:[,，]\d{3}){1,5}(?!\d)(?:\.\d{1,6})?|\d{1,18}(?:\.\d{1,6})?)"
_AM_PM = r"(a\.?m\b\.?|p\.?m\b\.?)"

# Digits as people dial them: +86 10 8888 8888, 400-820-1234, 010-88888888, 13800000000, (555) 010-1234.
PHONE = re.compile(
    r"(?<![a-z0-9_.-])(?:\+\d{1,3}[ -]?)?(?:\(0?\d{2,4}\)[ -]?)?"
    r"(?:1[- ]\d{3}[- ]\d{3}[- ]\d{4}|"
    r"1[3-9]\d{9}|1[3-9]\d[ -]\d{4}[ -]\d{4}|[48]00[- ]?\d{3,4}[- ]?\d{3,4}(?:-\d{1,5})?|"
    r"0\d{2,3}[- ]?\d{7,8}(?:-\d{1,5})?|\d{2,4}(?:[ -]\d{3,4}){1,3})(?![a-z0-9_-]|\.\d)"
    r"|(?<![a-z0-9_.])\+\d{8,15}(?!\d)",
    re.ASCII,
)

# What looks like a number and is none: links, addresses, laws, ordinals, names with a number, hours of service.
LEFT_ALONE = tuple(
    re.compile(pattern, re.MULTILINE | re.ASCII)
    for pattern in (
        r"(?:https?:|www\.)[!-~]{1,400}",
        r"[a-z0-9._%+-]{1,64}@[a-z0-9.-]{1,120}",
        r"《[^》\n]{1,60}》",
        r"[〔\[(（]\d{4}[〕\])）]\s?(?:第\s?)?\d{1,5}\s?号",
        rf"第\s?(?:\d{{1,4}}|[{CJK}]{{1,7}})\s?[条款项届次章节方期季]?",
        r"(?:article|section|chapter|paragraph|clause|art\.)\s\d{1,4}(?:\(\d{1,3}\))*",
        r"\d{1,3}(?:st|nd|rd|th)\b(?!\s(?:of\s)?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec))",
        r"\b(?:cve|iso|iec|gb|gb/t|yy/t)[ -]?[\d.:-]{2,20}",
        rf"^[ \t]*(?:\d{{1,2}}[.、)）．]|[(（]\d{{1,2}}[)）]|[{_CIRCLED}]|[一二三四五六七八九十]{{1,3}}[、.．])(?!\d)",
        r"(?<=[.;:。；：] )\d{1,2}[.、)](?= )",
        r"[(（][一二三四五六七八九十\d]{1,2}[)）]",
        PHONE.pattern,
        r"7\s?[×x*]\s?24(?:\s?小时)?|24/7|(?<![\d.])24[- ]hour\b",
        r"(?<![\d.])24\s?小时(?=[\u4e00-\u9fff]{0,4}(?:热线|电话|客服|值班|值守|服务|在线|专线|开通))",
        r"(?<=\d)\s?(?:[(×x]\s?)?10k (?:cny|rmb|yuan)\b",
        r"\b(?:q|fy|h)[1-4]\b|[一二三四]季度",
        r"\b[a-z]{1,12}[-_]?\d{1,8}[a-z0-9._-]{0,30}",
        r"(?<![\d.])\d{1,2}g(?:网络|基站|信号|套餐|用户)?\b",
        r"(?:周|星期|礼拜)[一二三四五六日天]",
        r"[这近前头]\s?(?:两|几|2|3|三)天|\b(?:these|the last|past) (?:two|few|couple of) days\b",
        r"一点|十分(?!钟)|万一|千万(?![元人用美条])|万分|百般|千方百计|千家万户|万无一失|三方|一旦|一同|二手|三令五申",
    )
)


@cache
def named() -> tuple[tuple[str, re.Pattern[str]], ...]:
    words = data("numbers.yaml")
    units = [unit for listed in words["units"].values() for unit in listed]
    cjk_units = _any(unit for unit in units if not unit.isascii() or unit == "%")
    latin_units = _any(unit for unit in units if unit.isascii() and unit != "%")
    scales, months, number_words = _any(words["scales"]), _any(words["months"]), _any(words["words"])
    cjk_structure = _any(item for item in words["structure"] if not item.isascii())
    latin_structure = _any(item for item in words["structure"] if item.isascii())
    oclock = (
        r"(?:时(?![间候刻长代期段空])|点(?=钟|半|整|前|后|左右|起|至|到|许|[\d一二三四五])|点(?![\u4e00-\u9fff])"
        rf"|(?<=[午晚晨]\d)点|(?<=[午晚晨]\d\d)点|(?<=[午晚晨][{_DIGITS_AND_TENS}])点)"
    )
    written = (
        ("iso", rf"(?<!\d)({_YEAR})\s?[-/.]\s?(\d{{1,2}})\s?[-/.]\s?(\d{{1,2}})(?!\d)"),
        ("cjk_date", rf"(?:({_YEAR}|[二〇零一三四五六七八九]{{4}})\s?年\s?)?({_SMALL})\s?月(?!内)"
                     rf"\s?(?:({_SMALL})\s?[日号]?)?"),
        ("day_month", rf"(?<!\d)({_SMALL})\s?(?:st|nd|rd|th)?\s(?:of\s)?({months})\b\.?,?(?:\s({_YEAR}))?"),
        ("month_day", rf"\b({months})\.?\s(\d{{1,2}})(?:st|nd|rd|th)?\b(?:,?\s({_YEAR}))?(?!\s?[:.]\d)"),
        ("month_year", rf"\b({months})\s({_YEAR})\b"),
        ("clock", rf"{_HALF}(?<![\d.])(\d{{1,2}})[:：](\d\d)(?:[:：]\d\d)?(?!\d)\s?{_AM_PM}?"),
        ("noon", r"\b(?:noon|midday|midnight)\b"),
        ("english_clock", rf"(?<![\d.])(\d{{1,2}})(?:[.:](\d\d))?\s?{_AM_PM}"),
        ("cjk_clock", rf"{_HALF}(?<!\d)({_SMALL})\s?{oclock}(?:钟|许)?\s?(?:(半|一刻|三刻|{_SMALL})\s?分?)?"),
        ("version", r"(?<![\d.])\d{1,4}(?:\.\d{1,4}){2,3}(?![\d.])"),
        ("cjk_percent", rf"百分之([{CJK}]{{1,5}}|\d{{1,3}})"),
        ("structure", rf"(?<!\d)(?:\d{{1,2}}|[{_DIGITS_AND_TENS}]{{1,2}})\s?个?(?:{cjk_structure})"
                      r"(?!钟|半|整|前|后|左右|\d)"),
        ("structure", rf"\b(?:\d{{1,2}}|{number_words})\s(?:[a-z]{{1,20}}\s)?(?:{latin_structure})\b"),
        ("money", rf"(?:[$€£¥]|us\$|(?:rmb|usd|cny|eur|hk\$)\s?)\s?{_NUMBER}\s?(?:({scales})(?![a-z]))?"),
        ("year", rf"(?<!\d)({_YEAR})\s?年(?!内|以上|期)"),
        ("day", rf"(?<!\d)({_SMALL})[日号](?![内前间常用志程报均])"),
        ("measure", rf"{_NUMBER}\s?(余|多|几)?\s?(?:({scales})(?![a-z]))?\s?(余|多)?"
                    rf"(?:[ -]?(?:({cjk_units})|({latin_units})\b))?"),
        ("cjk_measure", rf"([{CJK}]{{1,9}})\s?(余|多|几)?\s?(?:({cjk_units}))"),
        ("english_measure", rf"\b({number_words})(?:\s(hundred|thousand|million|billion))?[ -]({latin_units})\b"),
    )  # fmt: skip
    return tuple((name, re.compile(pattern, re.ASCII)) for name, pattern in written)


@cache
def number_word() -> re.Pattern[str]:
    return re.compile(rf"\b(?:noon|midday|midnight|{_any(data('numbers.yaml')['words'])})\b", re.ASCII)


def _any(words: Iterable[str]) -> str:
    """One of several words, the longer first."""
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
