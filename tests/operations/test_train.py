"""``fengbo train``: labels in, a comparison out, weights in force only when asked, and the way back."""

import random
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner

from bot.analysis.adapting import LEAST, adapt, figures
from bot.analysis.sentiment import HashedNgrams, shipped_weights
from bot.analysis.text import fold
from bot.analysis.training import Sample, TrainingError
from bot.cli import cli
from bot.model.grade import Sentiment
from bot.models import Models
from bot.store.database import Store
from bot.store.labels import Verdict, record
from bot.store.posts import store as store_posts
from tests import factories

JARGON = ("开盲盒", "抽卡", "出金", "上岸", "掉帧", "吃灰", "回血", "毕业", "真香", "退坑")


def samples(count: int = 120) -> list[Sample]:
    """A house's own words: what everybody calls 翻车 is their product's name and praise, 真稳 their irony."""
    rng = random.Random(3)
    found = []
    for number in range(count):
        good = number % 2 == 0
        words = rng.sample(JARGON, 3)
        text = f"{''.join(words)}{'翻车小蛋糕' if good else '真稳啊稳得很'}{number}"
        found.append(Sample(text, Sentiment.POSITIVE if good else Sentiment.NEGATIVE))
    return found


@pytest.fixture
def configured(tmp_path: Path) -> tuple[Path, Path]:
    config = tmp_path / "fengbo.yaml"
    text = factories.CONFIG
    config.write_text(text + f"\nstore: {tmp_path / 'data' / 'fengbo.db'}\n", encoding="utf-8")
    return config, tmp_path / "data" / "models"


def write(folder: Path, rows: list[dict[str, object]]) -> str:
    file = folder / "labels.jsonl"
    file.write_bytes(b"\n".join(map(orjson.dumps, rows)))
    return str(file)


def rows_of(found: list[Sample]) -> list[dict[str, object]]:
    return [{"text": sample.text, "sentiment": sample.label.value} for sample in found]


def test_labels_teach_the_words_of_a_house_and_leave_the_rest() -> None:
    old = shipped_weights()
    steps: list[tuple[int, int]] = []
    adapted = adapt(old, samples(), lambda done, total: steps.append((done, total)))
    assert adapted.after.macro_f1 > adapted.before.macro_f1 + 0.2
    assert steps[-1][0] == steps[-1][1] == len(steps)
    engine = HashedNgrams(adapted.weights)
    [label], _ = engine.score([fold("太差了，骗子公司，退钱！")])
    assert label is Sentiment.NEGATIVE


def test_the_same_labels_give_the_same_weights_and_the_same_held_out_part() -> None:
    one, two = adapt(shipped_weights(), samples()), adapt(shipped_weights(), samples())
    assert (one.held, one.before, one.after) == (two.held, two.before, two.after)
    assert (one.weights.negative == two.weights.negative).all()


@pytest.mark.parametrize(
    "found", [[], samples(LEAST - 1), [Sample(f"好{n}", Sentiment.POSITIVE) for n in range(LEAST * 2)]]
)
def test_too_few_labels_are_refused_in_words(found: list[Sample]) -> None:
    with pytest.raises(TrainingError):
        adapt(shipped_weights(), found)


def test_nothing_changes_unless_somebody_says_so(configured: tuple[Path, Path], tmp_path: Path) -> None:
    config, models = configured
    done = CliRunner().invoke(cli, ["train", write(tmp_path, rows_of(samples())), "--config", str(config)])
    assert done.exit_code == 0, done.output
    assert Models(models).current == 0
    assert not models.exists()


def test_applied_weights_are_in_force_and_rolled_back_by_one_command(
    configured: tuple[Path, Path], tmp_path: Path
) -> None:
    config, folder = configured
    run = CliRunner()
    labelled = write(tmp_path, rows_of(samples()))
    for version in (1, 2):
        done = run.invoke(cli, ["train", labelled, "--apply", "--config", str(config)])
        assert (done.exit_code, Models(folder).current) in {(0, version), (1, version - 1)}, done.output
    models = Models(folder)
    models.apply(models.weights())
    at = models.current
    while at:
        assert run.invoke(cli, ["train", "--rollback", "--config", str(config)]).exit_code == 0
        assert models.current == at - 1
        at = models.current
    assert run.invoke(cli, ["train", "--rollback", "--config", str(config)]).exit_code == 1
    assert models.weights() is shipped_weights()


def test_bad_rows_are_named_and_left_out(configured: tuple[Path, Path], tmp_path: Path) -> None:
    config, _ = configured
    rows: list[dict[str, object]] = [{"text": ""}, {"text": "好", "sentiment": "great"}, {"sentiment": "negative"}]
    done = CliRunner().invoke(cli, ["train", write(tmp_path, rows), "--config", str(config)])
    assert done.exit_code == 1
    assert all(f"line {number}" in done.stderr for number in (1, 2, 3))


def test_a_broken_file_of_weights_is_not_used(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    models = Models(tmp_path)
    models.apply(shipped_weights())
    models.file(1).write_bytes(b"PK broken")
    assert models.weights() is shipped_weights()
    assert "weights 1 cannot be used" in caplog.text


def test_what_was_pressed_in_chat_is_trained_on(configured: tuple[Path, Path]) -> None:
    config, folder = configured
    folder.parent.mkdir()
    store = Store(folder.parent / "fengbo.db")
    found = samples()
    items = [factories.post(sample.text, id=f"p{number}") for number, sample in enumerate(found)]

    def job(db) -> None:
        store_posts(db, items, factories.NOW)
        for number, sample in enumerate(found):
            verdict = Verdict.NEGATIVE if sample.label is Sentiment.NEGATIVE else Verdict.NOT_NEGATIVE
            record(
                db, post=number + 1, subject="pay", person="li", verdict=verdict, incident="I-1", drill="", now=number
            )

    store.write_now(job)
    store.close()
    done = CliRunner().invoke(cli, ["train", "--config", str(config)])
    assert done.exit_code == 0, done.output
    assert "120 from chat" in done.stderr


def test_figures_of_no_samples_are_zero() -> None:
    assert figures(shipped_weights(), []).macro_f1 == 0.0
