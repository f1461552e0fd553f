"""Documents of blocks as a page and as PDF."""

import asyncio
import base64
import shutil
import subprocess
from pathlib import Path

from bot.reports import document_pdf
from bot.reports.document import Block, Writer
from bot.reports.document_html import page
from tests.conftest import missing

HOSTILE = "<script>alert(1)</script> & \"quotes\" '单引号'"
PIXEL = base64.b64encode(
    base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
).decode()


def everything() -> list[Block]:
    to = Writer("zh-CN")
    to.add("title", "周报")
    to.add("mark", "演练")
    to.add("subtitle", HOSTILE)
    to.add("heading", "数字")
    to.add(
        "figures",
        rows=[("声量", "1,204", "上期 800"), ("负面占比", "—", "没有数据"), ("事件", "2", ""), ("四", "4", "")],
    )
    to.picture(PIXEL, "声量与情绪")
    to.picture("", "没有图")
    to.add(
        "items", rows=[(HOSTILE, "javascript:alert(1)"), ("I-12", "/?incident=I-12"), ("外链", "https://a.example/b")]
    )
    to.add("table", rows=[("事件", "说明"), *[(f"I-{number}", HOSTILE) for number in range(80)]])
    return to.blocks


def test_what_people_wrote_is_shown_and_never_run() -> None:
    shown = page(everything(), "zh-CN").decode()
    assert "<script>" not in shown and shown.count("&lt;script&gt;") >= 80
    assert 'href="javascript' not in shown, "an address that is none stays words"
    assert 'href="/?incident=I-12"' in shown and 'href="https://a.example/b"' in shown
    assert shown.count("<img ") == 1 and f"base64,{PIXEL}" in shown


def test_the_paper_has_the_mark_on_every_page_and_long_tables_go_on(tmp_path: Path) -> None:
    made = asyncio.run(document_pdf.make(everything(), "zh-CN", "brief", b"", 1_767_578_400_000))
    assert made.startswith(b"%PDF")
    if shutil.which("pdftotext") is None:
        missing("pdftotext is not installed")
    file = tmp_path / "x.pdf"
    file.write_bytes(made)
    text = subprocess.run(["pdftotext", "-layout", str(file), "-"], check=True, capture_output=True).stdout.decode()
    pages = [one for one in text.split("\f") if one.strip()]
    assert len(pages) > 1 and all("演练" in one for one in pages)
    assert "I-79" in text and "1,204" in text and "https://a.example/b" in text
