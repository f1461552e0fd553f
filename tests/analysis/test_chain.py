"""Parents found in quotation chains, as Weibo writes them into a repost."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bot.analysis.cascade import Item, grow, shape
from bot.analysis.chain import MOST_LINKS, Link, Quoting, parse, rebuild

ROOT = Item("r", None, 0, "u0", "爆料人", 90_000)
SOURCE = Quoting(ROOT, "求助，三天没到账")


def quoting(name: str, at: int, text: str, id_: str = "") -> Quoting:
    return Quoting(Item(id_ or name, "r", at, name=name), text)


def parents(*posts: Quoting) -> dict[str, str | None]:
    return {item.id: item.parent for item in rebuild(SOURCE, posts)}


def test_a_chain_is_read_nearest_first() -> None:
    assert parse("太气人了//@小王:转发微博//@大V说： 提现失败//@爆料人: 求助") == (
        "太气人了",
        (Link("小王", "转发微博"), Link("大V说", "提现失败"), Link("爆料人", "求助")),
    )
    assert parse("看 https://t.cn/@x 和 a//b") == ("看 https://t.cn/@x 和 a//b", ())
    assert parse("") == ("", ())


def test_the_parent_is_the_collected_post_with_the_quoted_words() -> None:
    found = parents(
        quoting("小王", 1, "退钱", "w1"), quoting("小王", 2, "还没到账", "w2"),
        quoting("小李", 3, "我也是//@小王:退钱", "l1"), quoting("小赵", 4, "同//@小李:我也是//@小王:退钱", "z1"),
    )  # fmt: skip
    assert found == {"w1": "r", "w2": "r", "l1": "w1", "z1": "l1"}


def test_a_shortened_name_is_found_by_its_words() -> None:
    found = parents(
        quoting("王**", 1, "退钱", "w1"),
        quoting("王**", 2, "等说法", "w2"),
        quoting("李**", 3, "对//@王小明:等说法", "l1"),
    )
    assert found["l1"] == "w2"


def test_a_bare_repost_is_found_by_what_it_quotes_itself() -> None:
    found = parents(
        quoting("王**", 1, "转发微博", "w1"), quoting("王**", 2, "转发微博//@大V说:提现失败", "w2"),
        quoting("李**", 3, "啊//@王小明:转发微博//@大V说:提现失败", "l1"),
    )  # fmt: skip
    assert found["l1"] == "w2"


def test_links_nobody_collected_stand_in_as_quoted_items_once_each() -> None:
    items = rebuild(SOURCE, [
        quoting("小李", 5, "啊//@大V说:提现失败//@路人:看看", "l1"),
        quoting("小赵", 6, "哦//@大V说:提现失败//@路人:看看", "z1"),
    ])  # fmt: skip
    tree = grow(ROOT, items)
    assert [(item.name, item.quoted) for item in tree.items[1:]].count(("大**", True)) == 1
    assert shape(tree).depth == 3 and shape(tree).size == 4
    ghost = next(item for item in tree.items if item.name == "大**")
    assert {item.id for item in items if item.parent == ghost.id} == {"l1", "z1"}
    assert ghost.at == 5, "a quoted post is no later than the first that quotes it"


def test_the_chain_ends_at_the_root() -> None:
    assert parents(quoting("小李", 5, "啊//@爆料人:求助//@谁:前面的", "l1")) == {"l1": "r"}
    private = Quoting(replace(ROOT, name="爆**"), "求助，三天没到账")
    for text, ends in (("啊//@爆料人:求助，三天没到账", True), ("啊//@爆料人:", True), ("啊//@爆料人:另一句话", False)):
        (*quoted, item) = rebuild(private, [quoting("小李", 5, text, "l1")])
        assert (item.parent == "r", not quoted) == (ends, ends)


def test_a_thousand_links_are_followed_as_far_as_the_limit() -> None:
    text = "x" + "".join(f"//@n{number}:w{number}" for number in range(1_000))
    tree = grow(ROOT, rebuild(SOURCE, [quoting("a", 1, text)]))
    assert tree.depth == MOST_LINKS + 1
    assert len(parse("//@" * 40_000)[1]) == 0
    assert len(parse("// " * 30_000 + "@a:")[1]) == 0


@given(st.lists(st.tuples(st.text("ab/@:：* 王", max_size=40), st.sampled_from(["a", "b", "王**", ""])), max_size=12))
def test_hostile_chains_still_make_a_tree(texts: list[tuple[str, str]]) -> None:
    posts = [quoting(name, number, text, f"p{number}") for number, (text, name) in enumerate(texts)]
    tree = grow(ROOT, rebuild(SOURCE, posts))
    assert {f"p{number}" for number in range(len(texts))} <= {item.id for item in tree.items}
    assert (tree.mended.missing_parents, tree.mended.cycles, tree.mended.duplicates) == (0, 0, 0)


@given(st.lists(st.integers(0, 30), max_size=30))
def test_a_tree_written_as_chains_is_rebuilt_exactly(picks: list[int]) -> None:
    """Each repost has words of its own and quotes the whole way to the root."""
    chains = [""]
    posts, truth = [], {}
    for number, pick in enumerate(picks, 1):
        parent = pick % number
        chains.append(f"w{number}" + (f"//@n{parent}:{chains[parent]}" if parent else ""))
        posts.append(quoting(f"n{number}", number, chains[number], f"p{number}"))
        truth[f"p{number}"] = f"p{parent}" if parent else "r"
    assert parents(*posts) == truth
