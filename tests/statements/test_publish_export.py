"""The approval file: everything an auditor asks, true to the store, as a page and as a PDF that can be read."""

import hashlib
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from publish_scene import BODY, TITLE, scene

from bot.clock import MINUTE
from bot.model.statement import Finding, Severity, Version
from bot.model.text import Text
from bot.reports import document_html, document_pdf
from bot.reports.document import Block
from bot.statements import export
from bot.statements.approval_file import ApprovalFile, FileEvent, FileOverride, FileVersion, FileVote, Proof
from bot.statements.export import document
from bot.statements.wording import changes
from bot.store import audit
from tests.conftest import missing

HOSTILE = "<script>alert(1)</script> {{ 7*7 }} & שלום 😀\r\n末行"


async def file_of(it: Any, body: str = BODY) -> ApprovalFile:
    """A statement of two versions, published to the media, as its file."""
    statement, version = it.statement("media", body=body)
    it.begin(statement, version)
    await it.pass_time(MINUTE)
    first = Version("S-1", 1, "media", "zh-CN", TITLE, "各位用户：\n\n今天提现较慢。", "", "", "system", it.now)
    why, mend = Text("plain", {"text": "没有下次说明时间"}), Text("plain", {"text": "补上时间"})
    finding = Finding("next_update", Severity.WARN, 3, 5, "较慢", why, mend)

    def read(db: Any) -> ApprovalFile:
        return ApprovalFile(
            statement, "星河支付 · 提现困难", (FileVersion(first, (finding,)), FileVersion(version)), version.digest,
            Proof(tuple(audit.about(db, "S-1")), audit.length(db), audit.verify(db)), it.now,
            votes=(FileVote("赵磊", ("legal",), "yes", version.digest, "wecom", it.now, "可以"),
                   FileVote("陈静", ("pr_head",), "no", first.digest, "slack", it.now, "太冷")),
            overrides=(FileOverride(finding.key, "陈静", "公司惯例", it.now, 1, "pr_head"),),
            events=(FileEvent(it.now, Text("plain", {"text": "请求审批"}), "李娜", "slack"),),
            publication=it.publishing.publication(db, "S-1"), receipts=tuple(it.publishing.receipts(db, "S-1")),
        )  # fmt: skip

    return it.house.look(read)  # type: ignore[no-any-return]


def words_of(blocks: list[Block]) -> str:
    return "\n".join(block.text + "\n" + "\n".join(" | ".join(row) for row in block.rows) for block in blocks)


@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_the_file_holds_text_digest_votes_findings_overrides_receipts_and_the_chain(
    tmp_path: Path, language: str
) -> None:
    async with scene(tmp_path) as it:
        file = await file_of(it)
        blocks = document(file, language)
        text = words_of(blocks)
        assert BODY in text and file.approved in text and "赵磊" in text and "太冷" in text and "公司惯例" in text
        assert "https://news.corp.example/2026" in text and "没有下次说明时间" in text
        for row in file.proof.rows:
            assert row.digest in text and row.previous in text
        assert file.proof.rows and file.proof.broken_at is None
        sealed = next(block.text for block in blocks if block.kind == "code")
        assert hashlib.sha256(sealed.encode()).hexdigest() == file.approved, "anybody can compute it again"
        assert ("逐字相同" if language == "zh-CN" else "bit for bit") in text
        assert [Block.from_json(block.to_json()) for block in blocks] == blocks


async def test_a_broken_chain_and_another_text_are_said(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        file = await file_of(it)
        broken = replace(file, proof=replace(file.proof, broken_at=3), approved="0" * 64)
        text = words_of(document(broken, "zh-CN"))
        assert "第 3 条起被改动" in text and "不一致" in text and "尚未审批通过" in text


async def test_the_page_runs_nothing_and_shows_hostile_words_as_they_are(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        file = await file_of(it, HOSTILE)
        page = document_html.page(document(file, "zh-CN"), "zh-CN").decode()
        assert "<script" not in page and "&lt;script&gt;alert(1)&lt;/script&gt;" in page and "{{ 7*7 }}" in page
        assert "&#13;" in page and "<ins>" in page and "<del>" in page
        assert "<style>" in page and "http-equiv" not in page
        linked = document_html.page(document(file, "en"), "en", style="/s.css", pdf="/statements/S-1.pdf").decode()
        assert "<style>" not in linked and 'href="/statements/S-1.pdf"' in linked


@given(st.text(max_size=200), st.text(max_size=200))
def test_a_difference_loses_nothing_of_either_text(old: str, new: str) -> None:
    parts = differences(old, new)
    assert "".join(words for mark, words in parts if mark != "+") == old
    assert "".join(words for mark, words in parts if mark != "-") == new


def differences(old: str, new: str) -> list[tuple[str, str]]:
    return [(export.MARKS[piece.kind], piece.text) for piece in changes(old, new)]


def test_a_difference_is_by_word_and_by_chinese_character() -> None:
    changed = [("=", "到账 "), ("-", "18:00"), ("+", "20:00"), ("=", " 前")]
    assert differences("到账 18:00 前", "到账 20:00 前") == changed
    assert differences("资金安全", "资金很安全") == [("=", "资金"), ("+", "很"), ("=", "安全")]
    long = "甲\n" * 30_000
    assert differences(long, long + "乙") == [("=", long), ("+", "乙")]


def pdf_text(made: bytes, folder: Path) -> str:
    if shutil.which("pdftotext") is None:
        missing("pdftotext is not installed")
    (folder / "x.pdf").write_bytes(made)
    done = subprocess.run(["pdftotext", "-layout", str(folder / "x.pdf"), "-"], capture_output=True, check=True)
    return done.stdout.decode()


def attachment(folder: Path) -> bytes:
    """What is attached to the PDF in the folder."""
    if shutil.which("pdfdetach") is None:
        missing("pdfdetach is not installed")
    subprocess.run(["pdfdetach", "-saveall", "-o", str(folder), str(folder / "x.pdf")], check=True)
    return (folder / "S-1.json").read_bytes()


async def test_the_pdf_shows_chinese_and_carries_the_sealed_bytes(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        file = await file_of(it, HOSTILE)
        sealed = file.text.sealed
        made = await document_pdf.make(document(file, "zh-CN"), "zh-CN", "S-1", sealed, it.now)
        assert made.startswith(b"%PDF") and len(made) < 1_000_000
        text = pdf_text(made, tmp_path)
        assert "审批档案 S-1" in text and "末行" in text and "[U+1F600]" in text and "<script>alert(1)</script>" in text
        attached = attachment(tmp_path)
        assert attached == sealed and hashlib.sha256(attached).hexdigest() == file.approved
        assert orjson.loads(attached)[-1] == HOSTILE


async def test_a_pdf_that_cannot_be_made_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(document_pdf.PdfFailed):
        await document_pdf.make([Block("table", rows=())], "zh-CN", "S-1", b"[]", 0)
