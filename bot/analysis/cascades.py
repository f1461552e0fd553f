"""Posts of one matter sorted into cascades: what was carried on from which source.

A repost names its source (``root_id``), the post it was made from (``parent_id``), quotes a chain, or several of these;
any of them may never have been collected. Comments answer, they carry nothing on: they are counted, not placed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.analysis.cascade import Item, Tree, grow
from bot.analysis.chain import Quoting, parse, rebuild, shortened
from bot.model.post import Post
from bot.model.seen import Seen

COMMENT = "comment"
_WORDS = 40


@dataclass(frozen=True, slots=True)
class Cascade:
    """``seen`` finds the stored posts of the tree by item id; a root that nobody collected is not among them.
    ``stated`` is how many reposts the platform itself shows, 0 where it says nothing."""

    tree: Tree
    seen: dict[str, Seen]
    comments: int
    stated: int

    @property
    def root(self) -> Item:
        return self.tree.items[0]

    @property
    def collected_root(self) -> Seen | None:
        return self.seen.get(self.root.id)


def cascades_of(seen: Sequence[Seen]) -> list[Cascade]:
    """Every source with at least one repost, most reposts first. Any order of posts gives the same."""
    by_key = _by_key(seen)
    tops = _tops(by_key)
    members: dict[str, list[str]] = {}
    comments: dict[str, int] = {}
    for key, one in by_key.items():
        top = tops[key]
        if one.post.kind == COMMENT:
            comments[top] = comments.get(top, 0) + 1
        elif key != top:
            members.setdefault(top, []).append(key)
    found = [_cascade(top, keys, by_key, comments.get(top, 0)) for top, keys in members.items()]
    return sorted(found, key=lambda one: (-one.tree.size, one.root.at, one.root.id))


def sources_of(seen: Sequence[Seen]) -> dict[int, str]:
    """The key of the source that each post carries on, answers or is, by sequence number."""
    by_key = _by_key(seen)
    tops = _tops(by_key)
    return {one.seq: tops[key_of(one.post, one.post.id)] for one in seen}


def _by_key(seen: Sequence[Seen]) -> dict[str, Seen]:
    found: dict[str, Seen] = {}
    for one in sorted(seen, key=lambda one: (one.at, one.seq)):
        found.setdefault(key_of(one.post, one.post.id), one)
    return found


def key_of(post: Post, id_: str) -> str:
    """An id is unique within its source only."""
    return f"{post.source}\x1f{id_}"


def _cascade(top: str, keys: Sequence[str], by_key: dict[str, Seen], comments: int) -> Cascade:
    source = by_key.get(top)
    if source is not None:
        root = item_of(top, source)
        said = source.post.text
    else:
        first, said = by_key[keys[0]], ""
        name = top.split("\x1e")[1] if "\x1e" in top else ""
        root = Item(top, None, first.at, name=name, platform=first.post.platform, quoted=True)
    quoting = [Quoting(item_of(key, by_key[key]), by_key[key].post.text) for key in keys]
    seen = {key: by_key[key] for key in (top, *keys) if key in by_key}
    stated = source.post.engagement.reposts if source else 0
    return Cascade(grow(root, rebuild(Quoting(root, said), quoting)), seen, comments, stated)


def item_of(key: str, one: Seen) -> Item:
    post = one.post
    parent = post.parent_id or post.root_id
    return Item(
        key, key_of(post, parent) if parent else None, one.at, post.author.id or "", post.author.name or "",
        post.author.followers, post.platform,
    )  # fmt: skip


def _tops(by_key: dict[str, Seen]) -> dict[str, str]:
    """The source of every post: up from source to source until there is none or it was not collected. Posts that name
    each other in a ring have the first of them as their source."""
    spoken = _spoken(by_key)
    tops: dict[str, str] = {}
    for start in by_key:
        path: list[str] = []
        on_path: set[str] = set()
        key = start
        while key not in tops:
            above = _above(key, by_key[key], spoken) if key in by_key else None
            if above is None or above == key:
                tops[key] = key
                break
            path.append(key)
            on_path.add(key)
            if above in on_path:
                ring = path[path.index(above) :]
                tops[key] = min(ring, key=lambda name: (by_key[name].at, name))
                break
            key = above
        for name in path:
            tops[name] = tops[key]
    return tops


def _above(key: str, one: Seen, spoken: dict[tuple[str, str, str], str]) -> str | None:
    post = one.post
    if named := post.root_id or post.parent_id:
        return key_of(post, named)
    if post.kind == COMMENT or "//" not in post.text:
        return None
    _, links = parse(post.text)
    if not links:
        return None
    far = links[-1]
    for name in (far.name, shortened(far.name)):
        found = spoken.get((post.platform, name, far.words[:_WORDS]))
        if found is not None and found != key:
            return found
    return f"{post.platform}\x1e{shortened(far.name)}\x1e{far.words[:_WORDS]}"


def _spoken(by_key: dict[str, Seen]) -> dict[tuple[str, str, str], str]:
    """Originals by platform, name and first words, the earliest of equal ones: what a chain may lead to."""
    found: dict[tuple[str, str, str], str] = {}
    for key, one in by_key.items():
        post = one.post
        if post.author.name and not (post.root_id or post.parent_id) and "//@" not in post.text:
            found.setdefault((post.platform, post.author.name, post.text.strip()[:_WORDS]), key)
    return found
